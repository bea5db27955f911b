"""Imports at once and workers that die: all rows or none, never twice."""

import threading
import time
from collections.abc import Callable

import pytest
from celery import current_app
from django.db import connections
from django.utils import timezone

from console.models import AuditEntry
from console.shared.jobs import JobState
from devices import tasks
from devices.models import PreImportedDevice, Upload, UploadStage
from devices.services import upload_check, upload_commit, uploads
from products.models import Product
from tests import cast
from tests.cast import OPERATOR
from tests.devices import workbooks
from tests.devices.workbooks import clock, macs
from tests.processes import Process

pytestmark = [pytest.mark.storage, pytest.mark.django_db(transaction=True)]

SIZE = 20_000


def received(product: Product, count: int, **facts: str) -> Upload:
    data = workbooks.xlsx(["MAC", "SN"], [[name, f"S{number}"] for number, [name] in enumerate(macs(count))])
    new = uploads.NewUpload("list.xlsx", len(data), [data], **facts)
    return uploads.receive(product, new, by=OPERATOR, at=timezone.now())


def assert_exact(product: Product, count: int) -> None:
    product.refresh_from_db()
    assert PreImportedDevice.objects.filter(product=product).count() == product.devices_taken == count
    assert AuditEntry.objects.filter(action="pre_import.import").count() == (1 if count else 0)


def test_two_workers_at_one_import_store_it_once() -> None:
    product = cast.kettle()
    upload = received(product, 2_000)
    upload_check.check(upload.pk, clock=clock)
    upload.refresh_from_db()
    upload_commit.request(upload.pk, sha256=upload.checked_sha256, by=OPERATOR, at=timezone.now())

    def work() -> None:
        upload_commit.commit(upload.pk, clock=timezone.now)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_exact(product, 2_000)


def test_a_worker_that_was_taken_for_dead_imports_nothing() -> None:
    product = cast.kettle()
    upload = received(product, 10)
    upload_check.check(upload.pk, clock=clock)
    upload.refresh_from_db()
    upload_commit.request(upload.pk, sha256=upload.checked_sha256, by=OPERATOR, at=timezone.now())
    calls = []

    def slow_clock() -> object:
        calls.append(1)
        if len(calls) == 3:  # Between the claim and the transaction somebody else takes over.
            Upload.objects.filter(pk=upload.pk).update(attempt=99)
        return timezone.now()

    upload_commit.commit(upload.pk, clock=slow_clock)
    assert_exact(product, 0)


@pytest.mark.slow
def test_killed_workers_leave_a_check_and_an_import_of_20_000_rows_exact(start_worker: Callable[..., Process]) -> None:
    product = cast.kettle()
    upload = received(product, SIZE)
    for delay in (0.02, 0.1):
        _kill_at_work(start_worker, "devices.check_upload", upload, delay)
    _finish(start_worker, "devices.check_upload", upload, UploadStage.CHECK)
    assert (upload.good_rows, upload.bad_rows) == (SIZE, 0)
    assert sum(1 for _name in uploads.checked_names(upload)) == SIZE
    upload_commit.request(upload.pk, sha256=upload.checked_sha256, by=OPERATOR, at=timezone.now())
    for delay in (0.02, 0.1):
        _kill_at_work(start_worker, "devices.commit_upload", upload, delay)
        assert PreImportedDevice.objects.count() in (0, SIZE)
    _finish(start_worker, "devices.commit_upload", upload, UploadStage.COMMIT)
    assert_exact(product, SIZE)


@pytest.mark.slow
def test_killed_workers_leave_an_import_that_skips_duplicates_exact(start_worker: Callable[..., Process]) -> None:
    """The rows of the list stay as they are, secrets too, and each of the others is there once."""
    product = cast.kettle()
    _import_here(received(product, SIZE // 4))
    secrets = dict(PreImportedDevice.objects.values_list("device_name", "sealed_secret"))
    upload = received(product, SIZE, duplicates="skip")
    for delay in (0.02, 0.1):
        _kill_at_work(start_worker, "devices.check_upload", upload, delay)
    _finish(start_worker, "devices.check_upload", upload, UploadStage.CHECK)
    assert (upload.good_rows, upload.bad_rows, upload.skipped_rows) == (SIZE - SIZE // 4, 0, SIZE // 4)
    upload_commit.request(upload.pk, sha256=upload.checked_sha256, by=OPERATOR, at=timezone.now())
    for delay in (0.02, 0.1):
        _kill_at_work(start_worker, "devices.commit_upload", upload, delay)
        assert PreImportedDevice.objects.count() in (SIZE // 4, SIZE)
    _finish(start_worker, "devices.commit_upload", upload, UploadStage.COMMIT)
    product.refresh_from_db()
    assert PreImportedDevice.objects.filter(product=product).count() == product.devices_taken == SIZE
    assert dict(PreImportedDevice.objects.filter(device_name__in=secrets).values_list("device_name", "sealed_secret")) == secrets


def _import_here(upload: Upload) -> None:
    """In this process, undisturbed."""
    upload_check.check(upload.pk, clock=timezone.now)
    upload.refresh_from_db()
    upload_commit.request(upload.pk, sha256=upload.checked_sha256, by=OPERATOR, at=timezone.now())
    upload_commit.commit(upload.pk, clock=timezone.now)


def _kill_at_work(start_worker: Callable[..., Process], task: str, upload: Upload, delay: float) -> None:
    """SIGKILL so many seconds after the worker has claimed the row."""
    upload.refresh_from_db()
    if upload.is_over:
        return
    worker = start_worker(NAMEPLATE_JOB_LEASE_SECONDS="1")
    _nudge_until(task, upload, lambda: Upload.objects.filter(pk=upload.pk, attempt__gt=upload.attempt).exists(), worker)
    time.sleep(delay)
    worker.kill()


def _finish(start_worker: Callable[..., Process], task: str, upload: Upload, stage: str) -> None:
    worker = start_worker(NAMEPLATE_JOB_LEASE_SECONDS="1")
    _nudge_until(
        task, upload, lambda: Upload.objects.filter(pk=upload.pk, stage=stage, state__in=[JobState.DONE, JobState.FAILED]).exists(), worker
    )
    upload.refresh_from_db()
    assert upload.state == JobState.DONE, upload.failure
    worker.stop()


def _nudge_until(task: str, upload: Upload, condition: Callable[[], bool], worker: Process) -> None:
    """As the sweep does: the message again and again."""
    end, sent = time.monotonic() + 60, 0.0
    while not condition():
        assert time.monotonic() < end, worker.output()
        if time.monotonic() > sent + 1:
            current_app.send_task(task, args=[upload.pk], ignore_result=True)
            sent = time.monotonic()
        time.sleep(0.01)


def test_the_sweep_sends_again_what_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = received(cast.kettle(), 10)
    Upload.objects.update(requested_at=clock())
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(tasks, "nudge", lambda task, pk: sent.append((task, pk)))
    tasks.sweep()
    assert ("devices.check_upload", upload.pk) in sent
    sent.clear()
    upload_check.check(upload.pk, clock=timezone.now)
    tasks.sweep()
    assert sent == []
    upload.refresh_from_db()
    upload_commit.request(upload.pk, sha256=upload.checked_sha256, by=OPERATOR, at=clock())
    tasks.sweep()
    assert sent == [("devices.commit_upload", upload.pk)]
