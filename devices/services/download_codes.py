"""Download codes (Q8): one file of one batch for somebody without an account. Made by people, redeemed by whoever holds one.

The code is the credential: 32 characters of an alphabet of 30, some 157 random bits, shown once and stored as a digest. What opens nothing
is one answer, whether it is unknown, expired, revoked, used up, or of a batch that was undone.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from django.db import transaction
from django.db.models import F

from console import audit
from console.crypto import codes
from console.errors import Conflict, DomainError, Invalid, NotFound, Unavailable
from console.shared.actors import Actor
from console.shared.files.vault import VaultMissing
from console.shared.tasks import nudge
from console.words import say
from devices.models import Batch, DownloadCode, FailedRedemption
from devices.services import batch_files
from devices.services.batch_files import Download, FileNotReady
from devices.services.undoing import BatchUndone

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTVWXZ"
"""Without the letters and digits that people take for one another."""

LENGTH, GROUP, BEGINNING = 32, 4, 4
SHORTEST, LONGEST = timedelta(hours=1), timedelta(days=30)
USES_AT_MOST = 100

WINDOW = timedelta(minutes=10)
FAILURES_AT_MOST = 10
"""Of one address within the window. A code cannot be guessed anyway; this keeps guessers off the database."""

KEEP_FAILURES = timedelta(days=1)


class CodeRefused(NotFound):
    """The same for a code that never was and for one that opens nothing any more."""

    code = "download_code_refused"
    default_message = "This download code is not valid: it is mistyped, expired, revoked or used up."


class TooManyAttempts(Unavailable):
    code = "too_many_attempts"
    default_message = "Too many invalid download codes came from your address. Try again in ten minutes."


class BeingPrepared(Unavailable):
    """The code is good and no use of it is taken; the file is made now."""

    code = "file_being_prepared"
    default_message = "The file is being prepared. Try again in a moment: the code stays valid, and no download was counted."


class RevokedAlready(Conflict):
    code = "download_code_revoked"
    default_message = "The download code is revoked already."


@dataclass(frozen=True, slots=True)
class NewCode:
    """For one `format` of the batch, valid for `lasts`, good for `uses` downloads; `note`: for whom."""

    format: str
    note: str
    lasts: timedelta = timedelta(days=1)
    uses: int = 1


@dataclass(frozen=True, slots=True, repr=False)
class MadeCode:
    """`text` is shown once and kept nowhere."""

    row: DownloadCode
    text: str


@transaction.atomic
def make(batch_id: int, new: NewCode, *, by: Actor, at: datetime) -> MadeCode:
    """Raises Invalid, or what batch_files.check raises. Locks the batch."""
    note = new.note.strip()
    if not 1 <= len(note) <= 200:
        raise Invalid("Say for whom the download code is, in at most 200 characters.", field="note")
    if not SHORTEST <= new.lasts <= LONGEST:
        raise Invalid("A download code is valid for one hour at least and 30 days at most.", field="lasts")
    if not 1 <= new.uses <= USES_AT_MOST:
        raise Invalid(say("A download code allows 1 to {most} downloads.", most=USES_AT_MOST), field="uses")
    batch: Batch = Batch.objects.select_for_update(of=("self",)).select_related("product").get(pk=batch_id)
    batch_files.check(batch, new.format)
    text = codes.text(LENGTH, ALPHABET)
    row = DownloadCode(
        batch=batch,
        format=new.format,
        digest=_digest(text),
        beginning=text[:BEGINNING],
        note=note,
        made_at=at,
        made_by_id=by.user_id,
        expires_at=at + new.lasts,
        uses_allowed=new.uses,
    )
    row.save(force_insert=True)
    facts = {"batch": batch.number, "format": row.format, "note": note, "uses": new.uses, "expires_at": row.expires_at.isoformat()}
    audit.record("download_code.make", row, by=by, at=at, after=facts)
    return MadeCode(row, "-".join(text[start : start + GROUP] for start in range(0, LENGTH, GROUP)))


@transaction.atomic
def revoke(code_id: int, *, reason: str, by: Actor, at: datetime) -> None:
    """From now on it opens nothing. Raises Invalid (no reason) or RevokedAlready."""
    if not reason.strip():
        raise Invalid("Say why the download code is revoked.", field="reason")
    row = DownloadCode.objects.get(pk=code_id)
    if not DownloadCode.objects.filter(pk=code_id, revoked_at=None).update(revoked_at=at, revoke_reason=reason.strip()[:200]):
        raise RevokedAlready
    audit.record("download_code.revoke", row, by=by, at=at, before={"uses": row.uses}, reason=reason)


def redeem(code: str, *, address: str, at: datetime) -> Download:
    """The file, one use of the code taken and audited. Raises CodeRefused, TooManyAttempts, or BeingPrepared, which takes no use and has
    the file made."""
    place = _network(address)
    if FailedRedemption.objects.filter(address=place).recent(at, WINDOW)[:FAILURES_AT_MOST].count() >= FAILURES_AT_MOST:
        raise TooManyAttempts
    row = DownloadCode.objects.live(at).select_related("batch__product").filter(digest=_digest(_plain(code))).first()
    if row is None:
        FailedRedemption(address=place, at=at).save(force_insert=True)
        raise CodeRefused
    by = Actor(f"{row.number} {row.note}"[:150], None, address)
    for prepared in (False, True):
        try:
            return _take(row, by=by, at=at)
        except BatchUndone as error:
            raise CodeRefused from error
        except (FileNotReady, VaultMissing):
            if not prepared:
                _prepare(row, by=by, at=at)
    raise BeingPrepared


def forget_failures(*, at: datetime) -> None:
    FailedRedemption.objects.filter(at__lt=at - KEEP_FAILURES).delete()


@transaction.atomic
def _take(row: DownloadCode, *, by: Actor, at: datetime) -> Download:
    """One use, counted by a conditional update. Locks the batch, then the code. Raises CodeRefused or what hand_out raises."""
    Batch.objects.select_for_update(of=("self",)).get(pk=row.batch_id)
    taken = DownloadCode.objects.live(at).filter(pk=row.pk).update(uses=F("uses") + 1, last_used_at=at, last_used_address=by.address)
    if not taken:
        raise CodeRefused
    file = batch_files.hand_out(row.batch_id, row.format, by=by, at=at)
    row.refresh_from_db(fields=["uses"])
    facts = {"batch": row.batch.number, "format": row.format, "rows": file.rows, "sha256": file.sha256, "uses_left": row.uses_left}
    audit.record("download_code.redeem", row, by=by, at=at, after=facts, count=file.rows)
    return file


def _prepare(row: DownloadCode, *, by: Actor, at: datetime) -> None:
    """Has the file made, a small one at once. Raises BeingPrepared for a large one, and CodeRefused where there is nothing to make."""
    try:
        file = batch_files.order(row.batch_id, row.format, by=by, at=at)
    except DomainError as error:
        raise CodeRefused from error
    if row.batch.made > batch_files.AT_ONCE:
        nudge("devices.pack_batch", file.pk)
        raise BeingPrepared
    batch_files.pack(file.pk, clock=lambda: at)


def _plain(code: str) -> str:
    """As it was drawn, however it was typed."""
    return re.sub(r"[^0-9A-Z]", "", code.upper())[: LENGTH + 1]


def _digest(text: str) -> str:
    """Nothing slower is needed for so many random bits."""
    return hashlib.sha256(text.encode()).hexdigest()


def _network(address: str) -> str:
    """Whose attempts are counted together: an address, of IPv6 the network that one customer has."""
    if not address:
        return ""
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network(f"{address}/64", strict=False))
    return address
