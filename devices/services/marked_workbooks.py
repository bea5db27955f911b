"""The uploaded workbook as it goes back to its operator: its own rows, columns and titles, the bad cells marked, the reasons at the end.

Kept in the upload's folder of the vault under the upload's key, gone with it, each download audited.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, groupby
from pathlib import PurePath
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _

from console import audit
from console.errors import Conflict, DomainError
from console.shared.actors import Actor
from console.shared.files import csv_writer, tables, vault, xlsx_writer
from console.shared.files.refusal import COLUMNS_AT_MOST
from console.shared.files.xlsx_cells import Amber, Red, Title
from console.shared.jobs import JobState, LostClaim
from console.shared.translation import shown
from devices.models import MarkedWorkbook, Upload, UploadPurpose
from devices.rules.columns import REASON, REASON_MARK
from devices.rules.findings import Finding, place_of, row_ranges
from devices.rules.sheets import LEFT_OUT
from devices.services import uploads

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

AT_ONCE = 5_000
"""Rows of a workbook that is marked while somebody waits: a moment."""
GIVE_UP = timedelta(hours=1)
"""A workbook that kills its workers for so long is not tried any more, until somebody orders it again."""


class NothingToMark(Conflict):
    """The check named no cell, or its words are no longer kept."""

    code = "nothing_to_mark"
    default_message = "There is nothing to mark: no cell of the workbook was named, or it is no longer kept."


class NoRoomForReasons(Conflict):
    """The reasons would stand in a column that nobody reads."""

    code = "no_room_for_reasons"
    default_message = "The workbook uses so many columns that there is no room for the reasons: take the list of the bad cells."


class NotMarkedYet(Conflict):
    """It is not made yet, or not of the last check."""

    code = "not_marked_yet"
    default_message = "The marked workbook is not ready: have it made first."


class JobOver(Conflict):
    code = "job_over"
    default_message = "The marked workbook is made, or was given up: there is nothing to cancel."


class CheckedAgain(Conflict):
    code = "checked_again"
    default_message = "The workbook was checked again meanwhile: have it marked anew."


@dataclass(frozen=True, slots=True)
class Download:
    """`pieces` is the file, read and decrypted as it is sent; `size` in bytes."""

    name: str
    content_type: str
    size: int
    pieces: Iterator[bytes]


@transaction.atomic
def order(upload_id: int, *, language: str, by: Actor, at: datetime) -> MarkedWorkbook:
    """The marked workbook of the last check in this language: the one that is kept or being made, else a queued one.

    Locks the upload. Raises NothingToMark or NoRoomForReasons.
    """
    upload: Upload = Upload.objects.select_for_update(of=("self",)).get(pk=upload_id)
    if not upload.is_over or not upload.has_findings:
        raise NothingToMark
    if upload.report["reason"] >= COLUMNS_AT_MOST:
        raise NoRoomForReasons
    marked: MarkedWorkbook | None = MarkedWorkbook.objects.filter(upload=upload).first()
    queued = {
        "findings": upload.report["findings"],
        "language": language,
        "state": JobState.QUEUED,
        "requested_at": at,
        "requested_by_id": by.user_id,
        "total": upload.total,
    }
    if marked is None:
        return MarkedWorkbook.objects.create(upload=upload, **queued)
    if marked.shows(upload, language, at) and (not marked.is_over or (marked.state == JobState.DONE and vault.exists(marked.path))):
        return marked
    MarkedWorkbook.objects.filter(pk=marked.pk).update(done=0, started_at=None, finished_at=None, failure="", downloads=0, **queued)
    marked.refresh_from_db()
    return marked


def make(marked_id: int, *, clock: Clock) -> None:
    """Makes a marked workbook that is queued or was left by a dead worker; a DomainError ends it as failed."""
    attempt = MarkedWorkbook.objects.claim(marked_id, at=clock())
    if attempt is None:
        return
    marked = MarkedWorkbook.objects.select_related("upload__product").get(pk=marked_id)
    try:
        if marked.started_at is not None and clock() - marked.started_at > GIVE_UP:
            raise Conflict(marked.failure or "The worker died several times while it marked this workbook.")
        _make(marked, attempt, clock)
    except LostClaim:
        log.info("Marked workbook %s went to another worker.", marked_id)
    except DomainError as error:
        log.warning("Marked workbook %s failed: %s", marked_id, error.message)
        with suppress(LostClaim):
            MarkedWorkbook.objects.finish(marked_id, attempt, JobState.FAILED, at=clock(), failure=error.message)


@transaction.atomic
def cancel(marked_id: int, *, reason: str = "", by: Actor, at: datetime) -> MarkedWorkbook:
    """Ends it, or its worker at the next look; the upload stays as it is. Raises JobOver."""
    marked: MarkedWorkbook = MarkedWorkbook.objects.select_related("upload").get(pk=marked_id)
    under_way = MarkedWorkbook.objects.filter(pk=marked_id, state__in=(JobState.QUEUED, JobState.RUNNING))
    if not under_way.update(state=JobState.CANCELLED, finished_at=at):
        raise JobOver
    audit.record("upload.cancel_marking", marked.upload, by=by, at=at, reason=reason)
    return marked


@transaction.atomic
def download(upload: Upload, *, by: Actor, at: datetime) -> Download:
    """One download of a marked workbook that is ready: counted, audited with its SHA-256. Raises NotMarkedYet or VaultMissing."""
    marked = MarkedWorkbook.objects.filter(upload=upload).first()
    if marked is None or not is_ready(marked, upload):
        raise NotMarkedYet
    pieces = vault.read(marked.path, uploads.file_key(upload))
    MarkedWorkbook.objects.filter(pk=marked.pk).update(downloads=F("downloads") + 1)
    facts = {"size": marked.size, "sha256": marked.sha256, "holds_secrets": holds_secrets(upload)}
    audit.record("upload.download_marked", upload, by=by, at=at, after=facts, count=marked.done)
    return Download(_name(upload), _content_type(upload), marked.size, pieces)


def is_ready(marked: MarkedWorkbook, upload: Upload) -> bool:
    """Whether it is made of what the last check found, and still kept."""
    current = bool(upload.path) and marked.findings == upload.report.get("findings")
    return current and marked.state == JobState.DONE


def may_have(user: Any, upload: Upload) -> bool:
    """Whoever may use the workbook; one with secrets goes to the person who sent it, or to somebody who may read DeviceSecrets. An API key
    is not the person who made it."""
    needed = "devices.add_preimporteddevice" if upload.purpose == UploadPurpose.PRE_IMPORT else "devices.add_batch"
    if not user.has_perm(needed):
        return False
    is_sender = upload.received_by_id is not None and upload.received_by_id == user.pk and not hasattr(user, "api_key")
    return is_sender or not holds_secrets(upload) or bool(user.has_perm("devices.reveal_device_secret"))


def holds_secrets(upload: Upload) -> bool:
    """Whether a column of the workbook is one of secrets, or has no title that would say what it is."""
    return bool(upload.report.get("holds_secrets", True))


def _make(marked: MarkedWorkbook, attempt: int, clock: Clock) -> None:
    """Written under a path of this attempt alone. Raises LostClaim, CheckedAgain, UploadGone or FileRefused."""
    upload, old = marked.upload, marked.path
    if not upload.path or upload.report.get("findings") != marked.findings:
        raise CheckedAgain
    path, key = f"{upload.path}/marked-{attempt}", uploads.file_key(upload)

    def beat(done: int) -> None:
        MarkedWorkbook.objects.beat(marked.pk, attempt, at=clock(), done=done)

    with translation.override(marked.language):
        stored = vault.write(path, key, _pieces(upload, key, beat))
    try:
        MarkedWorkbook.objects.finish(
            marked.pk, attempt, JobState.DONE, at=clock(), path=path, size=stored.size, sha256=stored.sha256, done=upload.total
        )
    except LostClaim:
        vault.delete(path)
        raise
    if old and old != path:
        vault.delete(old)
    if not Upload.objects.filter(pk=upload.pk, path=upload.path).exists():  # Discarded or expired meanwhile: leave nothing behind.
        vault.delete_folder(upload.path)


def _pieces(upload: Upload, key: bytes, beat: Callable[[int], None]) -> Iterator[bytes]:
    try:
        table = tables.read(upload.file_name, upload.size, lambda: vault.read(f"{upload.path}/file", key))
    except vault.VaultMissing as error:
        raise uploads.UploadGone from error
    columns = max(upload.report["width"], upload.report["reason"] + 1)
    rows = _rows(upload, table.blocks, columns, beat)
    if tables.is_text(upload.file_name):
        first = [csv_writer.inert(cell) for cell in next(rows)]
        yield from csv_writer.stream(first, rows)
        return
    title = table.title if table.title.casefold() != _("What is wrong").casefold() else "Devices"
    widths = [22] * upload.report["reason"] + [80]
    sheet = xlsx_writer.Sheet(title or "Devices", [""] * columns, rows, widths=widths[:columns], marked=True)
    yield from xlsx_writer.stream(sheet, _summary(upload))


def _rows(upload: Upload, blocks: Iterator[tables.Columns], columns: int, beat: Callable[[int], None]) -> Iterator[Sequence[str]]:
    """The operator's rows at their numbers; each bad one with its cells marked and its reasons."""
    report = upload.report
    found = chain(groupby(uploads.findings(upload), key=lambda finding: finding.number), [(0, iter(()))])
    bad_number, why = next(found)
    first = 1
    for block in blocks:
        rows = _in_full(block, columns, report["reason"])
        following = first + len(rows)
        if first <= report["header"] < following:
            titles = rows[report["header"] - first] = list(rows[report["header"] - first])
            titles[report["reason"]] = Title(REASON)
        while first <= bad_number < following:
            rows[bad_number - first] = _marked(rows[bad_number - first], list(why), report)
            bad_number, why = next(found)
        first = following
        beat(min(first - 1, upload.total))
        yield from rows


