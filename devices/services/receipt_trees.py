"""The tree over a batch's devices: made once by a job, soon after the batch has ended, from the rows as they are then.

Rows can change afterwards (a device that is deleted with its secret renewed, rows that somebody deletes), and between the batch's end
and this job as well, which is seconds: `done` says how many devices were there, and the receipt says when. Files that are made later from
changed rows have other bytes; each is listed with its own SHA-256.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from time import monotonic
from typing import Any

from django.db import transaction

from console.errors import Conflict, DomainError
from console.shared import keyring, paging
from console.shared.jobs import JobState, LostClaim
from console.words import say
from devices.models import Batch, BatchTree, PreImportedDevice
from devices.models.pre_import import device_secret_owners
from devices.rules import activation_codes
from devices.rules.activation_codes import Layout
from devices.rules.activation_records import records
from devices.rules.merkle import Tree
from products.models import FlashingMethod, ProductSecret

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

PAGE = 5_000
"""Rows that are read, opened and hashed at a time."""
BEAT_EVERY = 1.0
"""Seconds."""

ATTEMPTS = 20


class TreeNotMade(Conflict):
    """Worker after worker was lost over it."""

    code = "receipt_tree_not_made"


def of(batch: Batch, *, clock: Clock) -> BatchTree | None:
    """The finished tree: the one that is there, or made now. None while another worker makes it, while the batch is being undone, and
    where it fails, for an hour."""
    tree = _row(batch, clock())
    attempt = BatchTree.objects.claim(tree.pk, at=clock())
    if attempt is not None:
        _make(batch, tree, attempt, clock)
    tree.refresh_from_db()
    return tree if tree.state == JobState.DONE else None


def layout_of(batch: Batch, *, at: datetime) -> Layout:
    """That of the CSV file of activation codes. Raises Conflict, SealBroken or KeyMissing."""
    if batch.flashing_method != FlashingMethod.PER_PRODUCT:
        return activation_codes.per_device(batch.product.key)
    secret = ProductSecret.objects.live(at).filter(product_id=batch.product_id).first()
    if secret is None:
        raise Conflict("The product has no live ProductSecret.")
    return activation_codes.per_product(batch.product.key, keyring.unseal(secret.sealed, owner=secret.owner()))


def _row(batch: Batch, at: datetime) -> BatchTree:
    """Queued, also again where the last attempt failed long enough ago."""
    wanted = BatchTree(batch=batch, total=batch.made, requested_at=at, requested_by_id=batch.requested_by_id)
    BatchTree.objects.bulk_create([wanted], ignore_conflicts=True)
    failed = BatchTree.objects.filter(batch=batch, state=JobState.FAILED).exclude(pk__in=BatchTree.objects.failed_lately(at).values("pk"))
    failed.update(state=JobState.QUEUED, attempt=0, done=0, requested_at=at, started_at=None, finished_at=None, failure="")
    tree: BatchTree = BatchTree.objects.get(batch=batch)
    return tree


def _make(batch: Batch, tree: BatchTree, attempt: int, clock: Clock) -> None:
    try:
        if attempt > ATTEMPTS:
            raise TreeNotMade(say("The worker was lost {times} times.", times=ATTEMPTS))
        layout, grown = layout_of(batch, at=clock()), Tree()
        for page in _pages(batch, tree, attempt, clock):
            grown.add(records(_cells(batch, layout, page)))
        _end(batch, tree, attempt, layout.columns, grown, at=clock())
    except LostClaim:
        log.info("The tree of batch %s went to another worker, or the batch is being undone.", batch.pk)
    except DomainError as error:
        log.warning("The tree of batch %s failed: %s", batch.pk, error.message)
        with suppress(LostClaim):
            BatchTree.objects.finish(tree.pk, attempt, JobState.FAILED, at=clock(), failure=error.message)


def _pages(batch: Batch, tree: BatchTree, attempt: int, clock: Clock) -> Iterator[list[tuple[Any, ...]]]:
    """Number, DeviceName and sealed secret of the rows, in the order of the files. Raises LostClaim."""
    done, said = 0, monotonic()
    for page in paging.pages(PreImportedDevice.objects.made_in(batch.pk), ("device_name", "sealed_secret"), PAGE):
        yield page
        done += len(page)
        if monotonic() - said >= BEAT_EVERY:
            BatchTree.objects.beat(tree.pk, attempt, at=clock(), done=done)
            said = monotonic()


def _cells(batch: Batch, layout: Layout, page: Sequence[tuple[Any, ...]]) -> Iterator[tuple[str, ...]]:
    """Raises SealBroken or KeyMissing."""
    _numbers, names, sealed = zip(*page, strict=True)
    if not layout.device_secrets:
        return layout.rows(names, ())
    owners = device_secret_owners(batch.product_id, names)
    return layout.rows(names, keyring.unseal_many(list(zip(sealed, owners, strict=True))))


@transaction.atomic
def _end(batch: Batch, tree: BatchTree, attempt: int, columns: Sequence[str], grown: Tree, *, at: datetime) -> None:
    """Locks the batch: an undo that began while the rows were read has perhaps deleted some, so this tree is none, and is made again when
    the undo has ended: of all rows, or of none. Raises LostClaim."""
    locked = Batch.objects.select_for_update().get(pk=batch.pk)
    if locked.undo_began_at is not None and grown.count:
        BatchTree.objects.finish(tree.pk, attempt, JobState.QUEUED, at=at, done=0)
        return
    BatchTree.objects.finish(tree.pk, attempt, JobState.DONE, at=at, done=grown.count, columns=list(columns), root=grown.root())
