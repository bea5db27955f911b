"""What is on file about the certificates of one connection: which are revoked, and how old the lists are that say so.

Every connection by certificate passes here. Nearly always nothing is revoked, so two statements that are prepared once say that much; what
a list says of itself is kept by its hash.
"""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Final

from django.db import DEFAULT_DB_ALIAS

from console.shared.statements import Statement
from products.models import CertificateAuthority, IssuingCA, IssuingKind, RevocationList, RevocationSource, RevokedSerial

Key = tuple[str, int]
"""SHA-256 of the issuer's SubjectPublicKeyInfo in lower-case hex, and the serial number."""
ASKED_TOGETHER: Final = 16
KEPT_AT_MOST: Final = 1024

_lock = threading.Lock()
_dates: dict[tuple[int, str], "ListOnFile"] = {}


@dataclass(frozen=True, slots=True)
class Revoked:
    """`on_list`: by the CA's revocation list; else by an operator here."""

    at: datetime
    on_list: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ListOnFile:
    """`this_update` None: the list was never obtained."""

    this_update: datetime | None
    next_update: datetime | None


@dataclass(frozen=True, slots=True)
class OnFile:
    """What is on file about the certificates of one connection. `lists`: by the issuer's spki_sha256, of those CAs that have one."""

    revoked: Mapping[Key, Revoked] = field(default_factory=dict)
    lists: Mapping[str, ListOnFile] = field(default_factory=dict)


_LIST = Statement(
    f"""
SELECT l.authority_id, l.sha256, EXISTS (SELECT 1 FROM {IssuingCA._meta.db_table} i
       JOIN {CertificateAuthority._meta.db_table} o ON o.id = i.authority_id WHERE o.spki_sha256 = a.spki_sha256 AND i.kind = %s)
FROM {CertificateAuthority._meta.db_table} a LEFT JOIN {RevocationList._meta.db_table} l ON l.authority_id = a.id
WHERE a.spki_sha256 = %s
ORDER BY l.authority_id IS NULL, l.this_update IS NULL, l.this_update DESC LIMIT 1"""  # noqa: S608  (table names of ours)
)
"""Of the certificates of one key (a CA that was renewed) the one with the newest list."""


def on_file(keys: Collection[Key], *, at: datetime) -> OnFile:
    """By index. A CA whose key is in the console needs no list: what it revokes is known here at once, so its list counts as made now."""
    revoked = _revoked(keys) if _is_any_revoked(keys) else {}
    found = {spki: _list_of(spki, at) for spki in {spki for spki, _serial in keys}}
    return OnFile(revoked, {spki: one for spki, one in found.items() if one is not None})


def serial_text(serial: int) -> str:
    """Upper-case hex digits of an even number."""
    digits = f"{serial:X}"
    return digits if len(digits) % 2 == 0 else f"0{digits}"


def _is_any_revoked(keys: Collection[Key]) -> bool:
    if not 0 < len(keys) <= ASKED_TOGETHER:
        return bool(keys)
    values = [value for spki, serial in keys for value in (spki, serial_text(serial))]
    return _any_of(len(keys)).first(DEFAULT_DB_ALIAS, values) is not None


@cache
def _any_of(count: int) -> Statement:
    pairs = " OR ".join(["issuer_spki = %s AND serial = %s"] * count)
    return Statement(f"SELECT 1 FROM {RevokedSerial._meta.db_table} WHERE {pairs} LIMIT 1")  # noqa: S608  (a table name of ours)


def _revoked(keys: Collection[Key]) -> dict[Key, Revoked]:
    """The earliest of each."""
    wanted = {(spki, serial_text(serial)): (spki, serial) for spki, serial in keys}
    rows = RevokedSerial.objects.filter(issuer_spki__in={spki for spki, _ in wanted}, serial__in={serial for _, serial in wanted})
    revoked: dict[Key, Revoked] = {}
    for row in rows.order_by("revoked_at"):
        if key := wanted.get((row.issuer_spki, row.serial)):
            revoked.setdefault(key, Revoked(row.revoked_at, row.source == RevocationSource.LIST, row.reason))
    return revoked


def _list_of(spki: str, at: datetime) -> ListOnFile | None:
    found = _LIST.first(DEFAULT_DB_ALIAS, (IssuingKind.OWN.value, spki))
    if found is None:
        return None
    authority_id, sha256, is_own = found
    if authority_id is None:
        return ListOnFile(at, None) if is_own else None
    return _dates_of(authority_id, sha256) if sha256 else ListOnFile(None, None)


def _dates_of(authority_id: int, sha256: str) -> ListOnFile:
    """Its own dates, which are the same for the same list."""
    kept = _dates.get((authority_id, sha256))
    if kept is None:
        row = RevocationList.objects.filter(pk=authority_id, sha256=sha256).first()
        if row is None:  # A newer one has come meanwhile.
            newer = RevocationList.objects.filter(pk=authority_id).first()
            return ListOnFile(newer.this_update, newer.next_update) if newer else ListOnFile(None, None)
        kept = ListOnFile(row.this_update, row.next_update)
        with _lock:
            if len(_dates) >= KEPT_AT_MOST:
                _dates.clear()
            _dates[authority_id, sha256] = kept
    return kept
