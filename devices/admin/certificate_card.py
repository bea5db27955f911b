"""On the page of a device: the certificate that it must present, what is known of it, and what it is about to change to (Q6)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from console.shared.admin import badge
from devices.models import Authentication, Device, DeviceCertificate
from devices.querysets import CERTIFICATE_ENDS_SOON
from devices.rules.pins import Pin, Pins
from devices.services import device_certificates
from products.admin.authority_words import colons, state_badge
from products.models import CertificateAuthority, IssuedCertificate, RevocationReason
from products.services import access, revocation
from products.services.revocation import Key, Revoked

FINGERPRINTS = (
    ("sha256", gettext_lazy("SHA-256 fingerprint")),
    ("sha1", gettext_lazy("SHA-1 fingerprint")),
    ("spki_sha256", gettext_lazy("SHA-256 of the public key")),
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    name: Any
    shown: SafeString
    digits: str


@dataclass(frozen=True, slots=True)
class Revocation:
    """Of the certificate itself, or of one above it on its certification path (`is_above`), by its serial number."""

    is_above: bool
    at: datetime
    on_list: bool
    reason: Any


@dataclass(frozen=True, slots=True)
class Card:
    """`row`: None before anything was presented or set; `seen`: None until what is expected was presented. `authority`: where its
    certification path ends."""

    row: DeviceCertificate | None
    seen: DeviceCertificate | None
    badge: SafeString
    current: tuple[Fingerprint, ...]
    following: tuple[Fingerprint, ...]
    serial: SafeString | str
    revocations: tuple[Revocation, ...]
    authority: CertificateAuthority | None
    authority_badge: SafeString | str
    authority_url: str
    issued_url: str


def row_of(device: Device) -> DeviceCertificate | None:
    """Looked up once for a page."""
    found: DeviceCertificate | None = getattr(device, "certificate", None)
    return found


def has_one(device: Device) -> bool:
    """Whether the device proves itself with a certificate of its own, or has done so."""
    return device.authentication == Authentication.X509 or row_of(device) is not None


def pins_of(device: Device) -> Pins:
    return device_certificates.pins(device, row_of(device))


def card(request: HttpRequest, device: Device, *, at: datetime) -> Card | None:
    """None for a device that proves itself otherwise."""
    if not has_one(device):
        return None
    user: Any = request.user
    row, pins = row_of(device), pins_of(device)
    seen = row if row is not None and row.taken_at is not None else None
    keys = list(path_keys(seen))
    revocations = tuple(_revocations(keys, at))
    authority = CertificateAuthority.objects.filter(pk=seen.authority_id).first() if seen and seen.authority_id else None
    may_look = user.has_perm("products.view_certificateauthority") and access.sees_every_product(user)
    return Card(
        row=row,
        seen=seen,
        badge=_badge(row, pins, revocations, at),
        current=_fingerprints(pins.current),
        following=_fingerprints(pins.next),
        serial=colons(revocation.serial_text(keys[0][1])) if keys else "",
        revocations=revocations,
        authority=authority,
        authority_badge=state_badge(authority, at) if authority else "",
        authority_url=reverse("admin:products_certificateauthority_change", args=[authority.pk]) if authority and may_look else "",
        issued_url=_issued_url(user, device, seen),
    )


def path_keys(row: DeviceCertificate | None) -> Iterator[Key]:
    """Of the certificate that was presented last, and of each one above it."""
    for text in row.path_keys if row else ():
        spki, _colon, serial = text.partition(":")
        yield spki, int(serial, 16)


def _revocations(keys: list[Key], at: datetime) -> Iterator[Revocation]:
    found: Any = revocation.on_file(keys, at=at).revoked if keys else {}
    reasons: dict[str, Any] = dict(RevocationReason.choices)
    for place, key in enumerate(keys):
        one: Revoked | None = found.get(key)
        if one is not None:
            yield Revocation(place > 0, one.at, one.on_list, reasons.get(one.reason, one.reason))


def _badge(row: DeviceCertificate | None, pins: Pins, revocations: tuple[Revocation, ...], at: datetime) -> SafeString:
    """What counts most."""
    if revocations or (row is not None and row.revoked_at is not None):
        return badge("red", _("Revoked"))
    if pins.current is None:
        return badge("grey", _("None expected yet"))
    if row is None or row.taken_at is None or row.not_after is None:
        return badge("blue", _("Expected, not seen yet"))
    if row.not_after < at:
        return badge("red", _("Ended"))
    if row.not_after <= at + CERTIFICATE_ENDS_SOON:
        days = (row.not_after - at).days
        return badge("amber", ngettext("Ends in %(count)d day", "Ends in %(count)d days", days) % {"count": days})
    return badge("green", _("Pinned"))


def _fingerprints(pin: Pin | None) -> tuple[Fingerprint, ...]:
    known = ((name, getattr(pin, kind, "")) for kind, name in FINGERPRINTS)
    return tuple(Fingerprint(name, colons(digits), digits) for name, digits in known if digits)


def _issued_url(user: Any, device: Device, seen: DeviceCertificate | None) -> str:
    """Where the certificate came from here, for those who may see it."""
    if seen is None or not user.has_perm("products.view_issuedcertificate"):
        return ""
    found = IssuedCertificate.objects.filter(sha256=seen.sha256, product_id=device.product_id).values_list("pk", flat=True).first()
    return reverse("admin:products_issuedcertificate_change", args=[found]) if found else ""
