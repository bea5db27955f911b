"""Receipts (N9): each ended batch has one, signed, a link of one chain; a further edition lists newer files, or says that it was undone.

A receipt is issued by a job behind the batch's end, and a sweep finds every batch that lacks its next one: it does not matter when a worker
dies. The tree is made first, by itself; then a single transaction takes the head of the chain, looks again at what is new, signs, and moves
the head, so numbers have no gaps and no two receipts follow on the same one.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from console import audit
from console.errors import DomainError
from console.shared.actors import SYSTEM
from devices.models import Batch, BatchFile, BatchTree, BatchUndo, FileFormat, Receipt, ReceiptChain, ReceiptFile
from devices.models.receipt import batches_due, unlisted_files
from devices.rules import merkle, receipt_form
from devices.rules.receipt_form import moment
from devices.services import batch_files, receipt_chain, receipt_trees
from devices.services.receipt_chain import Head

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

AT_ONCE = 20
"""Batches that one sweep sends on their way."""
ORDER = "as in the files"


def due(*, at: datetime) -> list[int]:
    """Batches whose next receipt can be issued, the oldest first, a few at a time."""
    return list(batches_due(at).values_list("pk", flat=True)[:AT_ONCE])


def issue(batch_id: int, *, clock: Clock) -> Receipt | None:
    """The batch's next receipt, if one is due and nothing stands in its way."""
    batch = batches_due(clock()).select_related("product").filter(pk=batch_id).first()
    tree = receipt_trees.of(batch, clock=clock) if batch is not None else None
    if tree is None:
        return None
    try:
        return _add_link(batch_id, tree, at=clock())
    except DomainError as error:
        log.warning("The receipt of batch %s was not issued: %s", batch_id, error.message)
        return None


def latest(batch_id: int) -> Receipt | None:
    return Receipt.objects.filter(batch_id=batch_id).order_by("-edition").first()


def files_of(receipt: Receipt) -> list[ReceiptFile]:
    """Those that it lists, its own and those of the editions before it."""
    return _shown(ReceiptFile.objects.filter(batch_id=receipt.batch_id, receipt_id__lte=receipt.pk).order_by("pk"))


@transaction.atomic
def _add_link(batch_id: int, tree: BatchTree, *, at: datetime) -> Receipt | None:
    """Locks the head of the chain. None where another worker was faster. Raises SealBroken or KeyMissing."""
    head = receipt_chain.take(at=at)
    batch = batches_due(at).select_related("product", "requested_by").filter(pk=batch_id).first()
    if batch is None:
        return None
    before = latest(batch_id)
    receipt = Receipt(
        number=head.chain.number + 1,
        batch=batch,
        edition=before.edition + 1 if before else 1,
        undone=batch.undone_at is not None,
        issued_at=head.now,
        key=head.key,
        previous=head.chain.sha256,
    )
    new = [_listed(file, receipt) for file in unlisted_files().filter(batch=batch).order_by("pk")]
    known = _shown([*files_of(before), *new] if before else new)
    payload = receipt_form.canonical(_facts(receipt, tree, head, known))
    content = receipt_form.encode(payload, receipt_chain.sign(head.key, payload))
    receipt.content, receipt.sha256 = content.decode(), receipt_form.sha256_of(content)
    receipt.save(force_insert=True)
    ReceiptFile.objects.bulk_create(new)
    ReceiptChain.objects.filter(pk=head.chain.pk).update(number=receipt.number, sha256=receipt.sha256, issued_at=head.now)
    facts = {"batch": batch.number, "edition": receipt.edition, "files": len(known), "sha256": receipt.sha256, "key": head.key.key_id}
    audit.record("receipt.issue", receipt, by=SYSTEM, at=at, after=facts, count=tree.done)
    return receipt


def _listed(file: BatchFile, receipt: Receipt) -> ReceiptFile:
    return ReceiptFile(
        batch=receipt.batch,
        receipt=receipt,
        format=file.format,
        name=f"{receipt.batch.product.key}-{receipt.batch.number}{batch_files.SUFFIXES[FileFormat(file.format)]}",
        rows=file.done,
        size=file.size,
        sha256=file.sha256,
        made_at=file.finished_at or receipt.issued_at,
    )


def _shown(files: Iterable[ReceiptFile]) -> list[ReceiptFile]:
    """Of batch data, a picture of a moment, the newest alone."""
    found = list(files)
    old = [file for file in found if file.format == FileFormat.DATA][:-1]
    return [file for file in found if not any(file is one for one in old)]


def _facts(receipt: Receipt, tree: BatchTree, head: Head, files: Sequence[ReceiptFile]) -> dict[str, Any]:
    """What is signed (devices.rules.receipt_form.FORM)."""
    product = receipt.batch.product
    return {
        "kind": receipt_form.KIND,
        "version": receipt_form.VERSION,
        "installation": {"id": head.chain.installation, "name": _name()},
        "number": receipt.number,
        "previous": receipt.previous,
        "issued_at": moment(receipt.issued_at),
        "key": head.key.key_id,
        "edition": receipt.edition,
        "product": {"key": product.key, "name": product.name},
        "batch": _batch_facts(receipt.batch),
        "devices": {
            "algorithm": merkle.ALGORITHM,
            "columns": list(tree.columns),
            "count": tree.done,
            "order": ORDER,
            "root": tree.root,
            "taken_at": moment(tree.finished_at),
        },
        "files": [
            {
                "format": file.format,
                "name": file.name,
                "rows": file.rows,
                "size": file.size,
                "sha256": file.sha256,
                "made_at": moment(file.made_at),
            }
            for file in files
        ],
    }


def _batch_facts(batch: Batch) -> dict[str, Any]:
    undo = BatchUndo.objects.filter(batch=batch).select_related("requested_by").first() if batch.undone_at else None
    return {
        "number": batch.number,
        "state": batch.state,
        "flashing_method": batch.flashing_method,
        "source": batch.source,
        "asked": batch.total,
        "made": batch.made,
        "skipped": batch.skipped,
        "requested_at": moment(batch.requested_at),
        "requested_by": batch.requested_by.get_username() if batch.requested_by else "",
        "ended_at": moment(batch.finished_at),
        "undone_at": moment(batch.undone_at),
        "undone_by": undo.requested_by.get_username() if undo and undo.requested_by else "",
    }


def _name() -> str:
    """The console's first host name."""
    return next((host for host in settings.ALLOWED_HOSTS if host.strip("*.")), "")
