"""Serial numbers while workers die and stations scan at once: nothing twice, nothing missing, one label a device and one device a label."""

import random
import time
from collections.abc import Callable

import pytest
from celery import current_app
from django.conf import settings
from django.utils import timezone

from console.models import AuditEntry
from console.shared.jobs import JobState
from devices import tasks
from devices.models import PreImportedDevice, SerialNumber, SerialNumberRun
from devices.rules.serial_numbers import Design
from devices.services import binding, pre_import, serial_number_making, serial_numbers
from devices.services.binding import Binding, DeviceHasLabel, LabelUsed
from devices.services.numbering import VoidNumber, WrongProduct
from devices.services.pre_import import NameTaken
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices import serials
from tests.devices.test_batches_under_fire import at_once
from tests.processes import Process

pytestmark = [pytest.mark.storage, pytest.mark.django_db(transaction=True)]


def agree() -> None:
    """A generated number is bound to exactly the row that has it."""
    bound = set(SerialNumber.objects.bound().values_list("sn", "product_id", "device_name"))
    rows = PreImportedDevice.objects.filter(sn__in=list(SerialNumber.objects.values_list("sn", flat=True)))
    assert bound == set(rows.values_list("sn", "product_id", "device_name"))


def assert_exact(run: SerialNumberRun, quantity: int) -> None:
    """Done; as many distinct numbers as asked for; one end."""
    run.refresh_from_db()
    assert (run.state, run.done) == (JobState.DONE, quantity), run.failure
    assert len(set(serials.labels_of(run))) == len(serials.labels_of(run)) == quantity
    assert AuditEntry.objects.filter(action="serial_numbers.end").count() == 1


def test_two_stations_with_one_label_bind_it_once() -> None:
    kettle = cast.kettle()
    names = [cast.row(kettle, f"4C11AE0000{number:02X}").device_name for number in range(1, 9)]
    sn = serials.labels_of(serials.made(kettle))[0]
    results = at_once(8, lambda index: binding.bind(kettle, names[index], sn, by=OPERATOR, at=NOON))
    assert sum(isinstance(result, Binding) for result in results) == 1
    assert sum(isinstance(result, LabelUsed) for result in results) == 7
    agree()


def test_two_stations_with_one_device_give_it_one_label() -> None:
    kettle = cast.kettle()
    cast.row(kettle, "4C11AE000001")
    sns = serials.labels_of(serials.made(kettle, 8))
    results = at_once(8, lambda index: binding.bind(kettle, "4C11AE000001", sns[index], by=OPERATOR, at=NOON))
    assert sum(isinstance(result, Binding) for result in results) == 1
    assert sum(isinstance(result, DeviceHasLabel) for result in results) == 7
    agree()


def test_stations_that_add_the_same_device_add_it_once() -> None:
    kettle = cast.kettle()
    sns = serials.labels_of(serials.made(kettle, 6))
    results = at_once(6, lambda index: binding.bind(kettle, "4C11AE000001", sns[index], add=True, by=OPERATOR, at=NOON))
    assert sum(isinstance(result, Binding) for result in results) == 1
    assert sum(isinstance(result, DeviceHasLabel | NameTaken) for result in results) == 5
    kettle.refresh_from_db()
    assert kettle.devices_taken == 1
    agree()


def test_stations_scan_hundreds_of_pairs_in_any_order_and_all_are_right() -> None:
    kettle = cast.kettle()
    names = [cast.row(kettle, f"4C11AE00{number:04X}").device_name for number in range(40)]
    sns = serials.labels_of(serials.made(kettle, 40))

    def station(index: int) -> list[object]:
        pairs = list(zip(names, sns, strict=True))
        random.Random(index).shuffle(pairs)
        return [binding.bind(kettle, name, sn, by=OPERATOR, at=NOON) for name, sn in pairs]

    results = at_once(4, station)
    assert all(isinstance(result, list) for result in results), results
    assert SerialNumber.objects.bound().count() == 40
    assert dict(SerialNumber.objects.values_list("device_name", "sn")) == dict(zip(names, sns, strict=True))
    assert AuditEntry.objects.filter(action="serial_number.bind").count() == 40
    agree()


