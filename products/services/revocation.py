"""What is revoked: one certificate, all of a device, a serial number of any CA; what a connection asks for is revocation_facts."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
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
    Product,
    PublishedList,
    RevocationReason,
    RevocationSource,
    RevokedSerial,
)
from products.services import revocation_news
from products.services.revocation_facts import Key, ListOnFile, OnFile, Revoked, on_file, serial_text

__all__ = [
    "Key",
    "ListOnFile",
    "OnFile",
    "Presented",
    "Revoked",
    "check_reason",
    "on_file",
    "read_serial",
    "revoke",
    "revoke_device",
    "revoke_serial",
    "serial_text",
    "withdraw",
    "withdraw_presented",
]

SERIAL: Final = re.compile(r"[0-9A-F]{1,40}")


@dataclass(frozen=True, slots=True)
class Presented:
    """A certificate by what revokes it. `authority_id`: the CA certificate that its path ends at; `issuer_spki`: of whoever signed it, that
    CA or an intermediate one; `serial`: as serial_text writes it."""

    authority_id: int
    issuer_spki: str
    serial: str
    not_after: datetime | None


@transaction.atomic
def revoke(certificate_id: int, *, reason: str, note: str = "", by: Actor, at: datetime) -> IssuedCertificate:
    """One certificate that was issued here. `note` goes to the audit log. Raises Invalid, Conflict."""
    row = IssuedCertificate.objects.get(pk=certificate_id)
    check_reason(reason)
    if not withdraw([row], reason=reason, at=at):
        raise Conflict("The certificate is revoked already.")
    after = {"serial_number": row.serial, "device_name": row.device_name, "reason": reason}
    audit.record("issued_certificate.revoke", row, by=by, at=at, after=after, reason=note)
    row.refresh_from_db()
    return row


@transaction.atomic
def revoke_device(product: Product, device_name: str, *, reason: str, note: str = "", by: Actor, at: datetime) -> int:
    """Every good certificate that was issued to the name (in its stored form); returns how many. One audit line. Raises Invalid."""
    check_reason(reason)
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
    check_reason(reason)
    text = read_serial(serial)
    issued = IssuedCertificate.objects.filter(serial=text, issuing_ca__authority=authority).first()
    if issued is not None:
        if not withdraw([issued], reason=reason, at=at):
            raise Conflict("The serial number is revoked already.", field="serial")
        row = RevokedSerial.objects.get(issuer_spki=_issuer_of(issued, authority), serial=text, source=RevocationSource.ISSUED)
    else:
        facts = {"authority": authority, "revoked_at": at, "reason": reason}
        row, made = RevokedSerial.objects.get_or_create(
            issuer_spki=authority.spki_sha256, serial=text, source=RevocationSource.HAND, defaults=facts
        )
        if not made:
            raise Conflict("The serial number is revoked already.", field="serial")
        _outdate([authority.pk])
        revocation_news.spread([authority.pk])
    audit.record(
        "certificate_authority.revoke_serial", authority, by=by, at=at, after={"serial_number": text, "reason": reason}, reason=note
    )
    return row


def withdraw(rows: Iterable[IssuedCertificate], *, reason: str, at: datetime) -> int:
    """Revokes issued certificates within the caller's transaction; returns how many were good. Who revoked one first keeps his reason.

    A certificate that is superseded makes no news: the connection by the one that follows it ends the older one, and registrations must
    not wait for each other's news."""
    taken = [row for row in rows if IssuedCertificate.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=at, reason=reason)]
    if not taken:
        return 0
    authorities = _authorities({row.issuing_ca_id for row in taken})
    RevokedSerial.objects.bulk_create(
        [
            RevokedSerial(
                authority_id=authorities[row.issuing_ca_id].pk,
                issuer_spki=_issuer_of(row, authorities[row.issuing_ca_id]),
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
    if reason != RevocationReason.SUPERSEDED:
        revocation_news.spread({authority.pk for authority in authorities.values()})
    return len(taken)


def withdraw_presented(presented: Presented, *, reason: str, at: datetime) -> bool:
    """A certificate that a device has presented, whoever issued it; within the caller's transaction. False where its number was revoked
    by hand before. One that was issued here is `withdraw`n as well."""
    row = RevokedSerial(
        authority_id=presented.authority_id,
        issuer_spki=presented.issuer_spki,
        serial=presented.serial,
        source=RevocationSource.HAND,
        revoked_at=at,
        reason=reason,
        not_after=presented.not_after,
    )
    known = RevokedSerial.objects.filter(issuer_spki=row.issuer_spki, serial=row.serial).exclude(source=RevocationSource.LIST)
    if known.exists() or not CertificateAuthority.objects.filter(pk=presented.authority_id).exists():
        return False
    RevokedSerial.objects.bulk_create([row], ignore_conflicts=True)
    _outdate([presented.authority_id])
    revocation_news.spread([presented.authority_id])
    return True


def read_serial(text: str) -> str:
    """What a person pasted, as serial_text writes it. Raises Invalid."""
    digits = text.strip().upper().removeprefix("0X").replace(":", "").replace(" ", "")
    if not SERIAL.fullmatch(digits) or not int(digits, 16):
        raise Invalid("A serial number is 1 to 40 hexadecimal digits, with or without colons.", field="serial")
    return serial_text(int(digits, 16))


def _authorities(issuing_ids: Collection[int]) -> dict[int, CertificateAuthority]:
    return {row.pk: row.authority for row in IssuingCA.objects.select_related("authority").filter(pk__in=issuing_ids)}


def _issuer_of(row: IssuedCertificate, authority: CertificateAuthority) -> str:
    """Whose number it is: that of an intermediate CA, where a CA outside has signed with one. A connection asks by that one's key."""
    return row.issuer_spki or authority.spki_sha256


def _outdate(authority_ids: Collection[int]) -> None:
    PublishedList.objects.filter(authority__in=authority_ids).update(outdated=True)


def check_reason(reason: str) -> None:
    """One of RevocationReason. Raises Invalid."""
    if reason not in RevocationReason.values:
        raise Invalid("Choose one of the reasons.", field="reason")
