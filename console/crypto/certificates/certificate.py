"""One certificate as a plain value: every field was read once, so that nothing that is asked of it later can fail."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

FIRST_DAY: Final = datetime.min.replace(tzinfo=UTC) + timedelta(days=1)
LAST_DAY: Final = datetime.max.replace(tzinfo=UTC, microsecond=0) - timedelta(days=1)


def shown(text: str) -> str:
    """The text, each character that cannot be shown as `\\u{n}`: a name goes into logs, pages and terminals."""
    return text if text.isprintable() else "".join(one if one.isprintable() else f"\\u{{{ord(one):x}}}" for one in text)


def showable(at: datetime) -> datetime:
    """The moment, at least a day within the calendar, so that every time zone has it. A certificate without an end names the calendar's
    last second (99991231235959Z: RFC 5280, 4.1.2.5; IEEE 802.1AR wants it of a device's), which east of Greenwich is in no year."""
    return min(max(at, FIRST_DAY), LAST_DAY)


@dataclass(frozen=True, slots=True)
class AlternativeNames:
    """SubjectAltName by kind (RFC 5280, 4.2.1.6). `directory`: DNs in the form of RFC 4514; `other`: (OID, value as DER in hex)."""

    dns: tuple[str, ...] = ()
    uri: tuple[str, ...] = ()
    email: tuple[str, ...] = ()
    ip: tuple[str, ...] = ()
    directory: tuple[str, ...] = ()
    registered_id: tuple[str, ...] = ()
    other: tuple[tuple[str, str], ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Of every kind; of another kind than these, its OID."""
        known = (*self.dns, *self.uri, *self.email, *self.ip, *self.directory, *self.registered_id)
        return (*known, *(oid for oid, _value in self.other))


@dataclass(frozen=True, slots=True)
class Certificate:
    """As made by reading.py and nowhere else. Texts have no character that cannot be shown: such a one is written as `\\u{n}`.

    `subject`, `issuer`: RFC 4514, the last RDN first; `*_bytes`: the name as DER. `serial_number`: positive, at most 20 octets.
    `not_before`, `not_after`: aware, UTC, as `showable` has them; both moments are still within. `version`: 1 or 3. `path_length`: of
    basicConstraints, None for no limit. `key_usages`: names of RFC 5280 (`digitalSignature`), None where there is no such extension;
    `extended_key_usages`: OIDs, likewise. `subject_key_identifier`, `authority_key_identifier`: lower-case hex, empty where there is none.
    `common_names`, `subject_serial_numbers`: values of CN and of the attribute serialNumber (2.5.4.5), exactly as they stand there.
    `key_kind`: RSA, EC, Ed25519, Ed448, DSA or the OID of another; `key_bits`: of the modulus or the curve, 0 where unknown;
    `curve`: such as secp256r1, empty but for EC. `signature_algorithm`: such as ecdsa-with-SHA256; `signature_hash`: such as sha256,
    empty where the algorithm has none of its own (EdDSA). `sha1`, `sha256`, `spki_sha256`: 40 or 64 lower-case hex digits, the last
    one of the SubjectPublicKeyInfo. `critical_extensions`: OIDs."""

    der: bytes = field(repr=False)
    subject: str
    issuer: str
    subject_bytes: bytes = field(repr=False)
    issuer_bytes: bytes = field(repr=False)
    serial_number: int
    not_before: datetime
    not_after: datetime
    version: int
    is_ca: bool
    path_length: int | None
    key_usages: frozenset[str] | None
    extended_key_usages: frozenset[str] | None
    subject_key_identifier: str
    authority_key_identifier: str
    alternative_names: AlternativeNames
    common_names: tuple[str, ...]
    subject_serial_numbers: tuple[str, ...]
    key_kind: str
    key_bits: int
    curve: str
    signature_algorithm: str
    signature_hash: str
    sha1: str
    sha256: str
    spki_sha256: str
    critical_extensions: frozenset[str]
    extensions: frozenset[str]

    @property
    def serial_hex(self) -> str:
        """Upper-case hex digits, as OpenSSL and the proxies write it."""
        digits = f"{self.serial_number:X}"
        return digits if len(digits) % 2 == 0 else f"0{digits}"

    @property
    def is_self_issued(self) -> bool:
        """Subject and issuer are one name; a root is, and so is a CA certificate for a new key of the same CA."""
        return self.subject_bytes == self.issuer_bytes

    @property
    def shown_as(self) -> str:
        """What a sentence calls it: its first CN, or its whole subject, or its serial number."""
        return shown(next(iter(self.common_names), "")) or self.subject or self.serial_hex