def test_a_label_is_bound_or_voided_never_both() -> None:
    kettle = cast.kettle()
    for number in range(6):
        name = cast.row(kettle, f"4C11AE0001{number:02X}").device_name
        label = SerialNumber.objects.get(sn=serials.labels_of(serials.made(kettle, 1))[0])

        def act(index: int, label: SerialNumber = label, name: str = name) -> object:
            if index:
                return binding.bind(kettle, name, label.sn, by=OPERATOR, at=NOON)
            return serial_numbers.void(label.pk, by=OPERATOR, at=NOON)

        voided, bound = at_once(2, act)
        label.refresh_from_db()
        assert label.state == ("bound" if isinstance(bound, Binding) else "void")
        assert (voided is None) != isinstance(bound, Binding)
        assert isinstance(bound, Binding | VoidNumber)
    agree()


def test_binding_and_rows_that_come_and_go_never_disagree() -> None:
    kettle = cast.kettle()
    names = [cast.row(kettle, f"4C11AE0002{number:02X}").device_name for number in range(6)]
    sns = serials.labels_of(serials.made(kettle, 6))

    def act(index: int) -> None:
        luck = random.Random(index)
        for _ in range(15):
            name, sn = luck.choice(names), luck.choice(sns)
            row = PreImportedDevice.objects.of(kettle).filter(device_name=name).first()
            try:
                if index == 0 and row:
                    pre_import.edit(row.pk, {"sn": sn}, by=OPERATOR, at=NOON)
                elif index == 1 and row:
                    pre_import.delete([row.pk], with_devices=False, by=OPERATOR, at=NOON)
                elif index == 2 and row and row.sn:
                    binding.unbind(kettle.pk, name, row.sn, by=OPERATOR, at=NOON)
                else:
                    binding.bind(kettle, name, sn, add=True, by=OPERATOR, at=NOON)
            except (PreImportedDevice.DoesNotExist, binding.Conflict, binding.NotFound):
                continue

    results = at_once(5, act)
    assert results == [None] * 5
    agree()


def test_numbers_are_made_while_others_import_the_same_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """All draws are numbers that somebody types into another product's list at that moment: each goes to one of them alone."""
    kettle, lamp = cast.kettle(), cast.lamp()
    pool = [f"KT-{number:04d}" for number in range(300)]
    monkeypatch.setattr(serial_number_making.rules, "draw", lambda _design, count, _random: random.sample(pool, min(count, 40)))
    monkeypatch.setattr(serial_number_making, "DRAWS", 400)
    monkeypatch.setattr(settings, "NAMEPLATE_BATCH_CHUNK_ROWS", 10)
    run = serials.waiting(kettle, 100)

    def act(index: int) -> object:
        if index == 0:
            return serial_number_making.fill(run.pk, clock=timezone.now)
        refused = 0
        for number in range(index - 1, 150, 3):
            try:
                cast.row(lamp, f"lamp-{number}", sn=pool[number])
            except WrongProduct:
                refused += 1
        return refused

    at_once(4, act)
    assert_exact(run, 100)
    generated = set(serials.labels_of(run))
    typed = set(PreImportedDevice.objects.filter(sn__isnull=False).values_list("sn", flat=True))
    assert not generated & typed
    agree()


def test_of_workers_that_take_one_run_at_once_one_makes_it() -> None:
    run = serials.waiting(cast.kettle(), 600)
    at_once(4, lambda index: serial_number_making.fill(run.pk, clock=timezone.now))
    assert_exact(run, 600)
    assert run.attempt == 1


