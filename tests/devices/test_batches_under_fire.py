"""Batches at once and workers that die: nothing twice, nothing missing, quota and codes exact."""

import random
import threading
import time
from collections.abc import Callable

import pytest
from celery import current_app
from django.conf import settings
from django.db import connections
from django.utils import timezone

from console.errors import DomainError
from console.models import AuditEntry
from console.shared.jobs import JobState
from devices import tasks
from devices.models import Batch, MacPool, PreImportedDevice
from devices.services import batch_files, batches, mac_pools, production
from devices.services.batches import NewBatch
from devices.services.mac_pools import NewPool, PoolExhausted, PoolOverlaps
from products.models import Product
from products.services import supply
from products.services.supply import CodesExhausted
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.processes import Process

pytestmark = [pytest.mark.storage, pytest.mark.django_db(transaction=True)]


def at_once(count: int, act: Callable[[int], object]) -> list[object]:
    """What `act` returned or raised in each of `count` threads that start together."""
    barrier, results = threading.Barrier(count), [None] * count

    def run(index: int) -> None:
        barrier.wait()
        try:
            results[index] = act(index)
        except DomainError as error:
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[index]) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def supply_of(product: Product) -> tuple[int, int]:
    product.refresh_from_db()
    return product.devices_taken, product.codes_used


def request(product: Product, **wish: object) -> Batch:
    return batches.request(product.pk, NewBatch(**{"source": "automatic"} | wish), by=OPERATOR, at=NOON)


def test_twenty_batches_at_once_share_the_last_codes_exactly() -> None:
    product = cast.tracker()
    results = at_once(20, lambda index: request(product, quantity=70))
    made = [result for result in results if isinstance(result, Batch)]
    assert len(made) == 14
    assert all(isinstance(result, CodesExhausted) for result in results if result not in made)
    assert supply_of(product) == (980, 980)
    assert Batch.objects.count() == AuditEntry.objects.filter(action="batch.request").count() == 14


def test_batches_at_once_get_ranges_of_addresses_that_do_not_touch() -> None:
    product = cast.kettle()
    pool = mac_pools.create(NewPool(name="Ours", kind="MA-S", prefix="70B3D5F2E", stride=2), by=OPERATOR, at=NOON)
    MacPool.objects.filter(pk=pool.pk).update(next=pool.last + 1 - 2 * 500)
    results = at_once(8, lambda index: request(product, quantity=90, mac_pool_id=pool.pk))
    firsts = sorted(result.mac_first for result in results if isinstance(result, Batch))
    assert firsts == [pool.last + 1 - 1000 + 180 * index for index in range(5)]
    assert sum(isinstance(result, PoolExhausted) for result in results) == 3
    assert supply_of(product) == (450, 450)


def test_of_two_pools_that_overlap_one_is_made() -> None:
    ranges = [("A4DA32000000", "A4DA320000FF"), ("A4DA32000080", "A4DA3200017F")] * 3

    def make(index: int) -> MacPool:
        first, last = ranges[index]
        return mac_pools.create(NewPool(name=f"Pool {index}", kind="MA-L", prefix="A4DA32", first=first, last=last), by=OPERATOR, at=NOON)

    results = at_once(6, make)
    assert sum(isinstance(result, MacPool) for result in results) == 1
    assert sum(isinstance(result, PoolOverlaps) for result in results) == 5


def test_of_workers_that_take_one_batch_at_once_one_makes_it() -> None:
    product = cast.tracker()
    batch = request(product, quantity=600)
    at_once(4, lambda index: production.fill(batch.pk, clock=timezone.now))
    assert_exact(batch, product, 600)
    batch.refresh_from_db()
    assert batch.attempt == 1


def test_workers_that_take_each_other_for_dead_make_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "NAMEPLATE_JOB_LEASE_SECONDS", 0)
    monkeypatch.setattr(settings, "NAMEPLATE_BATCH_CHUNK_ROWS", 20)
    monkeypatch.setattr(production, "ATTEMPTS", 10_000)
    product = cast.kettle()
    pool = mac_pools.create(NewPool(name="Ours", kind="MA-S", prefix="70B3D5F2E"), by=OPERATOR, at=NOON)
    batch = request(product, quantity=800, mac_pool_id=pool.pk)
    end = time.monotonic() + 60

    def work(index: int) -> None:
        while time.monotonic() < end and not Batch.objects.get(pk=batch.pk).is_over:
            production.fill(batch.pk, clock=timezone.now)
            time.sleep(random.uniform(0, 0.2))

    at_once(4, work)
    assert_exact(batch, product, 800)
    batch.refresh_from_db()
    assert batch.attempt > 1


