"""What people do with the certificate that a device must present: type the next one, reset the pin, revoke."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from console import audit
from console.errors import Conflict
from console.shared.actors import Actor
from devices.models import Authentication, CutReason, Device, DeviceCertificate
from devices.rules import pins as rules
from devices.rules.pins import Pins
from devices.services import disconnecting, lifecycle
from devices.services.certificate_facts import Slots, slots_of
from products.models import IssuedCertificate
from products.services import revocation


class NoCertificate(Conflict):
    code = "no_certificate_of_its_own"
    default_message = "The device authenticates with its DeviceSecret, so no certificate is expected of it."


class RevokedAlready(Conflict):
    code = "certificates_revoked_already"
    default_message = "The certificates of this device are revoked already."


def of(device: Device) -> DeviceCertificate | None:
    """What is on file of it."""
    return DeviceCertificate.objects.of(device).first()


def pins(device: Device, row: DeviceCertificate | None) -> Pins:
    """What is expected: the row's, or what the device was imported with."""
    if row is None:
        return Pins(rules.typed(device.certificate_fingerprint))
    return Slots(row.sha256, row.spki_sha256, row.sha1, row.next_sha256, row.next_sha1).pins


def expect_next(device: Device, fingerprint: str, *, by: Actor, at: datetime) -> None:
    """The certificate that the device is about to change to (SHA-1 or SHA-256 in hex, colons allowed); empty: none any more. Audited.
    Raises DeviceGone, BadFingerprint, PinMissing, PinTwice, and Conflict for a device that has no certificate of its own."""
    pin = rules.typed(fingerprint)
    with transaction.atomic(), _locked(device) as (locked, row):
        before = pins(locked, row)
        after = rules.with_next(before, pin)
        _store(row, **slots_of(after)._asdict(), next_set_at=at if pin else None)
        facts = {"next_fingerprint": _shown(before, following=True)}, {"next_fingerprint": _shown(after, following=True)}
        audit.record("device.next_certificate", locked, by=by, at=at, before=facts[0], after=facts[1])


def reset_pin(device: Device, fingerprint: str = "", *, reason: str = "", by: Actor, at: datetime) -> None:
    """Both slots emptied, and a revocation of the device's certificates taken back; `fingerprint`: what is expected from now on, empty for
    whatever the next connection brings. A certificate that was revoked by its number stays revoked. Audited. Raises as `expect_next`."""
    after = rules.reset(rules.typed(fingerprint))
    with transaction.atomic(), _locked(device) as (locked, row):
        before = _facts(pins(locked, row), row)
        Device.objects.at(device.data_center).filter(pk=device.pk).update(certificate_fingerprint=_shown(after))
        # What was last presented stays on file: a connection that was made with it may be open, and it can still be revoked.
        nothing_seen = {"taken_at": None, "next_set_at": None, "subject": "", "not_after": None, "revoked_at": None}
        _store(row, **slots_of(after)._asdict(), **nothing_seen)
        audit.record("device.reset_pin", locked, by=by, at=at, before=before, after=_facts(after, row), reason=reason)


def revoke(device: Device, *, reason: str, note: str = "", by: Actor, at: datetime) -> int:
    """No certificate of this device is accepted any more until its pin is reset: the one that it last presented is revoked by its number
    for every data center, all that were issued to it here as well, and where it is connected it is cut off. `reason`: one of
    RevocationReason. Returns how many connections are cut. Audited, one line. Raises DeviceGone, Invalid, Conflict."""
    revocation.check_reason(reason)
    with transaction.atomic(), _locked(device) as (locked, row):
        if row.revoked_at is not None:
            raise RevokedAlready
        _store(row, revoked_at=at)
        issued = IssuedCertificate.objects.of_device(device.product_id, device.device_name).good()
        withdrawn = revocation.withdraw(issued, reason=reason, at=at)
        serial = _revoke_presented(row, reason, at)
        connected = disconnecting.open_connections(locked)
        cut = disconnecting.order(connected, locked, reason=CutReason.CERTIFICATE, made_by=by.name, at=at)
        facts = {"reason": reason, "serial_number": serial, "issued_certificates": withdrawn, "cut_off": cut}
        audit.record("device.revoke_certificates", locked, by=by, at=at, before=_facts(pins(locked, row)), after=facts, reason=note)
    return cut


@contextmanager
def _locked(device: Device) -> Iterator[tuple[Device, DeviceCertificate]]:
    """The device, locked in a transaction of its own database, and its row, which is made where it is missing. Raises DeviceGone and
    NoCertificate."""
    with transaction.atomic(using=device.data_center.database):
        locked = lifecycle.lock(device)
        if locked.authentication != Authentication.X509:
            raise NoCertificate
        expected = slots_of(pins(locked, None))._asdict()
        row, _made = DeviceCertificate.objects.of(device).get_or_create(device_id=device.pk, defaults=expected)
        yield locked, row


def _store(row: DeviceCertificate, **facts: object) -> None:
    """Named fields of a row whose device is locked."""
    for name, value in facts.items():
        setattr(row, name, value)
    row.save(update_fields=list(facts))


def _revoke_presented(row: DeviceCertificate, reason: str, at: datetime) -> str:
    """The certificate's number, empty where the device has presented none yet."""
    if row.authority_id is None or not row.path_keys:
        return ""
    issuer_spki, serial = row.path_keys[0].split(":")
    known = revocation.Presented(row.authority_id, issuer_spki, serial, row.not_after)
    revocation.withdraw_presented(known, reason=reason, at=at)
    return str(serial)


def _shown(found: Pins, *, following: bool = False) -> str:
    pin = found.next if following else found.current
    return pin.fingerprint if pin else ""


def _facts(found: Pins, row: DeviceCertificate | None = None) -> dict[str, object]:
    facts: dict[str, object] = {"certificate_fingerprint": _shown(found), "next_fingerprint": _shown(found, following=True)}
    if row is not None:
        facts["certificates_revoked_at"] = row.revoked_at.isoformat() if row.revoked_at else None
    return facts