def _in_full(block: tables.Columns, columns: int, reason: int) -> list[Sequence[str]]:
    """The rows, so many cells in each; those of the column of reasons are empty."""
    empty = [""] * len(block[0])
    full = [*block[:columns], *[empty] * (columns - len(block))]
    full[reason] = empty
    return list(zip(*full, strict=True))


def _marked(cells: Sequence[str], why: list[Finding], report: dict[str, Any]) -> list[str]:
    row = list(cells)
    for finding in why:
        index = place_of(finding.column, report["places"])
        if index is not None and index < len(row):
            row[index] = (Amber if finding.rule == LEFT_OUT else Red)(row[index])
    reasons = " ".join(f"{shown(finding.column)}: {shown(finding.words)}" for finding in why)
    row[report["reason"]] = f"{REASON_MARK}{reasons}" if report["headless"] else reasons
    return row


def _summary(upload: Upload) -> xlsx_writer.Sheet:
    """The faults by kind, and what the file was."""
    groups = upload.report["groups"]
    header = [_("Rows"), _("Column"), _("What is wrong"), _("Where")]
    faults = [[f"{group['count']}", shown(group["column"]), shown(group["rule"]), row_ranges(group)] for group in groups]
    facts = [
        [],
        [_("Good rows"), str(upload.good_rows)],
        [_("Bad rows"), str(upload.bad_rows)],
        [_("Left out"), str(upload.skipped_rows)],
        [_("File"), upload.file_name],
        [_("SHA-256"), upload.sha256],
    ]
    rows = [[*cells, *[""] * (len(header) - len(cells))] for cells in [*faults, *facts]]
    return xlsx_writer.Sheet(_("What is wrong"), header, rows, widths=[12, 24, 70, 40])


def _content_type(upload: Upload) -> str:
    return "text/csv; charset=utf-8" if tables.is_text(upload.file_name) else xlsx_writer.CONTENT_TYPE


def _name(upload: Upload) -> str:
    stem = PurePath(upload.file_name).stem.removesuffix("-marked")
    return f"{stem}-marked{'.csv' if tables.is_text(upload.file_name) else '.xlsx'}"
