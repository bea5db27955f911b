"""The revocation lists of CAs on file: uploaded, or fetched on a schedule. Complete lists alone; delta lists are refused by name.

A list is taken when the CA signed it and its number, and its date, do not go back: an old one, played back, would set certificates free.
What it names is stored number by number, so that a connection asks for its own by index.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, TypeVar

from cryptography import x509
from django.db import transaction

from console import audit
from console.crypto.certificates import revocation_lists as lists
from console.crypto.certificates.revocation_lists import BadList
from console.errors import Conflict, DomainError, Invalid
from console.shared import fetching
from console.shared.actors import SYSTEM, Actor
from console.shared.tasks import nudge
from console.words import say
from products.models import CertificateAuthority, RevocationList, RevocationSource, RevokedSerial
from products.services import revocation_news
from products.services.revocation_facts import serial_text

FETCH_TASK: Final = "products.fetch_revocation_list"
LIMITS: Final = fetching.Limits(connect=5.0, whole=60.0, most=lists.LARGEST)
RETRY: Final = timedelta(minutes=15)
"""After a fetch that failed, if the interval is not shorter anyway."""
MINUTES: Final = range(5, 44_641)
T = TypeVar("T")
ROWS: Final = 2_000
LONGEST_ETAG: Final = 200


class OlderList(Conflict):
    """A newer one of the same CA was taken before."""

    code = "older_revocation_list"


@transaction.atomic
def set_source(authority_id: int, *, url: str, interval_minutes: int = 60, by: Actor, at: datetime) -> RevocationList:
    """Where the CA's list is fetched, and how often; an empty URL for one that is uploaded. Fetched at once. Raises Invalid."""
    authority = CertificateAuthority.objects.select_for_update(no_key=True).get(pk=authority_id)
    if interval_minutes not in MINUTES:
        words = say("A list is fetched every {least} to {most:,} minutes.", least=MINUTES[0], most=MINUTES[-1])
        raise Invalid(words, field="interval_minutes")
    url = fetching.check_url(url, "url") if url.strip() else ""
    row, made = RevocationList.objects.get_or_create(authority=authority)
    before = {} if made else _source(row)
    row.url, row.interval_minutes, row.next_fetch_at = url, interval_minutes, at if url else None
    row.etag = row.error = ""
    row.save(update_fields=["url", "interval_minutes", "next_fetch_at", "etag", "error"])
    audit.record("revocation_list.set_source", authority, by=by, at=at, before=before, after=_source(row))
    if url:
        nudge_fetch(row)
    return row


@transaction.atomic
def upload(authority_id: int, data: bytes, *, by: Actor, at: datetime) -> RevocationList:
    """PEM or DER. Raises BadList, OlderList."""
    RevocationList.objects.get_or_create(authority=CertificateAuthority.objects.get(pk=authority_id))
    row = _take(authority_id, data, "", at)
    audit.record("revocation_list.upload", row.authority, by=by, at=at, after=_facts(row))
    return row


@transaction.atomic
def remove(authority_id: int, *, reason: str = "", by: Actor, at: datetime) -> None:
    """The CA has no list any more: what was revoked by it is revoked no more."""
    row = RevocationList.objects.select_for_update().get(pk=authority_id)
    audit.record("revocation_list.remove", row.authority, by=by, at=at, before=_source(row) | _facts(row), reason=reason)
    RevokedSerial.objects.filter(authority_id=authority_id, source=RevocationSource.LIST).delete()
    row.delete()


@transaction.atomic
def fetch_soon(authority_id: int, *, at: datetime) -> None:
    """At the next opportunity. Raises Conflict where there is no URL."""
    if not RevocationList.objects.filter(pk=authority_id).exclude(url="").update(next_fetch_at=at):
        raise Conflict("The list has no URL: upload it.")
    nudge_fetch(RevocationList(authority_id=authority_id))


def due(at: datetime) -> list[int]:
    """Whose time has come."""
    return list(RevocationList.objects.filter(next_fetch_at__lte=at).order_by("next_fetch_at").values_list("pk", flat=True)[:100])


def nudge_fetch(row: RevocationList) -> None:
    nudge(FETCH_TASK, row.pk)


