"""What is revoked: one certificate, all of a device, a serial number of any CA; and what of it a connection asks for."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import transaction

from console import audit
from console.errors import Conflict, Invalid
from console.shared.actors import Actor
from products.models import (
    CertificateAuthority,
    IssuedCertificate,
    IssuingCA,
    IssuingKind,
    Product,
    PublishedList,
    RevocationList,
    RevocationReason,
    RevocationSource,
    RevokedSerial,
)

SERIAL: Final = re.compile(r"[0-9A-F]{1,40}")
Key = tuple[str, int]
"""SHA-256 of the issuer's SubjectPublicKeyInfo in lower-case hex, and the serial number."""


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


def on_file(keys: Collection[Key], *, at: datetime) -> OnFile:
    """Two statements by index. A CA whose key is in the console needs no list: what it revokes is known here at once, so its list counts
    as made now."""
    spkis = {spki for spki, _serial in keys}
    wanted = {(spki, serial_text(serial)): (spki, serial) for spki, serial in keys}
    rows = RevokedSerial.objects.filter(issuer_spki__in=spkis, serial__in={serial for _spki, serial in wanted})
    revoked: dict[Key, Revoked] = {}
    for row in rows.order_by("revoked_at"):
        if key := wanted.get((row.issuer_spki, row.serial)):
            revoked.setdefault(key, Revoked(row.revoked_at, row.source == RevocationSource.LIST, row.reason))
    return OnFile(revoked, _lists(spkis, at))


@transaction.atomic
def revoke(certificate_id: int, *, reason: str, note: str = "", by: Actor, at: datetime) -> IssuedCertificate:
    """One certificate that was issued here. `note` goes to the audit log. Raises Invalid, Conflict."""
    row = IssuedCertificate.objects.get(pk=certificate_id)
    _check_reason(reason)
    if not withdraw([row], reason=reason, at=at):
        raise Conflict("The certificate is revoked already.")
    after = {"serial_number": row.serial, "device_name": row.device_name, "reason": reason}
    audit.record("issued_certificate.revoke", row, by=by, at=at, after=after, reason=note)
    row.refresh_from_db()
    return row


@transaction.atomic
def revoke_device(product: Product, device_name: str, *, reason: str, note: str = "", by: Actor, at: datetime) -> int:
    """Every good certificate that was issued to the name (in its stored form); returns how many. One audit line. Raises Invalid."""
    _check_reason(reason)
    rows = list(IssuedCertificate.objects.of_device(product.pk, device_name).good())
    taken = withdraw(rows, reason=reason, at=at)
    if taken:
        after = {"device_name": device_name, "reason": reason, "serial_numbers": [row.serial for row in rows][:20]}
        audit.record("issued_certificate.revoke_device", product, by=by, at=at, after=after, reason=note, count=taken)
    return taken


@transaction.atomic
def revoke_serial(authority_id: int, serial: str, *, reason: str, note: str = "", by: Actor, at: datetime) -> RevokedSerial:
    """A number of any CA on file, in hexadecimal as OpenSSL and browsers write it, with or without colons. Raises Invalid, Conflict."""
    authority = CertificateAuthority.objects.get(pk=authority_id)
    _check_reason(reason)
    text = read_serial(serial)
    issued = IssuedCertificate.objects.filter(serial=text, issuing_ca__authority=authority).first()
    if issued is not None:
        if not withdraw([issued], reason=reason, at=at):
            raise Conflict("The serial number is revoked already.", field="serial")
        row = RevokedSerial.objects.get(issuer_spki=authority.spki_sha256, serial=text, source=RevocationSource.ISSUED)
    else:
        facts = {"authority": authority, "revoked_at": at, "reason": reason}
        row, made = RevokedSerial.objects.get_or_create(
            issuer_spki=authority.spki_sha256, serial=text, source=RevocationSource.HAND, defaults=facts
        )
        if not made:
            raise Conflict("The serial number is revoked already.", field="serial")
        _outdate([authority.pk])
    audit.record(
        "certificate_authority.revoke_serial", authority, by=by, at=at, after={"serial_number": text, "reason": reason}, reason=note
    )
    return row


def withdraw(rows: Iterable[IssuedCertificate], *, reason: str, at: datetime) -> int:
    """Revokes issued certificates within the caller's transaction; returns how many were good. Who revoked one first keeps his reason."""
    taken = [row for row in rows if IssuedCertificate.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=at, reason=reason)]
    if not taken:
        return 0
    authorities = _authorities({row.issuing_ca_id for row in taken})
    RevokedSerial.objects.bulk_create(
        [
            RevokedSerial(
                authority_id=authorities[row.issuing_ca_id].pk,
                issuer_spki=authorities[row.issuing_ca_id].spki_sha256,
                serial=row.serial,
                source=RevocationSource.ISSUED,
                revoked_at=at,
                reason=reason,
                not_after=row.not_after,
            )
            for row in taken
        ],
        ignore_conflicts=True,
    )
    _outdate({authority.pk for authority in authorities.values()})
    return len(taken)


def serial_text(serial: int) -> str:
    """Upper-case hex digits of an even number."""
    digits = f"{serial:X}"
    return digits if len(digits) % 2 == 0 else f"0{digits}"


def read_serial(text: str) -> str:
    """What a person pasted, as serial_text writes it. Raises Invalid."""
    digits = text.strip().upper().removeprefix("0X").replace(":", "").replace(" ", "")
    if not SERIAL.fullmatch(digits) or not int(digits, 16):
        raise Invalid("A serial number is 1 to 40 hexadecimal digits, with or without colons.", field="serial")
    return serial_text(int(digits, 16))


def _lists(spkis: Collection[str], at: datetime) -> dict[str, ListOnFile]:
    taken = RevocationList.objects.filter(authority__spki_sha256__in=spkis).order_by("this_update")
    found = {spki: ListOnFile(*dates) for spki, *dates in taken.values_list("authority__spki_sha256", "this_update", "next_update")}
    own = IssuingCA.objects.filter(kind=IssuingKind.OWN, authority__spki_sha256__in=spkis).values_list("authority__spki_sha256", flat=True)
    return {spki: ListOnFile(at, None) for spki in own} | found


def _authorities(issuing_ids: Collection[int]) -> dict[int, CertificateAuthority]:
    return {row.pk: row.authority for row in IssuingCA.objects.select_related("authority").filter(pk__in=issuing_ids)}


def _outdate(authority_ids: Collection[int]) -> None:
    PublishedList.objects.filter(authority__in=authority_ids).update(outdated=True)


def _check_reason(reason: str) -> None:
    if reason not in RevocationReason.values:
        raise Invalid("Choose one of the reasons.", field="reason")
