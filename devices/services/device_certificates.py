"""What people do with the certificate that a device must present: type the next one, reset the pin, revoke."""

from datetime import datetime

from console.shared.actors import Actor
from devices.models import Device, DeviceCertificate
from devices.rules.pins import Pins


def of(device: Device) -> DeviceCertificate | None:
    """What is on file of it."""
    return DeviceCertificate.objects.of(device).first()


def pins(device: Device, row: DeviceCertificate | None) -> Pins:
    """What is expected: the row's, or what the device was imported with."""
    raise NotImplementedError


def expect_next(device: Device, fingerprint: str, *, by: Actor, at: datetime) -> None:
    """The certificate that the device is about to change to (SHA-1 or SHA-256 in hex, colons allowed); empty: none any more. Audited.
    Raises DeviceGone, BadFingerprint, PinMissing, PinTwice, and Conflict for a device that has no certificate of its own."""
    raise NotImplementedError


def reset_pin(device: Device, fingerprint: str = "", *, reason: str = "", by: Actor, at: datetime) -> None:
    """Both slots emptied, and a revocation of the device's certificates taken back; `fingerprint`: what is expected from now on, empty for
    whatever the next connection brings. A certificate that was revoked by its number stays revoked. Audited. Raises as `expect_next`."""
    raise NotImplementedError


def revoke(device: Device, *, reason: str, note: str = "", by: Actor, at: datetime) -> int:
    """No certificate of this device is accepted any more until its pin is reset: the one that it last presented is revoked by its number
    for every data center, all that were issued to it here as well, and where it is connected it is cut off. `reason`: one of
    RevocationReason. Returns how many connections are cut. Audited, one line. Raises DeviceGone, Invalid, Conflict."""
    raise NotImplementedError
