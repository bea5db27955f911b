"""Certificate revocation lists: those of others read and checked, ours made. Source: RFC 5280, section 5.

Checked: the CA's signature, by an algorithm that is accepted of certificates too; its issuer, its number, no unknown critical extension,
thisUpdate. Delta lists (5.2.4), indirect lists and lists for a part of the certificates (5.2.5) are not supported and refused by name:
taken for whole ones they would set certificates free.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from console.crypto.certificates import algorithms, fields
from console.crypto.certificates.certificate import showable
from console.crypto.certificates.issuing import Issuer, authority_key_id, signature_hash
from console.errors import Invalid
from console.words import say

LARGEST: Final = 20 * 1024 * 1024
"""Bytes: about half a million entries."""
MOST_ENTRIES: Final = 1_000_000
MOST_NUMBER: Final = 2**160 - 1
"""20 octets (RFC 5280, 5.2.3)."""
AHEAD: Final = timedelta(minutes=5)
"""A CA's clock may be so much ahead of ours."""
ENTRY_REASONS: Final = {
    "unspecified": x509.ReasonFlags.unspecified,
    "key_compromise": x509.ReasonFlags.key_compromise,
    "affiliation_changed": x509.ReasonFlags.affiliation_changed,
    "superseded": x509.ReasonFlags.superseded,
    "cessation_of_operation": x509.ReasonFlags.cessation_of_operation,
}
"""What we write. A reason read from elsewhere keeps the name that cryptography gives it."""
Value = TypeVar("Value")


class BadList(Invalid):
    """`facts["fault"]`: in one word what is wrong."""

    code = "bad_revocation_list"
    default_message = "This is not a certificate revocation list."


@dataclass(frozen=True, slots=True)
class Entry:
    """`serial`: the certificate's number. `reason`: as in ENTRY_REASONS, or the name of another of RFC 5280 in lower case."""

    serial: int
    revoked_at: datetime
    reason: str = "unspecified"


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A checked list. `number`: the CRL number, -1 where it has none. `next_update`: None where it names no end."""

    number: int
    this_update: datetime
    next_update: datetime | None
    parsed: x509.CertificateRevocationList

    def __len__(self) -> int:
        return len(self.parsed)

    def entries(self) -> Iterator[Entry]:
        """`removeFromCRL` (only delta lists have it) is passed over. Raises BadList at an entry that cannot be read."""
        for revoked in self.parsed:
            reason = _reason(revoked)
            if reason != "remove_from_crl":
                yield Entry(revoked.serial_number, showable(revoked.revocation_date_utc), reason)


def read(data: bytes, *, authority: x509.Certificate, at: datetime) -> RevocationList:
    """PEM or DER, of whoever it comes. Raises BadList."""
    parsed = _parse(data)
    extensions = _asked("extensions", say("The list's extensions cannot be read."), lambda: parsed.extensions)
    _refuse_parts(extensions)
    _check_signature(parsed, authority)
    made, following = parsed.last_update_utc, parsed.next_update_utc
    if made > at + AHEAD:
        raise _bad("early", say("The list is of {at:%Y-%m-%d %H:%M} UTC, which is still to come.", at=made))
    if len(parsed) > MOST_ENTRIES:
        raise _bad("entries", say("The list has more than {most:,} entries.", most=MOST_ENTRIES))
    return RevocationList(_number(extensions), showable(made), showable(following) if following else None, parsed)


def make(issuer: Issuer, entries: Iterable[Entry], *, number: int, at: datetime, lasts: timedelta) -> bytes:
    """DER of a complete list, version 2, with its number and the CA's key identifier."""
    now = at.astimezone(UTC).replace(microsecond=0)
    # All entries at once: each `add_revoked_certificate` copies those before it, which takes a minute for 150,000.
    builder = (
        x509.CertificateRevocationListBuilder(issuer.certificate.subject, now, now + lasts, [], [_revoked(entry) for entry in entries])
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(authority_key_id(issuer.certificate), critical=False)
    )
    made = builder.sign(issuer.key, signature_hash(issuer.key))
    return made.public_bytes(Encoding.DER)