def test_a_cancel_while_it_runs_gives_back_exactly_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "NAMEPLATE_BATCH_CHUNK_ROWS", 20)
    monkeypatch.setattr(production, "PAUSE", dict.fromkeys(production.PAUSE, 0.01))
    product = cast.tracker()
    batch = request(product, quantity=1000)

    def act(index: int) -> object:
        if index == 0:
            return production.fill(batch.pk, clock=timezone.now)
        time.sleep(0.15)
        return batches.cancel(batch.pk, by=OPERATOR, at=timezone.now())

    at_once(2, act)
    batch.refresh_from_db()
    made = PreImportedDevice.objects.filter(batch=batch).count()
    assert batch.state == JobState.CANCELLED
    assert 0 < made < 1000
    assert (batch.made, supply_of(product)) == (made, (made, made))


def assert_exact(batch: Batch, product: Product, quantity: int) -> None:
    """Done; as many distinct devices as asked for; quota and codes for exactly these; one end."""
    batch.refresh_from_db()
    assert (batch.state, batch.done, batch.made) == (JobState.DONE, quantity, quantity), batch.failure
    names = PreImportedDevice.objects.filter(product=product).values_list("device_name", flat=True)
    assert len(names) == len(set(names)) == quantity
    assert PreImportedDevice.objects.filter(batch=batch).count() == quantity
    assert supply_of(product) == (quantity, quantity)
    assert AuditEntry.objects.filter(action="batch.end").count() == 1


KILLS = 10
SIZE = 20_000


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["random names", "addresses of a pool"])
def test_a_worker_killed_ten_times_leaves_an_exact_batch(kind: str, start_worker: Callable[..., Process]) -> None:
    product = cast.tracker() if kind == "random names" else cast.kettle()
    supply.grant_codes(product, quantity=SIZE, by=OPERATOR, at=NOON)
    pool = None
    if kind != "random names":
        pool = mac_pools.create(NewPool(name="Ours", kind="MA-M", prefix="A4DA32B"), by=OPERATOR, at=NOON)
    batch = batches.request(
        product.pk, NewBatch(source="automatic", quantity=SIZE, mac_pool_id=pool and pool.pk), by=OPERATOR, at=timezone.now()
    )
    for kill in range(KILLS):
        worker = _start(start_worker)
        _nudge_until_claimed(batch, kill + 1, worker)
        _wait_until_done(batch, SIZE * (kill + random.random()) / (KILLS + 1))
        time.sleep(random.uniform(0, 0.02))
        worker.kill()
        batch.refresh_from_db()
        assert batch.state == JobState.RUNNING, "the worker was faster than the kill"
    worker = _start(start_worker)
    _nudge_until_claimed(batch, KILLS + 1, worker)
    _wait_until_over(batch, worker)
    assert_exact(batch, product, SIZE)
    assert batch.attempt == KILLS + 1


def _start(start_worker: Callable[..., Process]) -> Process:
    """Small chunks, so that there is something to kill between; a short lease, so that the next worker need not wait."""
    return start_worker(NAMEPLATE_JOB_LEASE_SECONDS="1", NAMEPLATE_BATCH_CHUNK_ROWS="100")


def _nudge_until_claimed(batch: Batch, attempt: int, worker: Process) -> None:
    """As the sweep does: the message again and again, until a worker has the row."""
    end = time.monotonic() + 30
    while Batch.objects.filter(pk=batch.pk, attempt__lt=attempt).exists():
        assert time.monotonic() < end, worker.output()
        current_app.send_task("devices.fill_batch", args=[batch.pk], ignore_result=True)
        _poll(lambda: Batch.objects.filter(pk=batch.pk, attempt__gte=attempt).exists(), seconds=1)


def _wait_until_done(batch: Batch, done: float) -> None:
    _poll(lambda: Batch.objects.filter(pk=batch.pk, done__gte=done).exists(), seconds=30)


def _wait_until_over(batch: Batch, worker: Process) -> None:
    _poll(lambda: not Batch.objects.filter(pk=batch.pk, state=JobState.RUNNING).exists(), seconds=60)
    batch.refresh_from_db()
    assert batch.is_over, worker.output()


def _poll(condition: Callable[[], bool], *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.002)


def test_the_sweep_sends_again_what_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(tasks, "nudge", lambda task, pk: sent.append((task, pk)))
    product = cast.tracker()
    lost, done, running = (request(product, quantity=5) for _ in range(3))
    production.fill(done.pk, clock=timezone.now)
    Batch.objects.claim(running.pk, at=timezone.now())
    file = batch_files.order(done.pk, "csv", by=OPERATOR, at=NOON)
    tasks.sweep()
    assert sent == [("devices.fill_batch", lost.pk), ("devices.pack_batch", file.pk)]
    Batch.objects.filter(pk=running.pk).update(heartbeat_at=NOON)
    sent.clear()
    tasks.sweep()
    assert ("devices.fill_batch", running.pk) in sent
