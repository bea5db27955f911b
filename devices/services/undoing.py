"""A batch is undone (N6): until its first download, and until the first of its devices comes into a data center's list.

`devices.services.batches.undo` begins it: from that moment no device of the batch may come and no file of it is handed out. Then a worker
asks every data center whether one came before; if so, the undo is refused and the batch is as it was. If not, the rows go chunk by chunk,
each chunk one transaction with the quota and the codes that it gives back: a worker that is killed leaves nothing half done.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from console import audit
from console.errors import Conflict
from console.shared import paging
from console.shared.actors import SYSTEM
from console.shared.jobs import JobState, LostClaim
from console.words import Sentence, say
from devices.models import Batch, BatchUndo, Device, DownloadCode, PreImportedDevice
from devices.services import arrivals, numbering
from products.models import DataCenter
from products.services import supply

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

CHUNK = {"postgresql": 5_000, "sqlite": 250}
PAUSE = {"postgresql": 0.0, "sqlite": 0.01}
"""Seconds between chunks: SQLite has one writer, and a device that registers meanwhile wants its turn."""

ATTEMPTS = 20
"""While nothing is deleted yet, an undo whose worker died so often is refused. Afterwards there is only the way to the end."""

REVOKED = "The batch was undone."


class BatchUndone(Conflict):
    """The batch is being undone, or was."""

    code = "batch_undone"
    default_message = "The batch is undone, or being undone."


class InTheWay(Conflict):
    """Something of the batch has left the house, or a device of it has come."""

    code = "batch_in_use"
    default_message = "The batch cannot be undone any more."


def in_the_way(batch: Batch) -> list[Sentence]:
    """Why the batch cannot be undone any more, as far as its record knows; empty where nothing speaks against it."""
    found = []
    if batch.first_download_at is not None:
        facts = {"when": _moment(batch.first_download_at), "who": batch.first_download_by or "–"}
        found.append(say("The activation codes were downloaded on {when} by {who}.", **facts))
    if batch.first_came_at is not None:
        facts = {"name": batch.first_came_name, "where": batch.first_came_to, "when": _moment(batch.first_came_at)}
        found.append(say("{name} came into the device list of {where} on {when}.", **facts))
    return found


def carry_out(undo_id: int, *, clock: Clock, sleep: Callable[[float], None] = time.sleep) -> None:
    """Goes on with an undo that is queued or was left by a dead worker."""
    attempt = BatchUndo.objects.claim(undo_id, at=clock())
    if attempt is None:
        return
    undo = BatchUndo.objects.select_related("batch__product").get(pk=undo_id)
    try:
        if undo.checked_at is None:
            _check(undo, attempt, clock)
        for page in paging.pages(PreImportedDevice.objects.made_in(undo.batch_id), [], _chunk()):
            _delete_chunk(undo, attempt, page[0][0], page[-1][0], at=clock())
            sleep(PAUSE[connection.vendor])
        _end(undo, attempt, at=clock())
    except LostClaim:
        log.info("Undo %s went to another worker.", undo_id)
    except InTheWay as error:
        log.warning("Batch %s is not undone: %s", undo.batch_id, error.message)
        _refuse(undo, attempt, error, at=clock())


def _check(undo: BatchUndo, attempt: int, clock: Clock) -> None:
    """Nothing was deleted yet. Raises InTheWay and LostClaim."""
    if attempt > ATTEMPTS:
        raise InTheWay(undo.failure or say("The worker was lost {times} times.", times=ATTEMPTS))
    batch = undo.batch
    for rows in paging.pages(PreImportedDevice.objects.made_in(batch.pk), ["device_name"], _chunk()):
        for data_center in DataCenter.objects.order_by("pk"):
            _look_for(batch, [name for _, name in rows], data_center)
        BatchUndo.objects.beat(undo.pk, attempt, at=clock())
    BatchUndo.objects.beat(undo.pk, attempt, at=clock(), checked_at=clock())


def _look_for(batch: Batch, names: list[str], data_center: DataCenter) -> None:
    """Raises InTheWay where one of the names is in the data center's list, and writes it down."""
    device = Device.objects.at(data_center).filter(product_id=batch.product_id, device_name__in=names).first()
    if device is None:
        return
    arrivals.note_first(batch.pk, device.device_name, data_center, device.created_at)
    batch.refresh_from_db()
    raise InTheWay(in_the_way(batch)[-1])


@transaction.atomic
def _delete_chunk(undo: BatchUndo, attempt: int, first: int, last: int, *, at: datetime) -> None:
    """The batch's rows from number `first` to `last`. Rows that somebody deleted by hand gave their quota back then and are not counted
    again.

    Locks the undo, the rows, the product, and the serial numbers on the rows: in the order of those who delete by hand. Raises LostClaim.
    """
    BatchUndo.objects.beat(undo.pk, attempt, at=at)
    rows = PreImportedDevice.objects.made_in(undo.batch_id).filter(pk__gte=first, pk__lte=last)
    sns = list(rows.select_for_update().values_list("sn", flat=True))
    supply.give_back(undo.batch.product_id, devices=len(sns), codes=len(sns))
    rows.delete()  # Those that are locked: nobody adds one to a batch that has ended.
    numbering.follow([sn for sn in sns if sn], by=SYSTEM, at=at)
    BatchUndo.objects.beat(undo.pk, attempt, at=at, done=F("done") + len(sns))


@transaction.atomic
def _end(undo: BatchUndo, attempt: int, *, at: datetime) -> None:
    """Raises LostClaim."""
    BatchUndo.objects.finish(undo.pk, attempt, JobState.DONE, at=at)
    undo.refresh_from_db()
    Batch.objects.filter(pk=undo.batch_id).update(undone_at=at)
    DownloadCode.objects.filter(batch_id=undo.batch_id, revoked_at=None).update(revoked_at=at, revoke_reason=REVOKED)
    given_back = {"rows": undo.done, "quota": undo.done, "codes": undo.done}
    audit.record("batch.undone", undo.batch, by=SYSTEM, at=at, after=given_back, reason=undo.reason, count=undo.done)


def _refuse(undo: BatchUndo, attempt: int, error: InTheWay, *, at: datetime) -> None:
    """The batch is as it was."""
    try:
        with transaction.atomic():
            BatchUndo.objects.finish(undo.pk, attempt, JobState.FAILED, at=at, failure=error.message)
            Batch.objects.filter(pk=undo.batch_id).update(undo_began_at=None)
            audit.record("batch.undo_refused", undo.batch, by=SYSTEM, at=at, reason=error.message)
    except LostClaim:
        log.info("Undo %s went to another worker.", undo.pk)


def _chunk() -> int:
    return settings.NAMEPLATE_BATCH_CHUNK_ROWS or CHUNK[connection.vendor]


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
