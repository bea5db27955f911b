"""Every field of a certificate read once. cryptography parses when it is asked; what fails there becomes our error, with the field's name.

Serial numbers (RFC 5280, 4.1.2.2: positive, at most 20 octets) and the two places of the signature algorithm (4.1.1.2: the same) are
compared here, since cryptography only warns about the ones and looks at the others when it verifies.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID, ObjectIdentifier

from console.crypto.certificates import der, extensions, names
from console.crypto.certificates.certificate import Certificate, showable, shown
from console.crypto.certificates.errors import BadField, NotDer
from console.crypto.certificates.public_keys import PublicKey, describe
from console.words import say

Value = TypeVar("Value")
MAX_SERIAL_OCTETS: Final = 20
_VERSION_TAG: Final = 0xA0
_PLACE: Final = re.compile(r"TbsCertificate::(\w{1,40})")
_PLACES: Final = {
    "serial": "serialNumber",
    "signature_alg": "signatureAlgorithm",
    "spki": "subjectPublicKeyInfo",
    "raw_extensions": "extensions",
}


def asked(field: str, question: Callable[[], Value]) -> Value:
    """Its answer. Raises BadField with the name of the field, whatever the library raises."""
    try:
        return question()
    except BadField:
        raise
    except Exception as error:
        words = say("The field {name} of the certificate cannot be read.", name=field)
        raise BadField(words, field=field, facts={"reason": shown(str(error))[:200]}) from None


def of(data: bytes, whole: der.Element) -> Certificate:
    """`whole`: of der.check. Raises NotDer or BadField."""
    parts = _parts(data, whole)
    loaded = _loaded(data)
    version = {x509.Version.v1: 1, x509.Version.v3: 3}[asked("version", lambda: loaded.version)]
    not_before, not_after = asked("validity", lambda: (loaded.not_valid_before_utc, loaded.not_valid_after_utc))
    if not_after < not_before:
        raise BadField("The certificate's validity ends before it begins.", field="validity")
    key: PublicKey = asked("subjectPublicKeyInfo", lambda: describe(loaded.public_key, loaded.public_key_algorithm_oid.dotted_string))
    subject = asked("subject", lambda: loaded.subject)
    algorithm, algorithm_hash = signature_algorithm(loaded)
    named = asked("extensions", lambda: extensions.read(loaded.extensions))
    return Certificate(
        der=data,
        subject=asked("subject", lambda: names.text(loaded.subject)),
        issuer=asked("issuer", lambda: names.text(loaded.issuer)),
        subject_bytes=data[parts.subject.start : parts.subject.end],
        issuer_bytes=data[parts.issuer.start : parts.issuer.end],
        serial_number=asked("serialNumber", lambda: loaded.serial_number),
        not_before=showable(not_before),
        not_after=showable(not_after),
        version=version,
        is_ca=named.is_ca,
        path_length=named.path_length,
        key_usages=named.key_usages,
        extended_key_usages=named.extended_key_usages,
        subject_key_identifier=named.subject_key_identifier,
        authority_key_identifier=named.authority_key_identifier,
        alternative_names=named.alternative_names,
        common_names=names.values(subject, NameOID.COMMON_NAME),
        subject_serial_numbers=names.values(subject, NameOID.SERIAL_NUMBER),
        key_kind=key.kind,
        key_bits=key.bits,
        curve=key.curve,
        signature_algorithm=algorithm,
        signature_hash=algorithm_hash,
        sha1=hashlib.sha1(data, usedforsecurity=False).hexdigest(),
        sha256=hashlib.sha256(data).hexdigest(),
        spki_sha256=hashlib.sha256(data[parts.spki.start : parts.spki.end]).hexdigest(),
        critical_extensions=named.critical,
        extensions=named.all,
    )


def _loaded(data: bytes) -> x509.Certificate:
    """Raises BadField; the library's own error tells where it stopped, in the names of its source."""
    try:
        return x509.load_der_x509_certificate(data)
    except Exception as error:
        reason = shown(str(error))[:200]
        place = "version" if isinstance(error, x509.InvalidVersion) else (found[1] if (found := _PLACE.search(reason)) else "")
        name = _PLACES.get(place, place)
        words = say("The field {name} of the certificate cannot be read.", name=name) if name else say("The certificate cannot be read.")
        raise BadField(words, field=name, facts={"reason": reason}) from None


def signature_algorithm(
    signed: x509.Certificate | x509.CertificateSigningRequest | x509.CertificateRevocationList,
) -> tuple[str, str]:
    """Its name, or its OID where it has none, and the name of its hash; empty where it has none or none that is known."""
    oid = asked("signatureAlgorithm", lambda: signed.signature_algorithm_oid)
    try:
        found = signed.signature_hash_algorithm
    except UnsupportedAlgorithm:
        found = None
    except Exception:
        raise BadField("The certificate's signature algorithm cannot be read.", field="signatureAlgorithm") from None
    return label(oid), found.name if found else ""


def label(oid: ObjectIdentifier) -> str:
    """What the library calls it, or its digits."""
    return oid.dotted_string if oid._name == "Unknown OID" else oid._name


class _Parts:
    """Where the fields stand whose own bytes count (RFC 5280, 4.1)."""

    def __init__(self, issuer: der.Element, subject: der.Element, spki: der.Element) -> None:
        self.issuer, self.subject, self.spki = issuer, subject, spki


def _parts(data: bytes, whole: der.Element) -> _Parts:
    outer = list(der.children(data, whole))
    if _tags(outer) == [der.OID, _VERSION_TAG]:
        raise NotDer("This is a PKCS #7 bundle: take its certificates out first (openssl pkcs7 -inform DER -print_certs).")
    if whole.tag != der.SEQUENCE or _tags(outer) != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
        raise NotDer("The bytes are DER, but they are not a certificate.")
    fields = [one for one in der.children(data, outer[0]) if one.tag != _VERSION_TAG]
    if _tags(fields[:6]) != [der.INTEGER, *(5 * [der.SEQUENCE])]:
        raise NotDer("The bytes are DER, but they are not a certificate.")
    serial, algorithm, issuer, _validity, subject, spki = fields[:6]
    number = data[serial.inner : serial.end]
    if number[0] & 0x80 or not any(number):
        raise BadField("The certificate's serial number is zero or negative, and it must be positive.", field="serialNumber")
    if len(number) > MAX_SERIAL_OCTETS:
        words = say("The certificate's serial number has {octets} octets; {most} is the most.", octets=len(number), most=MAX_SERIAL_OCTETS)
        raise BadField(words, field="serialNumber")
    if data[algorithm.start : algorithm.end] != data[outer[1].start : outer[1].end]:
        raise BadField("The certificate names two different signature algorithms.", field="signatureAlgorithm")
    return _Parts(issuer, subject, spki)


def _tags(elements: Iterable[der.Element]) -> list[int]:
    return [one.tag for one in elements]