def test_workers_that_take_each_other_for_dead_make_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "NAMEPLATE_JOB_LEASE_SECONDS", 0)
    monkeypatch.setattr(settings, "NAMEPLATE_BATCH_CHUNK_ROWS", 20)
    monkeypatch.setattr(serial_number_making, "ATTEMPTS", 10_000)
    run = serials.waiting(cast.kettle(), 800)
    end = time.monotonic() + 60

    def work(index: int) -> None:
        while time.monotonic() < end and not SerialNumberRun.objects.get(pk=run.pk).is_over:
            serial_number_making.fill(run.pk, clock=timezone.now)
            time.sleep(random.uniform(0, 0.2))

    at_once(4, work)
    assert_exact(run, 800)
    assert run.attempt > 1


def test_a_cancel_while_it_runs_keeps_what_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "NAMEPLATE_BATCH_CHUNK_ROWS", 20)
    monkeypatch.setattr(serial_number_making, "PAUSE", dict.fromkeys(serial_number_making.PAUSE, 0.01))
    run = serials.waiting(cast.kettle(), 2000)

    def act(index: int) -> object:
        if index == 0:
            return serial_number_making.fill(run.pk, clock=timezone.now)
        time.sleep(0.15)
        return serial_numbers.cancel(run.pk, by=OPERATOR, at=timezone.now())

    at_once(2, act)
    run.refresh_from_db()
    assert run.state == JobState.CANCELLED
    assert 0 < run.done == len(serials.labels_of(run)) < 2000


KILLS = 5
SIZE = 10_000


@pytest.mark.slow
def test_a_worker_killed_five_times_leaves_an_exact_run(start_worker: Callable[..., Process]) -> None:
    run = serial_numbers.request(cast.kettle(), serial_numbers.NewRun(Design("KT-"), SIZE), by=OPERATOR, at=timezone.now())
    for kill in range(KILLS):
        worker = _start(start_worker)
        _nudge_until_claimed(run, kill + 1, worker)
        _poll(lambda kill=kill: _made(run) >= SIZE * (kill + random.random()) / (KILLS + 1), seconds=30)
        time.sleep(random.uniform(0, 0.02))
        worker.kill()
        run.refresh_from_db()
        assert SerialNumber.objects.filter(run=run).count() == run.done
        if run.is_over:  # On a busy machine a worker may be faster than its end.
            break
    else:
        _nudge_until_claimed(run, KILLS + 1, _start(start_worker))
    _poll(lambda: not SerialNumberRun.objects.filter(pk=run.pk, state=JobState.RUNNING).exists(), seconds=60)
    assert_exact(run, SIZE)
    assert 1 < run.attempt <= KILLS + 1


def _made(run: SerialNumberRun) -> int:
    return int(SerialNumberRun.objects.values_list("done", flat=True).get(pk=run.pk))


def _start(start_worker: Callable[..., Process]) -> Process:
    """Small chunks, so that there is something to kill between; a short lease, so that the next worker need not wait."""
    return start_worker(NAMEPLATE_JOB_LEASE_SECONDS="1", NAMEPLATE_BATCH_CHUNK_ROWS="50")


def _nudge_until_claimed(run: SerialNumberRun, attempt: int, worker: Process) -> None:
    """As the sweep does: the message again and again, until a worker has the row."""
    end = time.monotonic() + 30
    while SerialNumberRun.objects.filter(pk=run.pk, attempt__lt=attempt).exists():
        assert time.monotonic() < end, worker.output()
        current_app.send_task("devices.make_serial_numbers", args=[run.pk], ignore_result=True)
        _poll(lambda: SerialNumberRun.objects.filter(pk=run.pk, attempt__gte=attempt).exists(), seconds=1)


def _poll(condition: Callable[[], bool], *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.002)


def test_the_sweep_sends_again_what_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(tasks, "nudge", lambda task, pk: sent.append((task, pk)))
    lost = serials.waiting(cast.kettle())
    tasks.sweep()
    assert ("devices.make_serial_numbers", lost.pk) in sent
