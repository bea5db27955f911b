"""Receipts at once and workers that die between any two steps: one chain without gap or fork, one receipt for each thing, none lost."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from celery import current_app
from django.db import connections, transaction
from django.utils import timezone

from console.models import AuditEntry
from console.shared.jobs import JobState
from devices import tasks
from devices.models import Batch, BatchTree, Receipt, ReceiptChain, ReceiptFile, ReceiptKey
from devices.rules import receipt_checks
from devices.services import batches, production, receipt_chain, receipt_trees, receipts
from devices.services.batches import NewBatch
from tests import cast
from tests.cast import OPERATOR
from tests.devices.production_line import made, packed
from tests.devices.receipts import SOON, read
from tests.devices.test_batches_under_fire import at_once
from tests.processes import Process

pytestmark = [pytest.mark.storage, pytest.mark.django_db(transaction=True)]


def assert_one_chain(count: int) -> None:
    """Numbers 1 to `count`, each proven, linked to the one before; one head; one audit line for each; nothing more is due."""
    links = [read(receipt) for receipt in Receipt.objects.order_by("number")]
    assert [link.number for link in links] == list(range(1, count + 1))
    assert receipt_checks.check_chain(links) == []
    head = ReceiptChain.objects.get()
    assert (head.number, head.sha256) == (count, links[-1].sha256)
    assert AuditEntry.objects.filter(action="receipt.issue").count() == count
    assert receipts.due(at=timezone.now()) == []


def test_many_workers_at_once_make_one_chain() -> None:
    product = made(quantity=3).product
    for _batch in range(7):
        made(product, quantity=3)
    ids = receipts.due(at=SOON)
    assert len(ids) == 8
    at_once(16, lambda index: receipts.issue(ids[index % 8], clock=timezone.now))
    at_once(8, lambda index: receipts.issue(ids[index % 8], clock=timezone.now))  # Where two met, one gave way to the other's tree.
    assert_one_chain(8)
    assert ReceiptKey.objects.count() == 1


def test_the_same_batch_at_once_has_one_receipt() -> None:
    batch = made()
    tree = receipt_trees.of(batch, clock=timezone.now)
    assert tree is not None
    found = at_once(8, lambda index: receipts.issue(batch.pk, clock=timezone.now))
    assert sum(isinstance(one, Receipt) for one in found) == 1
    assert_one_chain(1)


def test_a_new_key_and_receipts_at_once_leave_each_receipt_with_a_key_in_use() -> None:
    product = made(quantity=3).product
    ids = [made(product, quantity=3).pk for _batch in range(5)]
    ids += receipts.due(at=SOON)[:1]

    def act(index: int) -> object:
        if index % 2:
            return receipt_chain.rotate(reason="now", by=OPERATOR, at=timezone.now())
        return receipts.issue(ids[index // 2], clock=timezone.now)

    at_once(12, act)
    for pk in receipts.due(at=timezone.now()):
        receipts.issue(pk, clock=timezone.now)
    assert_one_chain(6)
    assert ReceiptKey.objects.filter(retired_at=None).count() == 1


class Killed(BaseException):
    """As SIGKILL: nothing of ours catches it, and the connection is gone."""


def killed_at(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, batch: Batch, *, after: bool) -> None:
    """The worker dies before or after one of its steps."""
    real = getattr(place, name)

    def dying(*args: Any, **kwargs: Any) -> Any:
        if after:
            real(*args, **kwargs)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(place, name, dying)
        with pytest.raises(Killed):
            receipts.issue(batch.pk, clock=timezone.now)


STEPS = [
    (receipt_trees, "_row"),
    (receipt_trees, "_make"),
    (receipt_trees, "_end"),
    (receipts, "_add_link"),
    (receipt_chain, "take"),
    (receipt_chain, "sign"),
    (Receipt, "save"),
    (receipts.audit, "record"),
]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", STEPS, ids=[name for _place, name in STEPS])
def test_a_worker_that_dies_at_any_step_loses_nothing_and_doubles_nothing(
    step: tuple[Any, str], after: bool, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.NAMEPLATE_JOB_LEASE_SECONDS = 0.01
    receipt_chain.make_first_key(at=timezone.now())
    batch = packed(made())
    killed_at(monkeypatch, *step, batch, after=after)
    time.sleep(0.02)
    for pk in receipts.due(at=timezone.now()):
        receipts.issue(pk, clock=timezone.now)
    assert_one_chain(1)
    assert (BatchTree.objects.get().state, ReceiptFile.objects.count()) == (JobState.DONE, 1)


def test_an_undo_that_begins_while_the_tree_grows_wins() -> None:
    batch = made()

    def clock() -> datetime:
        if BatchTree.objects.filter(batch=batch, state=JobState.RUNNING).exists() and not batch.undos.exists():
            batches.undo(batch.pk, reason="wrong", by=OPERATOR, at=timezone.now())
        return timezone.now()

    assert receipts.issue(batch.pk, clock=clock) is None
    assert (BatchTree.objects.get().state, Receipt.objects.count(), receipts.due(at=timezone.now())) == (JobState.QUEUED, 0, [])


@pytest.mark.postgres
def test_who_has_the_head_has_it_alone() -> None:
    """A second one waits until the first has finished, and follows on it."""
    first = made(quantity=2)
    second = made(first.product, quantity=2)
    for batch in (first, second):
        receipt_trees.of(batch, clock=timezone.now)
    done: list[object] = []

    def other() -> None:
        try:
            done.append(receipts.issue(second.pk, clock=timezone.now))
        finally:
            connections.close_all()

    with transaction.atomic():
        receipt_chain.take(at=timezone.now())
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.3)
        assert done == []
        receipts.issue(first.pk, clock=timezone.now)
    thread.join(10)
    assert [receipt.batch_id for receipt in Receipt.objects.order_by("number")] == [first.pk, second.pk]
    assert_one_chain(2)


def test_the_sweep_finds_what_the_nudge_did_not(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(tasks, "nudge", lambda task, pk: sent.append((task, pk)))
    batch = made()
    tasks.issue_receipts()
    assert sent == [("devices.issue_receipt", batch.pk)]
    tasks.issue_receipt(batch.pk)
    sent.clear()
    tasks.issue_receipts()
    assert sent == []


def test_the_jobs_of_a_batch_ring_for_its_receipt(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(tasks, "nudge", lambda task, pk: sent.append((task, pk)))
    batch = batches.request(cast.tracker().pk, NewBatch(source="automatic", quantity=5), by=OPERATOR, at=timezone.now())
    tasks.fill_batch(batch.pk)
    assert sent == [("devices.issue_receipt", batch.pk)]


@pytest.mark.slow
def test_real_workers_killed_again_and_again_leave_one_chain(start_worker: Callable[..., Process]) -> None:
    product = cast.tracker()
    ids = []
    for _batch in range(6):
        batch = batches.request(product.pk, NewBatch(source="automatic", quantity=150), by=OPERATOR, at=timezone.now())
        production.fill(batch.pk, clock=timezone.now)
        ids.append(batch.pk)
    for pause in (0.0, 0.01, 0.03):
        worker = start_worker(NAMEPLATE_JOB_LEASE_SECONDS="1")
        known = Receipt.objects.count()
        for pk in ids:
            current_app.send_task("devices.issue_receipt", args=[pk], ignore_result=True)
        end = time.monotonic() + 20
        while Receipt.objects.count() == known < len(ids) and time.monotonic() < end:
            time.sleep(0.002)
        time.sleep(pause)
        worker.kill()
    worker = start_worker(NAMEPLATE_JOB_LEASE_SECONDS="1")
    end = time.monotonic() + 40
    while (waiting := Batch.objects.filter(pk__in=ids, receipts=None).values_list("pk", flat=True)) and time.monotonic() < end:
        for pk in waiting:
            current_app.send_task("devices.issue_receipt", args=[pk], ignore_result=True)
        time.sleep(0.5)
    worker.kill()
    assert_one_chain(len(ids))