def _revoked(entry: Entry) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder(entry.serial, entry.revoked_at.astimezone(UTC).replace(microsecond=0))
    reason = ENTRY_REASONS.get(entry.reason, x509.ReasonFlags.unspecified)
    if reason != x509.ReasonFlags.unspecified:  # RFC 5280, 5.3.1: an unspecified reason is left out.
        builder = builder.add_extension(x509.CRLReason(reason), critical=False)
    return builder.build()


def _parse(data: bytes) -> x509.CertificateRevocationList:
    if len(data) > LARGEST:
        raise _bad("size", say("The list is larger than {most:,} bytes.", most=LARGEST))
    load = x509.load_pem_x509_crl if b"-----BEGIN X509 CRL" in data[:LARGEST] else x509.load_der_x509_crl
    return _asked("form", BadList.default_message, lambda: load(data))


def _asked(fault: str, words: str, question: Callable[[], Value]) -> Value:
    """Its answer. Raises BadList, whatever the library raises: the list came over a network and is not known yet to be the CA's."""
    try:
        return question()
    except Exception:
        raise _bad(fault, words) from None


def _refuse_parts(extensions: x509.Extensions) -> None:
    for extension in extensions:
        if extension.oid == ExtensionOID.DELTA_CRL_INDICATOR:
            raise _bad(
                "delta", say("This is a delta list: it only says what changed. Delta lists are not supported; give the complete list.")
            )
        if extension.oid == ExtensionOID.ISSUING_DISTRIBUTION_POINT:
            _check_whole(extension.value)
        elif extension.critical:
            raise _bad("critical", say("The list has a critical extension that is not known: {oid}.", oid=extension.oid.dotted_string))


def _check_whole(point: x509.ExtensionType) -> None:
    """Only one that says where the whole list of end-entity certificates is passes."""
    whole = isinstance(point, x509.IssuingDistributionPoint) and not (
        point.indirect_crl or point.only_contains_ca_certs or point.only_contains_attribute_certs or point.only_some_reasons
    )
    if not whole:
        raise _bad("partial", say("The list is indirect or only of some certificates or reasons. Give the CA's complete list."))


def _check_signature(parsed: x509.CertificateRevocationList, authority: x509.Certificate) -> None:
    if _asked("form", BadList.default_message, lambda: parsed.issuer) != authority.subject:
        raise _bad("issuer", say("The list was issued by another CA."))
    algorithm, digest = _asked("form", BadList.default_message, lambda: fields.signature_algorithm(parsed))
    if not algorithms.is_accepted(algorithm, digest):
        words = "The list is signed with {algorithm}; SHA-256 and stronger are accepted, with RSA, ECDSA or EdDSA."
        raise _bad("weak", say(words, algorithm=algorithm))
    wrong = say("The list was not signed with the CA's key.")
    if not _asked("signature", wrong, lambda: parsed.is_signature_valid(authority.public_key())):  # type: ignore[arg-type]
        raise _bad("signature", wrong)


def _number(extensions: x509.Extensions) -> int:
    try:
        number = extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return -1
    if not 0 <= number <= MOST_NUMBER:
        raise _bad("number", say("The list's number is negative, or longer than 20 octets."))
    return number


def _reason(revoked: x509.RevokedCertificate) -> str:
    try:
        return revoked.extensions.get_extension_for_class(x509.CRLReason).value.reason.name
    except x509.ExtensionNotFound:
        return "unspecified"
    except (ValueError, x509.DuplicateExtension):
        raise _bad("entry", say("An entry of the list cannot be read.")) from None


def _bad(fault: str, words: str) -> BadList:
    return BadList(words, field="file", facts={"fault": fault})
