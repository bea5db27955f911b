"""Uploaded workbooks: receive, look at what the check found, discard, purge. The check is upload_check's, the import upload_commit's."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice
from pathlib import PurePath
from typing import Any

import orjson
from django.db import transaction
from django.db.models import QuerySet

from console import audit
from console.errors import Conflict
from console.shared import keyring
from console.shared.actors import Actor
from console.shared.files import tables, vault
from console.shared.files.refusal import SIZE_AT_MOST
from console.shared.jobs import JobState
from devices.models import Authentication, Batch, Duplicates, Upload, UploadPurpose, UploadStage
from devices.rules.findings import Finding
from devices.services.pre_import import check_authentication
from products.models import Product

FOLDER = "uploads"
KEEP = timedelta(days=3)
LEFT_BEHIND = timedelta(days=1)
"""Nobody sends a file for so long."""
SMALL = 200 * 1024
"""Bytes of a file that is checked while its sender waits: some 2,000 rows."""


class UploadGone(Conflict):
    """The workbook was discarded, imported, or has expired."""

    code = "upload_gone"
    default_message = "The workbook is no longer kept: upload it again."


class UploadRunning(Conflict):
    code = "upload_running"
    default_message = "The workbook is being worked on."


class UploadImported(Conflict):
    """Its good rows are in the pre-import list; the file is kept for the sake of the others."""

    code = "upload_imported"
    default_message = "The workbook was imported: upload it again to check it again."


@dataclass(frozen=True, slots=True)
class NewUpload:
    """A file as it came: `size` in bytes; `chunks` are gone through once."""

    file_name: str
    size: int
    chunks: Iterable[bytes]
    purpose: str = UploadPurpose.PRE_IMPORT
    authentication: str = Authentication.DYNAMIC
    duplicates: str = Duplicates.STOP


def receive(product: Product, new: NewUpload, *, by: Actor, at: datetime) -> Upload:
    """Stores the file encrypted and queues its check. Raises FileRefused, StaticNotAllowed or TooLarge."""
    tables.check_name_and_size(new.file_name, new.size)
    check_authentication(product, new.authentication, "")
    key = vault.new_key()
    upload = Upload(
        product=product,
        purpose=new.purpose,
        authentication=new.authentication,
        duplicates=new.duplicates,
        file_name=PurePath(new.file_name).name[-200:],
        token=secrets.token_hex(16),
        requested_at=at,
        requested_by_id=by.user_id,
        received_at=at,
        received_by_id=by.user_id,
        expires_at=at + KEEP,
    )
    upload.sealed_key = keyring.current().seal(key, upload.key_owner())
    upload.path = f"{FOLDER}/{upload.token}"
    stored = vault.write(f"{upload.path}/file", key, new.chunks, limit=SIZE_AT_MOST)
    upload.size, upload.sha256 = stored.size, stored.sha256
    with transaction.atomic():
        upload.save(force_insert=True)
        facts = {"product": product.key, "purpose": new.purpose, "size": stored.size, "sha256": stored.sha256}
        audit.record("upload.receive", upload, by=by, at=at, after=facts)
    return upload


@transaction.atomic
def discard(upload_id: int, *, by: Actor, at: datetime) -> Upload:
    """One that waits ends now and its file goes; one that is worked on ends at its next look. Raises UploadGone or
    UploadImported."""
    upload = Upload.objects.select_for_update(of=("self",)).get(pk=upload_id)
    if not upload.path:
        raise UploadGone
    if is_imported(upload):
        raise UploadImported
    _refuse_while_produced(upload)
    audit.record("upload.discard", upload, by=by, at=at, before={"stage": upload.stage, "state": upload.state})
    if upload.state == JobState.RUNNING:
        Upload.objects.filter(pk=upload.pk).update(cancel_requested=True)
    else:
        Upload.objects.filter(pk=upload.pk).update(state=JobState.CANCELLED, finished_at=at, path="")
        transaction.on_commit(lambda: vault.delete_folder(upload.path))
    return Upload.objects.get(pk=upload.pk)


@transaction.atomic
def check_again(upload_id: int, *, duplicates: str = "", by: Actor, at: datetime) -> Upload:
    """The same file against the list as it is now, with `duplicates` skipped or stopped at from now on; empty: as before.

    Raises UploadGone, UploadRunning or UploadImported.
    """
    upload = Upload.objects.select_for_update(of=("self",)).get(pk=upload_id)
    if not upload.path:
        raise UploadGone
    if not upload.is_over:
        raise UploadRunning
    if is_imported(upload):
        raise UploadImported
    _refuse_while_produced(upload)
    duplicates = Duplicates(duplicates or upload.duplicates)
    facts = {"report": upload.report | {"attempts_before": upload.attempt}, "duplicates": duplicates}
    queue(upload, UploadStage.CHECK, by=by, at=at, **facts)
    audit.record("upload.check_again", upload, by=by, at=at, after={"duplicates": duplicates})
    return Upload.objects.get(pk=upload.pk)


def queue(upload: Upload, stage: str, *, by: Actor, at: datetime, **facts: Any) -> None:
    """Makes the row a waiting job of this stage, within the caller's transaction."""
    Upload.objects.filter(pk=upload.pk).update(
        stage=stage,
        state=JobState.QUEUED,
        requested_at=at,
        requested_by_id=by.user_id,
        started_at=None,
        finished_at=None,
        done=0,
        failure="",
        cancel_requested=False,
        **facts,
    )


