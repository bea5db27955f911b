"""The files of a batch's activation codes (G9, G10): ordered, made once by a job, kept encrypted for a while, each download audited."""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from console import audit
from console.errors import Conflict, DomainError
from console.shared import keyring
from console.shared.actors import Actor
from console.shared.files import vault, xlsx_writer
from console.shared.jobs import JobState, LostClaim
from devices.models import Batch, BatchFile, FileFormat
from devices.rules import activation_codes
from devices.rules.activation_codes import FormatNotForBatch
from devices.services import batch_contents
from devices.services.undoing import BatchUndone

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

FOLDER = "batches"
GIVE_UP = timedelta(hours=6)
"""A file that kills its workers for so long is not tried any more, until somebody orders it again."""

LEFT_BEHIND = timedelta(days=1)
"""No worker writes at one file for so long."""

CONTENT_TYPES = {
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.XLSX: xlsx_writer.CONTENT_TYPE,
    FileFormat.ALIGENIE: xlsx_writer.CONTENT_TYPE,
    FileFormat.DATA: xlsx_writer.CONTENT_TYPE,
}
SUFFIXES = {FileFormat.CSV: ".csv", FileFormat.XLSX: ".xlsx", FileFormat.ALIGENIE: "-aligenie.xlsx", FileFormat.DATA: "-data.xlsx"}

AT_ONCE = 5_000
"""Devices whose file is made while the person waits: a moment."""

DATA_KEPT = timedelta(hours=1)
"""Batch data says in which state each device is: an older file says what was."""


class NothingToDownload(Conflict):
    """The batch is not ended yet, or ended without a device."""

    code = "nothing_to_download"
    default_message = "There are activation codes to download when the batch has ended and has made devices."


class FileNotReady(Conflict):
    """The file is not made yet, or no longer kept."""

    code = "file_not_ready"
    default_message = "The file is not ready: have it prepared first."


class NeverMade(Conflict):
    """Worker after worker was lost over it."""

    code = "never_made"
    default_message = "The workers that made this file were lost, again and again."


@dataclass(frozen=True, slots=True)
class Download:
    """`pieces` is the file, read and decrypted as it is sent; `size` in bytes; `rows`: how many devices are in it."""

    name: str
    content_type: str
    size: int
    sha256: str
    rows: int
    pieces: Iterator[bytes]


@transaction.atomic
def order(batch_id: int, form: str, *, by: Actor, at: datetime) -> BatchFile:
    """The file of this format: the one that is kept or being made, else a queued one.

    Raises NothingToDownload, BatchUndone or FormatNotForBatch.
    """
    batch: Batch = Batch.objects.select_for_update(of=("self",)).select_related("product").get(pk=batch_id)
    check(batch, form)
    file: BatchFile | None = BatchFile.objects.filter(batch=batch, format=form).first()
    queued = {"state": JobState.QUEUED, "requested_at": at, "requested_by_id": by.user_id, "total": batch.made}
    if file is None:
        file = BatchFile(batch=batch, format=form, **queued)
        file.sealed_key = keyring.current().seal(vault.new_key(), file.key_owner())
        file.save(force_insert=True)
    elif not _is_to_be_made(file, at):
        return file
    else:
        BatchFile.objects.filter(pk=file.pk).update(done=0, started_at=None, finished_at=None, failure="", **queued)
    audit.record("batch.order_file", batch, by=by, at=at, after={"format": form})
    file.refresh_from_db()
    return file


def pack(file_id: int, *, clock: Clock) -> None:
    """Makes a file that is queued or was left by a dead worker, from the batch's rows as they are now; a DomainError ends it as failed."""
    attempt = BatchFile.objects.claim(file_id, at=clock())
    if attempt is None:
        return
    file = BatchFile.objects.select_related("batch__product").get(pk=file_id)
    try:
        if file.started_at is not None and clock() - file.started_at > GIVE_UP:
            raise NeverMade(file.failure or NeverMade.default_message)
        _make(file, attempt, clock)
    except LostClaim:
        log.info("File %s went to another worker.", file_id)
    except DomainError as error:
        log.warning("File %s failed: %s", file_id, error.message)
        with suppress(LostClaim):
            BatchFile.objects.finish(file_id, attempt, JobState.FAILED, at=clock(), failure=error.message)