def fetch(authority_id: int, *, clock: Callable[[], datetime]) -> bool:
    """Claims, fetches outside any transaction, stores. True where this call fetched. Raises nothing that is expected: the row has the
    error. An unchanged list (304) is only noted."""
    at = clock()
    row = RevocationList.objects.filter(pk=authority_id, next_fetch_at__lte=at).first()
    if row is None:
        return False
    retry = at + min(RETRY, timedelta(minutes=row.interval_minutes))
    if not RevocationList.objects.filter(pk=authority_id, next_fetch_at=row.next_fetch_at).update(next_fetch_at=retry):
        return False
    try:
        answer = fetching.fetch(row.url, headers={"If-None-Match": row.etag} if row.etag else {}, limits=LIMITS)
        if answer.status not in (200, 304):
            raise fetching.NotFetched(say("The server answered with status {status}.", status=answer.status))
        if answer.status == 200:
            _store(row, answer.body, answer.headers.get("etag", ""), clock())
    except DomainError as error:
        RevocationList.objects.filter(pk=authority_id, url=row.url).update(error=error.message, checked_at=clock())
        return True
    following = clock() + timedelta(minutes=row.interval_minutes)
    RevocationList.objects.filter(pk=authority_id, url=row.url).update(error="", checked_at=clock(), next_fetch_at=following)
    return True


def _store(row: RevocationList, body: bytes, etag: str, at: datetime) -> None:
    """The same bytes again are nothing new. A new list is an audit line of the system."""
    if hashlib.sha256(body).hexdigest() == row.sha256:
        return
    with transaction.atomic():
        taken = _take(row.pk, body, etag[:LONGEST_ETAG], at)
        audit.record("revocation_list.fetch", taken.authority, by=SYSTEM, at=at, after=_facts(taken))


def _take(authority_id: int, data: bytes, etag: str, at: datetime) -> RevocationList:
    """Locks the row: two lists at once are taken one after the other. Raises BadList, OlderList."""
    row = RevocationList.objects.select_for_update(of=("self",)).select_related("authority").get(pk=authority_id)
    found = lists.read(data, authority=x509.load_der_x509_certificate(bytes(row.authority.certificate)), at=at)
    _refuse_older(row, found)
    added = _replace(row.authority, found)
    row.number = str(found.number) if found.number >= 0 else ""
    row.this_update, row.next_update, row.entries = found.this_update, found.next_update, len(found)
    row.sha256, row.etag, row.taken_at, row.checked_at, row.error = hashlib.sha256(data).hexdigest(), etag, at, at, ""
    row.save(update_fields=["number", "this_update", "next_update", "entries", "sha256", "etag", "taken_at", "checked_at", "error"])
    if added:
        revocation_news.spread([authority_id])
    return row


def _refuse_older(row: RevocationList, found: lists.RevocationList) -> None:
    if row.number and found.number < 0:
        raise OlderList(say("The list has no number, and number {known} was taken before.", known=row.number), field="file")
    if row.number and found.number < int(row.number):
        words = say("The list has number {number}; number {known} was taken before.", number=found.number, known=row.number)
        raise OlderList(words, field="file")
    if row.this_update and found.this_update < row.this_update:
        words = say("The list is of {at:%Y-%m-%d %H:%M} UTC; a later one was taken before.", at=found.this_update)
        raise OlderList(words, field="file")


def _replace(authority: CertificateAuthority, found: lists.RevocationList) -> int:
    """What is new is added, what is not named any more goes; of a list of half a million, mostly neither. Returns how many were added."""
    added = 0
    mine = RevokedSerial.objects.filter(authority=authority, source=RevocationSource.LIST)
    gone = dict(mine.values_list("serial", "pk"))
    for entries in _blocks(_new(found, gone)):
        rows = [
            RevokedSerial(
                authority=authority,
                issuer_spki=authority.spki_sha256,
                serial=text,
                source=RevocationSource.LIST,
                revoked_at=entry.revoked_at,
                reason=entry.reason,
            )
            for text, entry in entries
        ]
        RevokedSerial.objects.bulk_create(rows, ignore_conflicts=True)
        added += len(rows)
    for keys in _blocks(gone.values()):
        RevokedSerial.objects.filter(pk__in=keys).delete()
    return added


def _new(found: lists.RevocationList, gone: dict[str, int]) -> Iterator[tuple[str, lists.Entry]]:
    """Entries that are not stored; those that are, are taken out of `gone`. Raises BadList."""
    for entry in found.entries():
        text = serial_text(entry.serial)
        if entry.serial <= 0 or len(text) > 40:
            raise BadList("An entry of the list has a serial number that no certificate can have.", field="file", facts={"fault": "entry"})
        if gone.pop(text, None) is None:
            yield text, entry


def _blocks(rows: Iterable[T]) -> Iterator[list[T]]:
    left = iter(rows)
    while block := list(islice(left, ROWS)):
        yield block


def _source(row: RevocationList) -> dict[str, object]:
    return {"url": row.url, "interval_minutes": row.interval_minutes}


def _facts(row: RevocationList) -> dict[str, object]:
    made = row.this_update.isoformat() if row.this_update else ""
    return {"number": row.number, "made": made, "entries": row.entries, "sha256": row.sha256}
