"""An undo against downloads, registrations, file jobs, other undos and dying workers: one wins, and every count is exact."""

import random
import time
from collections.abc import Callable

import pytest
from celery import current_app
from django.conf import settings
from django.utils import timezone

from console.errors import DomainError
from console.models import AuditEntry
from console.shared.jobs import JobState
from devices.models import Batch, BatchFile, BatchUndo, Device, DownloadCode, PreImportedDevice
from devices.services import admission, batch_files, batches, connections, download_codes, undoing
from devices.services.download_codes import CodeRefused, NewCode
from devices.services.undoing import BatchUndone, InTheWay
from products.models import Product
from products.services import lookup, supply
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices.production_line import made, packed, read, supply_of
from tests.devices.test_batches_under_fire import at_once
from tests.processes import Process

pytestmark = [pytest.mark.storage, pytest.mark.django_db(transaction=True)]
ROUNDS = range(6)


def begin(batch: Batch) -> BatchUndo:
    return batches.undo(batch.pk, reason="wrong", by=OPERATOR, at=timezone.now())


def finish(batch: Batch) -> None:
    for undo in BatchUndo.objects.filter(batch=batch):
        undoing.carry_out(undo.pk, clock=timezone.now)
    batch.refresh_from_db()


def rows_of(batch: Batch) -> int:
    return PreImportedDevice.objects.filter(batch=batch).count()


def nap(most: float) -> None:
    """So that the threads meet at another place each time."""
    time.sleep(random.uniform(0, most))


def test_of_a_download_and_an_undo_one_wins() -> None:
    product = cast.tracker()
    for _ in ROUNDS:
        batch = packed(made(product, 20))
        BatchFile.objects.update(expires_at=timezone.now() + (timezone.now() - NOON))

        def act(index: int, batch: Batch = batch) -> object:
            nap(0.01)
            return read(batch_files.download(batch, "csv", by=OPERATOR, at=timezone.now())) if index else begin(batch)

        undo, file = at_once(2, act)
        finish(batch)
        if isinstance(undo, BatchUndo):
            assert isinstance(file, BatchUndone)
            assert (rows_of(batch), batch.undone_at is None, batch.first_download_at) == (0, False, None)
        else:
            assert isinstance(undo, InTheWay)
            assert isinstance(file, bytes)
            assert (rows_of(batch), batch.undo_began_at) == (20, None)
    assert supply_of(product) == (PreImportedDevice.objects.count(),) * 2


@pytest.mark.parametrize("way", ["register", "connect"])
def test_of_devices_that_come_and_an_undo_one_wins(way: str) -> None:
    product = cast.tracker()
    known, home = lookup.find_for_registration(product.key, at=NOON), cast.home()
    refused = 0
    for _ in ROUNDS:
        batch = made(product, 20)
        if way == "register":
            PreImportedDevice.objects.made_in(batch.pk).update(authentication="dynamic")
        names = list(PreImportedDevice.objects.made_in(batch.pk).values_list("device_name", flat=True))

        def come(name: str) -> object:
            if way == "register":
                return admission.admit(data_center=home, product=known, device_name=name, at=timezone.now())
            where = {"data_center": home, "product_id": product.pk, "device_name": name}
            return connections.admit(connections.look_up(**where), **where, by_token=False, at=timezone.now())

        def act(index: int, batch: Batch = batch, names: list[str] = names) -> object:
            nap(0.02)
            return come(names[index]) if index else begin(batch)

        undo, *others = at_once(6, act)
        finish(batch)
        came = Device.objects.at(home).filter(device_name__in=names).count()
        assert came == sum(not isinstance(other, DomainError) for other in others)
        if batch.undone_at is None:
            refused += 1
            assert came > 0
            assert rows_of(batch) == 20
            assert batch.first_came_name in names
        else:
            assert isinstance(undo, BatchUndo)
            assert (came, rows_of(batch)) == (0, 0)
    assert supply_of(product) == (20 * refused,) * 2


def test_of_undos_at_once_one_is_carried_out() -> None:
    product = cast.tracker()
    batch = made(product, 100)
    results = at_once(6, lambda index: begin(batch))
    assert sum(isinstance(result, BatchUndo) for result in results) == 1
    assert all(isinstance(result, (BatchUndo, BatchUndone)) for result in results)
    finish(batch)
    assert supply_of(product) == (0, 0)
    assert AuditEntry.objects.filter(action="batch.undo").count() == 1


