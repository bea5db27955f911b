"""An issuing CA and the device certificates that it signs. Source: RFC 5280, sections 4.1 and 4.2.

A device certificate has a subject of CN = DeviceName with at most O and OU beside it, so that certificate and key together stay below the
buffers of small firmware. Its name stands in the CN alone: a DeviceName is no host name, address or URI, and RFC 5280 asks for a
subjectAltName only where the subject is empty. A product that reads the name from a SAN or from the subject's serial number gets it
there as well (`Profile.name_also_in`). The time and the serial number are arguments; keys and ECDSA signatures draw from the system.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from console.errors import Conflict, Invalid
from console.words import say

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

SERIAL_BYTES: Final = 16
CLOCKS_APART: Final = timedelta(minutes=5)
"""A certificate begins so much before it was made: whoever checks it may have a clock that is behind ours."""
LONGEST_SUBJECT_PART: Final = 64
"""ub-common-name, ub-organization-name and ub-organizational-unit-name of RFC 5280, appendix A."""


class KeyKind(StrEnum):
    EC_P256 = "ec-p256"
    RSA_2048 = "rsa-2048"


class NamePlace(StrEnum):
    """Where the DeviceName stands besides the CN."""

    NOWHERE = ""
    DNS_NAME = "dns"
    URI = "uri"
    SUBJECT_SERIAL_NUMBER = "serial"


class AuthorityEnded(Conflict):
    """The issuing CA's own time is over, or has not begun."""

    code = "authority_ended"
    default_message = "The issuing CA's certificate is not valid now."


@dataclass(frozen=True, slots=True, repr=False)
class Issuer:
    """A CA's certificate with its private key. Never logged."""

    certificate: x509.Certificate
    key: PrivateKey

    def __repr__(self) -> str:
        """Without the key."""
        return f"Issuer({self.certificate.subject.rfc4514_string()})"


@dataclass(frozen=True, slots=True)
class Profile:
    """What all certificates of a product have in common. `organization`, `unit`: O and OU, empty for none. `crl_url`: where the issuing
    CA's revocation list is; empty leaves it out, which makes the certificate some 60 bytes shorter."""

    days: int
    organization: str = ""
    unit: str = ""
    crl_url: str = ""
    name_also_in: NamePlace = NamePlace.NOWHERE


def new_key(kind: KeyKind) -> PrivateKey:
    """P-256 takes a millisecond, RSA-2048 some hundred."""
    if kind == KeyKind.EC_P256:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def draw_serial(random: Callable[[int], bytes] = os.urandom) -> int:
    """128 random bits, never 0: at most 17 octets in DER, of the 20 that RFC 5280 allows."""
    return int.from_bytes(random(SERIAL_BYTES)) or 1


def make_issuer(name: str, *, kind: KeyKind, days: int, serial: int, at: datetime) -> Issuer:
    """A self-signed CA that signs device certificates and revocation lists, and no further CA (pathLenConstraint 0). Raises Invalid."""
    key = new_key(kind)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _part(name, "name"))])
    key_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        x509.CertificateBuilder(subject, subject, key.public_key(), serial, _begin(at), _whole(at + timedelta(days=days)))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .add_extension(key_id, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id), critical=False)
    )
    return Issuer(builder.sign(key, hashes.SHA256()), key)


def issue(issuer: Issuer, *, device_name: str, public_key: PublicKey, profile: Profile, serial: int, at: datetime) -> x509.Certificate:
    """The device's certificate: it ends after the profile's days, and with its CA at the latest. Raises Invalid, AuthorityEnded."""
    end = ending(issuer.certificate, profile.days, at)
    begin = max(_begin(at), issuer.certificate.not_valid_before_utc)
    builder = x509.CertificateBuilder(issuer.certificate.subject, _subject(device_name, profile), public_key, serial, begin, end)
    for extension, critical in _extensions(issuer, device_name, public_key, profile):
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer.key, signature_hash(issuer.key))


