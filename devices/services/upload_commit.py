"""The import of a checked workbook: all of its good rows or nothing, bound to the bytes that the check stored."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, repeat
from typing import Any

from django.db import IntegrityError, connection, transaction

from console import audit
from console.errors import Conflict, DomainError
from console.shared import keyring
from console.shared.actors import Actor
from console.shared.files import vault
from console.shared.jobs import JobState, LostClaim
from console.words import say
from devices.models import Authentication, PreImportedDevice, Upload, UploadPurpose, UploadStage
from devices.models.pre_import import device_secret_owners
from devices.querysets import PreImportRow
from devices.rules.sheets import GoodRow
from devices.services import numbering, uploads
from devices.services.pre_import import StaticNotAllowed
from devices.services.upload_check import ATTEMPTS, Work
from products.models import Product
from products.rules.wire_formats import system_random, wire_format
from products.services import supply

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

_KINDS = GoodRow._fields.index("authentication")


class NotCheckedSo(Conflict):
    """Only the rows that a check found good are imported, and bad ones stay out only where somebody said so."""

    code = "not_checked_so"
    default_message = "This workbook cannot be imported so: what the check found is not what was asked for. Look at it again."


class ChangedSinceCheck(Conflict):
    """The rows in the vault are not the bytes that the check stored there."""

    code = "changed_since_check"
    default_message = "The stored rows are not those that were checked. Nothing was imported: check the workbook again."


class TakenMeanwhile(Conflict):
    """Somebody added a name or SN of the workbook after its check."""

    code = "taken_meanwhile"


@transaction.atomic
def request(upload_id: int, *, sha256: str, leave_out: int = 0, by: Actor, at: datetime) -> Upload:
    """Queues the import of the good rows that `sha256` names (Upload.checked_sha256); exactly `leave_out` bad rows stay out.

    Raises NotCheckedSo, UploadGone or QuotaExceeded. The quota is taken when the rows are stored.
    """
    upload = Upload.objects.select_for_update(of=("self",)).select_related("product").get(pk=upload_id)
    if not upload.path or upload.expires_at <= at:
        raise uploads.UploadGone
    checked = upload.stage == UploadStage.CHECK and upload.state == JobState.DONE and upload.purpose == UploadPurpose.PRE_IMPORT
    if not checked or upload.bad_rows != leave_out or not upload.good_rows or upload.checked_sha256 != sha256:
        raise NotCheckedSo
    _check_room(uploads.product_of(upload), upload.good_rows)
    report = upload.report | {"by": {"name": by.name, "address": by.address}, "attempts_before": upload.attempt}
    uploads.queue(upload, UploadStage.COMMIT, by=by, at=at, report=report, expires_at=at + uploads.KEEP)
    return Upload.objects.get(pk=upload.pk)


def commit(upload_id: int, *, clock: Clock) -> None:
    """Imports a workbook that waits for it or was left by a dead worker, unless another worker does."""
    attempt = Upload.objects.filter(stage=UploadStage.COMMIT).claim(upload_id, at=clock())
    if attempt is None:
        return
    upload = Upload.objects.select_related("product", "requested_by").get(pk=upload_id)
    work = Work(upload, attempt, clock)
    try:
        if attempt > ATTEMPTS + upload.report.get("attempts_before", 0):
            raise Conflict(upload.failure or "The worker died several times while it imported this workbook.")
        work.beat(done=0, total=upload.good_rows)
        _store(work)
    except LostClaim:
        log.info("Upload %s went to another worker.", upload_id)
    except DomainError as error:
        work.fail(error)


def _prepared(work: Work) -> Iterator[list[PreImportRow]]:
    """All rows with their secrets issued and sealed, a block at a time.

    Raises UploadGone, VaultBroken, StaticNotAllowed, or ChangedSinceCheck when all are given.
    """
    product, at, witness = uploads.product_of(work.upload), work.clock(), vault.Witness()
    for columns in uploads.checked_blocks(work.upload, witness=witness):
        if not product.allows_static and Authentication.STATIC in columns[_KINDS]:
            raise StaticNotAllowed
        yield _sealed(product, columns, at)
    if witness.sha256 != work.upload.checked_sha256:
        raise ChangedSinceCheck


def _sealed(product: Product, columns: Sequence[Sequence[str]], at: datetime) -> list[PreImportRow]:
    """Every row with its given secret or a new one (A3)."""
    _numbers, names, nicknames, sns, kinds, given, fingerprints = columns
    issued = iter(wire_format(product.wire_protocol).make_device_secrets(given.count(""), system_random))
    secrets = [secret or next(issued) for secret in given]
    sealed = keyring.seal_many(list(zip(secrets, device_secret_owners(product.pk, names), strict=True)))
    facts = names, nicknames, [sn or None for sn in sns], kinds, sealed, fingerprints
    return list(map(PreImportRow, repeat(product.pk), *facts, repeat(None), repeat(at)))


def _in_time(work: Work, sns: list[str]) -> Iterable[PreImportRow]:
    """The rows, prepared while the database stores those before them; where it has one writer, before that is kept busy. Adds to `sns`."""
    blocks = _seen(_prepared(work), sns)
    if connection.vendor == "postgresql":
        return chain.from_iterable(blocks)
    rows: list[PreImportRow] = []
    for block in blocks:
        rows += block
        work.beat(done=len(rows))
    return rows


def _seen(blocks: Iterator[list[PreImportRow]], sns: list[str]) -> Iterator[list[PreImportRow]]:
    for block in blocks:
        sns += [row.sn for row in block if row.sn]
        yield block


def _store(work: Work) -> None:
    """One transaction: proof of the claim, all rows, the quota (its lock last, so shortest), the audit line, the end.

    Raises TakenMeanwhile, QuotaExceeded, Cancelled, LostClaim, or what `_prepared` or `numbering.follow` raise, and then nothing has
    happened.
    """
    upload, sns = work.upload, list[str]()
    rows = _in_time(work, sns)
    try:
        with transaction.atomic():
            work.beat()
            stored = PreImportedDevice.objects.store(rows)
            numbering.follow(sns, by=_asked_by(upload), at=work.clock())
            supply.take(uploads.product_of(upload).pk, devices=stored)
            _record(upload, stored, at=work.clock())
            _end(work, stored)
    except IntegrityError as error:
        raise _who_took_them(upload, error) from error


def _end(work: Work, stored: int) -> None:
    """With the last row of a workbook its file goes. Where bad rows stay out it is kept, so that they can be had with their reasons."""
    upload = work.upload
    if upload.bad_rows:
        work.finish(JobState.DONE, done=stored)
        return
    work.finish(JobState.DONE, done=stored, path="")
    transaction.on_commit(lambda: vault.delete_folder(upload.path))


def _record(upload: Upload, count: int, *, at: datetime) -> None:
    facts = {
        "product": uploads.product_of(upload).key,
        "file": upload.file_name,
        "sha256": upload.sha256,
        "rows_sha256": upload.checked_sha256,
        "bad_rows_left_out": upload.bad_rows,
        "duplicates_skipped": upload.skipped_rows,
    }
    audit.record("pre_import.import", upload, by=_asked_by(upload), at=at, after=facts, count=count)


def _asked_by(upload: Upload) -> Actor:
    told: dict[str, Any] = upload.report.get("by", {})
    return Actor(told.get("name", "system"), upload.requested_by_id, told.get("address", ""))


def _who_took_them(upload: Upload, error: IntegrityError) -> DomainError:
    """Named, so that the operator knows what came between."""
    found: list[str] = []
    for _numbers, names, _nicknames, sns, *_facts in uploads.checked_blocks(upload):
        mine = PreImportedDevice.objects.of(uploads.product_of(upload)).filter(device_name__in=names)
        found += mine.values_list("device_name", flat=True)
        found += [row.sn or "" for row in PreImportedDevice.objects.filter(sn__in=[sn for sn in sns if sn]).only("sn")]
    if not found:
        log.error("Upload %s broke a constraint: %s", upload.pk, error)
        return Conflict("The rows could not be stored. Nothing was imported: check the workbook again.")
    words = "The pre-import list has got {count:,} of these rows since the check, {some} among them. Nothing was imported: check it again."
    return TakenMeanwhile(say(words, count=len(found), some=", ".join(found[:5])))


def _check_room(product: Product, rows: int) -> None:
    """Raises QuotaExceeded. Said early, and decided by the quota itself when the rows are stored."""
    if product.devices_left < rows:
        words = "The product's quota has room for {left:,} more devices; the workbook has {rows:,}."
        raise supply.QuotaExceeded(say(words, left=product.devices_left, rows=rows))