def purge(*, at: datetime) -> int:
    """Deletes the files of workbooks that were kept long enough, and returns how many there were. With them go folders that no row names:
    of a process that died before it stored the row, or between a row's end and the deletion."""
    gone = 0
    for upload in Upload.objects.filter(expires_at__lt=at).exclude(path=""):
        expired = Upload.objects.filter(pk=upload.pk, expires_at__lt=at).exclude(state=JobState.RUNNING)
        if expired.update(path=""):
            Upload.objects.filter(pk=upload.pk, state=JobState.QUEUED).update(state=JobState.CANCELLED, finished_at=at)
            vault.delete_folder(upload.path)
            gone += 1
    if left := vault.old_folders(FOLDER, before=at - LEFT_BEHIND):
        named = set(Upload.objects.exclude(path="").values_list("path", flat=True))
        for path in left:
            if path not in named:
                vault.delete_folder(path)
    return gone


def is_imported(upload: Upload) -> bool:
    return upload.stage == UploadStage.COMMIT and upload.state == JobState.DONE


def imports_of_the_same(upload: Upload, among: QuerySet[Upload]) -> Upload | None:
    """The last other upload of the very same bytes that was imported."""
    same = among.filter(sha256=upload.sha256, stage=UploadStage.COMMIT, state=JobState.DONE).exclude(pk=upload.pk)
    return same.select_related("product", "requested_by").order_by("-finished_at").first()


def checked_names(upload: Upload, *, skip: int = 0) -> Iterator[str]:
    """The DeviceNames of a checked workbook in their order, from number `skip` on (the first is 0). Raises UploadGone or VaultBroken."""
    return islice(chain.from_iterable(block[1] for block in checked_blocks(upload)), skip, None)


def checked_blocks(upload: Upload, *, witness: vault.Witness | None = None) -> Iterator[list[Sequence[Any]]]:
    """The good rows, thousands at a time, column by column in the order of GoodRow. Raises UploadGone or VaultBroken."""
    return map(_rows_of, _lines(upload, "rows", witness=witness))


def rows_line(columns: Sequence[list[Any]]) -> bytes:
    """Some good rows as they are kept in the vault: a line of JSON, where a column that says the same of all of them is that one value."""
    if not columns[0]:
        return b""
    short = [column[0] if column.count(column[0]) == len(column) else column for column in columns[1:]]
    return orjson.dumps([columns[0], *short], option=orjson.OPT_APPEND_NEWLINE)


def _rows_of(line: bytes) -> list[Sequence[Any]]:
    """Also of a line that is one row, as checks of older releases left it."""
    numbers, *columns = orjson.loads(line)
    if isinstance(numbers, int):
        return [[value] for value in (numbers, *columns)]
    return [numbers, *(column if isinstance(column, list) else [column] * len(numbers) for column in columns)]


def findings(upload: Upload, *, group: int | None = None, skip: int = 0, count: int | None = None) -> Iterator[Finding]:
    """What the check found, in the order of the sheet: every cell that breaks a rule, and the names that are left out; of one group of the
    report, if one is named. Raises UploadGone."""
    if group is None:
        lines = islice(_lines(upload, "findings", skip), count)
    else:
        beginning = b"[%d," % group
        of_group = (line for line in _lines(upload, "findings") if line.startswith(beginning))
        lines = islice(of_group, skip, None if count is None else skip + count)
    return (Finding(*orjson.loads(line)) for line in lines)


def product_of(upload: Upload) -> Product:
    """Raises UploadGone for a workbook whose product nobody knows."""
    if upload.product is None:
        raise UploadGone
    return upload.product


def file_key(upload: Upload) -> bytes:
    return keyring.current().open(upload.sealed_key, upload.key_owner())


def _refuse_while_produced(upload: Upload) -> None:
    """Raises UploadRunning while a batch takes its DeviceNames from the workbook."""
    if Batch.objects.filter(upload=upload, state__in=(JobState.QUEUED, JobState.RUNNING)).exists():
        raise UploadRunning


def _lines(upload: Upload, kind: str, skip: int = 0, witness: vault.Witness | None = None) -> Iterator[bytes]:
    name = upload.report.get(kind)
    if not upload.path or not name:
        raise UploadGone
    try:
        yield from vault.read_lines(f"{upload.path}/{name}", file_key(upload), skip=skip, witness=witness)
    except vault.VaultMissing as error:
        raise UploadGone from error
