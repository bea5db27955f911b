"""A chunk that is cut off in the middle of its COPY leaves nothing, and several workers share several batches."""

import time
from collections.abc import Callable

import pytest
from celery import current_app
from django.db import connection
from django.utils import timezone

from console.models import AuditEntry
from console.shared.jobs import JobState
from devices.models import Batch, PreImportedDevice
from devices.services import batches
from devices.services.batches import NewBatch
from products.models import Product
from products.services import supply
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.processes import Process

pytestmark = [pytest.mark.storage, pytest.mark.django_db(transaction=True)]

SIZE, CHUNK = 100_000, 50_000
STEP = 0.002


def requested(product: Product, quantity: int) -> Batch:
    supply.grant_codes(product, quantity=quantity, by=OPERATOR, at=NOON)
    return batches.request(product.pk, NewBatch(source="automatic", quantity=quantity), by=OPERATOR, at=timezone.now())


def made_of(batch: Batch) -> tuple[str, int, int, int]:
    """What its record says, and how many rows there are."""
    batch.refresh_from_db()
    return batch.state, batch.done, batch.made, PreImportedDevice.objects.filter(batch=batch).count()


def wait_for(condition: Callable[[], bool], worker: Process, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, worker.output()
        time.sleep(STEP)


def send(batch: Batch) -> None:
    current_app.send_task("devices.fill_batch", args=[batch.pk], ignore_result=True)


def copying() -> list[tuple[int, int]]:
    """The connections that are in the middle of a COPY: (process id, rows so far)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, tuples_processed FROM pg_stat_progress_copy WHERE tuples_processed > 0 AND datname = current_database()"
        )
        return list(cursor.fetchall())


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.parametrize("what", ["the worker is killed", "its connection is cut"])
def test_a_copy_that_is_cut_off_leaves_nothing_and_the_batch_is_made_in_the_end(what: str, start_worker: Callable[..., Process]) -> None:
    product = cast.tracker()
    batch = requested(product, SIZE)
    worker = start_worker(NAMEPLATE_JOB_LEASE_SECONDS="1", NAMEPLATE_BATCH_CHUNK_ROWS=str(CHUNK))
    send(batch)
    wait_for(lambda: bool(copying()), worker)
    [(process, rows)] = copying()
    assert 0 < rows < CHUNK
    if what == "the worker is killed":
        worker.kill()
    else:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [process])
    wait_for(lambda: not copying(), worker)
    assert made_of(batch) == (JobState.RUNNING, 0, 0, 0)
    time.sleep(1.1)  # Its lease ends.
    again = worker if worker.popen.poll() is None else start_worker(NAMEPLATE_JOB_LEASE_SECONDS="1")
    send(batch)
    wait_for(lambda: made_of(batch)[0] == JobState.DONE, again)
    assert made_of(batch) == (JobState.DONE, SIZE, SIZE, SIZE)
    assert batch.attempt == 2
    product.refresh_from_db()
    assert (product.devices_taken, product.codes_used) == (SIZE, SIZE)


@pytest.mark.slow
def test_two_workers_share_several_batches(start_worker: Callable[..., Process]) -> None:
    product, each = cast.tracker(), 6_000
    waiting = [requested(product, each) for _ in range(4)]
    workers = [start_worker(NAMEPLATE_BATCH_CHUNK_ROWS="200") for _ in range(2)]
    for batch in waiting * 3:  # A message may come twice, and to both.
        send(batch)
    together = 0

    def all_made() -> bool:
        nonlocal together
        together = max(together, Batch.objects.filter(state=JobState.RUNNING, done__gt=0).count())
        return not Batch.objects.exclude(state=JobState.DONE).exists()

    wait_for(all_made, workers[0], seconds=120)
    assert together == 2
    assert [made_of(batch) for batch in waiting] == [(JobState.DONE, each, each, each)] * 4
    assert {batch.attempt for batch in waiting} == {1}
    names = PreImportedDevice.objects.filter(product=product).values_list("device_name", flat=True)
    assert len(names) == len(set(names)) == 4 * each
    product.refresh_from_db()
    assert (product.devices_taken, product.codes_used) == (4 * each, 4 * each)
    assert AuditEntry.objects.filter(action="batch.end").count() == 4
