"""A device's certificate, pinned: what a person typed, what was seen first, and what must come again (Q6).

A device has two slots. *Current* is what must be presented; when it is empty, the next certificate that comes is taken (first use). *Next*
is what the device is about to change to: when it is presented, it becomes the current one, its slot is emptied, and the old certificate is
refused from then on. Whatever was typed, both fingerprints of the certificate and SHA-256 of its public key are stored once it was seen.
"""

from dataclasses import dataclass, replace
from enum import Enum

from console.crypto.certificates.certificate import Certificate
from console.crypto.certificates.fingerprints import FORM, bare
from console.errors import Conflict, Invalid
from console.words import say
from devices.rules.certificate_refusals import OtherCertificate


class BadFingerprint(Invalid):
    code = "bad_fingerprint"
    default_message = "A certificate fingerprint is SHA-1 as 40 hex digits or SHA-256 as 64, with or without colons."


class PinMissing(Conflict):
    code = "pin_missing"
    default_message = (
        "No certificate is expected of this device yet: the next one that it presents is taken. Type that one's fingerprint instead."
    )


class PinTwice(Conflict):
    code = "pin_twice"
    default_message = "This is the certificate that is expected already."


@dataclass(frozen=True, slots=True)
class Pin:
    """A certificate that is expected. Lower-case hex, empty where it is not known yet: a person types one fingerprint, and the others are
    filled in when the certificate is first seen. SHA-1 decides only as long as it is the only one known; then people search by it."""

    sha256: str = ""
    spki_sha256: str = ""
    sha1: str = ""

    @property
    def fingerprint(self) -> str:
        """To be shown: SHA-256, or the SHA-1 that was typed."""
        return self.sha256 or self.sha1

    def is_of(self, certificate: Certificate) -> bool:
        return certificate.sha256 == self.sha256 if self.sha256 else certificate.sha1 == self.sha1

    def seen_as(self, certificate: Certificate) -> str:
        """The certificate's fingerprint of the kind that this pin is known by."""
        return certificate.sha256 if self.sha256 else certificate.sha1


@dataclass(frozen=True, slots=True)
class Pins:
    """The two slots of a device."""

    current: Pin | None = None
    next: Pin | None = None


class Match(Enum):
    """How the presented certificate was recognised."""

    FIRST = "first"
    CURRENT = "current"
    SAME_KEY = "same key"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Compared:
    """`pins`: what is to be stored from now on; `changed`: whether that differs from what is stored."""

    match: Match
    pins: Pins
    changed: bool


def normalise(text: str) -> str:
    """40 or 64 lower-case hex digits, or an empty text; colons and blanks are taken out. Raises BadFingerprint."""
    digits = bare(text)
    if digits and not FORM.fullmatch(digits):
        raise BadFingerprint(field="Fingerprint")
    return digits


def typed(text: str) -> Pin | None:
    """What a person typed, None for an empty text. Raises BadFingerprint."""
    digits = normalise(text)
    return (Pin(sha1=digits) if len(digits) == 40 else Pin(sha256=digits)) if digits else None


def taken(certificate: Certificate) -> Pin:
    return Pin(certificate.sha256, certificate.spki_sha256, certificate.sha1)


def compare(pins: Pins, certificate: Certificate, *, same_key: bool) -> Compared:
    """`same_key`: a certificate issued anew for the same key is as good. It becomes the current one, so it can be told from a third.

    Raises OtherCertificate with the expected and the seen fingerprint."""
    seen = taken(certificate)
    if pins.current is None:
        return Compared(Match.FIRST, replace(pins, current=seen), changed=True)
    if pins.current.is_of(certificate):
        return _kept(Match.CURRENT, pins, replace(pins, current=seen))
    if pins.next is not None and pins.next.is_of(certificate):
        return Compared(Match.NEXT, Pins(current=seen), changed=True)
    if same_key and pins.current.spki_sha256 and pins.current.spki_sha256 == certificate.spki_sha256:
        return _kept(Match.SAME_KEY, pins, replace(pins, current=seen))
    raise _other(pins.current, pins.next, certificate)


def with_next(pins: Pins, pin: Pin | None) -> Pins:
    """`pin`: None empties the slot. Raises PinMissing, or PinTwice where it is the current one."""
    if pin is not None and pins.current is None:
        raise PinMissing
    if pin is not None and pins.current is not None and pin.fingerprint in (pins.current.sha256, pins.current.sha1):
        raise PinTwice
    return replace(pins, next=pin)


def reset(pin: Pin | None = None) -> Pins:
    """Both slots emptied; `pin`: what is expected from now on, None for whatever the next connection brings."""
    return Pins(current=pin)


def _kept(match: Match, before: Pins, after: Pins) -> Compared:
    return Compared(match, after, changed=after != before)


def _other(current: Pin, following: Pin | None, certificate: Certificate) -> OtherCertificate:
    expected, seen = current.fingerprint, current.seen_as(certificate)
    facts = {"expected": expected, "seen": seen}
    if following is None:
        one = "Another certificate is expected of this device: the fingerprint {expected} was expected, and {seen} was seen."
        return OtherCertificate(say(one, **facts), facts=facts)
    facts["following"] = following.fingerprint
    two = "Another certificate is expected of this device: {expected}, or next {following}, was expected, and {seen} was seen."
    return OtherCertificate(say(two, **facts), facts=facts)