def request(key: PrivateKey, device_name: str, name_also_in: NamePlace) -> x509.CertificateSigningRequest:
    """What a CA elsewhere is asked for: the key, and the DeviceName wherever the product looks for it. Raises Invalid."""
    builder = x509.CertificateSigningRequestBuilder(_subject(device_name, Profile(1, name_also_in=name_also_in)))
    if names := _alternative_names(device_name, name_also_in):
        builder = builder.add_extension(names, critical=False)
    return builder.sign(key, signature_hash(key))


def ending(authority: x509.Certificate, days: int, at: datetime) -> datetime:
    """When a certificate of so many days, made now, ends: not after its CA. Raises AuthorityEnded."""
    if not authority.not_valid_before_utc <= at < authority.not_valid_after_utc:
        begins, ends = authority.not_valid_before_utc, authority.not_valid_after_utc
        raise AuthorityEnded(
            say("The issuing CA's certificate is valid from {begins:%Y-%m-%d} to {ends:%Y-%m-%d}.", begins=begins, ends=ends)
        )
    return min(_whole(at + timedelta(days=days)), authority.not_valid_after_utc)


def belongs_together(certificate: x509.Certificate, key: PrivateKey) -> bool:
    """Whether the key is the certificate's: by its public half, and by a signature made and checked."""
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    mine = key.public_key().public_bytes(serialization.Encoding.DER, spki)
    if mine != certificate.public_key().public_bytes(serialization.Encoding.DER, spki):
        return False
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "proof")])
    try:
        trial = x509.CertificateSigningRequestBuilder(name).sign(key, signature_hash(key))
    except ValueError:
        return False
    return trial.is_signature_valid


def verify_issued(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether the CA's key signed it and its issuer is the CA's subject."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def signature_hash(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512:
    """As strong as the key: SHA-384 and SHA-512 for the larger curves."""
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size > 256:
        return hashes.SHA384() if key.curve.key_size <= 384 else hashes.SHA512()
    return hashes.SHA256()


def _extensions(issuer: Issuer, device_name: str, public_key: PublicKey, profile: Profile) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(sign_certificates=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
        (x509.SubjectKeyIdentifier.from_public_key(public_key), False),
        (authority_key_id(issuer.certificate), False),
    ]
    if names := _alternative_names(device_name, profile.name_also_in):
        found.append((names, False))
    if profile.crl_url:
        place = x509.DistributionPoint([x509.UniformResourceIdentifier(profile.crl_url)], None, None, None)
        found.append((x509.CRLDistributionPoints([place]), False))
    return found


def _alternative_names(device_name: str, name_also_in: NamePlace) -> x509.SubjectAlternativeName | None:
    if name_also_in == NamePlace.DNS_NAME:
        return x509.SubjectAlternativeName([x509.DNSName(device_name)])
    if name_also_in == NamePlace.URI:
        return x509.SubjectAlternativeName([x509.UniformResourceIdentifier(device_name)])
    return None


def authority_key_id(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """That of the CA's own subjectKeyIdentifier; derived from its key where it has none."""
    try:
        held = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())  # type: ignore[arg-type]
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(held)


def _subject(device_name: str, profile: Profile) -> x509.Name:
    parts = [
        (NameOID.ORGANIZATION_NAME, profile.organization),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, profile.unit),
        (NameOID.SERIAL_NUMBER, device_name if profile.name_also_in == NamePlace.SUBJECT_SERIAL_NUMBER else ""),
        (NameOID.COMMON_NAME, device_name),
    ]
    return x509.Name([x509.NameAttribute(oid, _part(text, "DeviceName")) for oid, text in parts if text])


def _part(text: str, field: str) -> str:
    if not text or len(text) > LONGEST_SUBJECT_PART or not text.isprintable():
        raise Invalid(say("A name in a certificate has 1 to {most} characters that can be shown.", most=LONGEST_SUBJECT_PART), field=field)
    return text


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    """keyCertSign and cRLSign of a CA; digitalSignature of a device."""
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _begin(at: datetime) -> datetime:
    return _whole(at - CLOCKS_APART)


def _whole(at: datetime) -> datetime:
    """To the second: a certificate knows no parts of it."""
    return at.astimezone(UTC).replace(microsecond=0)