@transaction.atomic
def download(batch: Batch, form: str, *, by: Actor, at: datetime) -> Download:
    """One download of a file that is ready: counted, audited with its SHA-256.

    Raises FileNotReady, BatchUndone, VaultMissing or SealBroken.
    """
    file = hand_out(batch.pk, form, by=by, at=at)
    facts = {"format": form, "rows": file.rows, "size": file.size, "sha256": file.sha256}
    audit.record("batch.download", batch, by=by, at=at, after=facts, count=file.rows)
    return file


def hand_out(batch_id: int, form: str, *, by: Actor, at: datetime) -> Download:
    """The file, counted, within the transaction of the caller, who audits it. Locks the batch: what was handed out cannot be undone, and
    what is being undone is not handed out. Raises as `download` does."""
    batch: Batch = Batch.objects.select_for_update(of=("self",)).select_related("product").get(pk=batch_id)
    if batch.undo_began_at is not None:
        raise BatchUndone
    file = BatchFile.objects.filter(batch=batch, format=form).first()
    if file is None or not file.is_ready(at):
        raise FileNotReady
    pieces = vault.read(file.path, keyring.current().open(file.sealed_key, file.key_owner()))
    BatchFile.objects.filter(pk=file.pk).update(downloads=F("downloads") + 1)
    Batch.objects.filter(pk=batch.pk, first_download_at=None).update(first_download_at=at, first_download_by=by.name)
    return Download(_name(batch, form), CONTENT_TYPES[FileFormat(form)], file.size, file.sha256, file.done, pieces)


def purge(*, at: datetime) -> int:
    """Deletes the files that were kept long enough, and returns how many; each can be made again from the rows. With them goes what
    a dead worker left half written."""
    gone = 0
    for file in BatchFile.objects.expired(at):
        vault.delete(file.path)
        gone += BatchFile.objects.expired(at).filter(pk=file.pk, path=file.path).update(path="")
    for path in vault.old_files(FOLDER, before=at - LEFT_BEHIND):
        if not BatchFile.objects.filter(path=path).exists():
            vault.delete(path)
    return gone


def check(batch: Batch, form: str) -> None:
    """Whether there is something to have in this format. Raises NothingToDownload, BatchUndone or FormatNotForBatch."""
    if not batch.is_over or not batch.made:
        raise NothingToDownload
    if batch.undo_began_at is not None:
        raise BatchUndone
    if form not in FileFormat.values or not can_be_had(batch, form):
        raise FormatNotForBatch(field="format")


def can_be_had(batch: Batch, form: str) -> bool:
    """Whether this batch can be had in this format."""
    return activation_codes.fits(form, method=batch.flashing_method, device_name_kind=batch.product.device_name_kind)


def _is_to_be_made(file: BatchFile, at: datetime) -> bool:
    """Failed, expired, or lost from the data folder. The batch's lock keeps two orders apart."""
    return file.is_over and not (file.is_ready(at) and vault.exists(file.path))


def _make(file: BatchFile, attempt: int, clock: Clock) -> None:
    """Written under a path of this attempt alone, so that a worker that was taken for dead does no harm. Raises LostClaim."""
    rows = batch_contents.Rows(file, attempt, clock)
    path, old = f"{FOLDER}/{file.batch_id}-{file.format}-{attempt}", file.path
    key = keyring.current().open(file.sealed_key, file.key_owner())
    stored = vault.write(path, key, batch_contents.pieces(rows))
    now = clock()
    try:
        BatchFile.objects.finish(
            file.pk,
            attempt,
            JobState.DONE,
            at=now,
            path=path,
            size=stored.size,
            sha256=stored.sha256,
            done=rows.done,
            expires_at=now + _kept(file.format),
        )
    except LostClaim:
        vault.delete(path)
        raise
    if old and old != path:
        vault.delete(old)


def _kept(form: str) -> timedelta:
    return DATA_KEPT if form == FileFormat.DATA else timedelta(days=settings.NAMEPLATE_BATCH_FILE_DAYS)


def _name(batch: Batch, form: str) -> str:
    return f"{batch.product.key}-{batch.number}{SUFFIXES[FileFormat(form)]}"