def test_a_file_that_is_being_packed_is_given_up_or_was_ready() -> None:
    product = cast.tracker()
    supply.grant_codes(product, quantity=20_000, by=OPERATOR, at=NOON)
    for _ in range(3):
        batch = made(product, 3000)
        file = batch_files.order(batch.pk, "csv", by=OPERATOR, at=timezone.now())

        def act(index: int, batch: Batch = batch, file: BatchFile = file) -> object:
            nap(0.05)
            return batch_files.pack(file.pk, clock=timezone.now) if index else begin(batch)

        undo, _ = at_once(2, act)
        assert isinstance(undo, BatchUndo)
        finish(batch)
        file.refresh_from_db()
        assert rows_of(batch) == 0
        assert not file.is_ready(timezone.now())
        batch_files.pack(file.pk, clock=timezone.now)
        with pytest.raises(BatchUndone):
            batch_files.download(batch, "csv", by=OPERATOR, at=timezone.now())


def test_workers_that_take_each_other_for_dead_give_nothing_back_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "NAMEPLATE_JOB_LEASE_SECONDS", 0)
    monkeypatch.setattr(settings, "NAMEPLATE_BATCH_CHUNK_ROWS", 20)
    monkeypatch.setattr(undoing, "ATTEMPTS", 10_000)
    product = cast.tracker()
    batch = made(product, 600)
    undo = begin(batch)
    end = time.monotonic() + 60

    def work(index: int) -> None:
        while time.monotonic() < end and not BatchUndo.objects.get(pk=undo.pk).is_over:
            undoing.carry_out(undo.pk, clock=timezone.now)
            nap(0.1)

    at_once(4, work)
    undo.refresh_from_db()
    assert (undo.state, undo.done) == (JobState.DONE, 600)
    assert supply_of(product) == (0, 0)
    assert AuditEntry.objects.filter(action="batch.undone").count() == 1


def test_a_code_is_redeemed_as_often_as_it_allows() -> None:
    batch = packed(made())
    BatchFile.objects.update(expires_at=timezone.now() + (timezone.now() - NOON))
    code = download_codes.make(batch.pk, NewCode("csv", "Factory 2", uses=3), by=OPERATOR, at=timezone.now())
    results = at_once(10, lambda index: read(download_codes.redeem(code.text, address=f"192.0.2.{index}", at=timezone.now())))
    assert sum(isinstance(result, bytes) for result in results) == 3
    assert sum(isinstance(result, CodeRefused) for result in results) == 7
    assert DownloadCode.objects.get().uses == 3
    assert AuditEntry.objects.filter(action="download_code.redeem").count() == 3
    assert BatchFile.objects.get().downloads == 3


KILLS = 3
SIZE = 20_000


@pytest.mark.slow
def test_a_worker_killed_three_times_leaves_an_exact_undo(start_worker: Callable[..., Process]) -> None:
    product = cast.tracker()
    supply.grant_codes(product, quantity=SIZE, by=OPERATOR, at=NOON)
    kept, batch = made(product, 7), made(product, SIZE)
    undo = begin(batch)
    for kill in range(KILLS + 1):
        worker = start_worker(NAMEPLATE_JOB_LEASE_SECONDS="1", NAMEPLATE_BATCH_CHUNK_ROWS="100")
        nudge_until_claimed(undo, kill + 1, worker)
        if kill < KILLS:
            wait_until_gone(undo, SIZE * (kill + random.random()) / (KILLS + 1))
            worker.kill()
            time.sleep(0.2)  # What the database had begun to commit.
            assert_exact(product, batch, undo, kept)
    wait_until_gone(undo, SIZE)
    undo.refresh_from_db()
    assert (undo.state, undo.done) == (JobState.DONE, SIZE)
    assert 1 < undo.attempt <= KILLS + 1, "the last kill may come when all is done on a busy machine, the first does not"
    assert_exact(product, batch, undo, kept)


def assert_exact(product: Product, batch: Batch, undo: BatchUndo, kept: Batch) -> None:
    """What is gone was given back, at any moment."""
    undo.refresh_from_db()
    assert rows_of(batch) == SIZE - undo.done
    assert supply_of(product) == (SIZE - undo.done + 7, SIZE - undo.done + 7)
    assert rows_of(kept) == 7


def nudge_until_claimed(undo: BatchUndo, attempt: int, worker: Process) -> None:
    """As the sweep does. At once where the worker before was faster than its end."""
    end = time.monotonic() + 30
    while BatchUndo.objects.filter(pk=undo.pk, attempt__lt=attempt).exclude(state=JobState.DONE).exists():
        assert time.monotonic() < end, worker.output()
        current_app.send_task("devices.undo_batch", args=[undo.pk], ignore_result=True)
        time.sleep(0.5)


def wait_until_gone(undo: BatchUndo, rows: float) -> None:
    """So many rows, or the end where all of them are asked for."""
    end = time.monotonic() + 60
    while not (undo.is_over if rows == SIZE else undo.done >= rows):
        assert time.monotonic() < end
        time.sleep(0.005)
        undo.refresh_from_db()
