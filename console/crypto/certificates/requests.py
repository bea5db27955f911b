"""A device's certificate signing request (PKCS #10, RFC 2986), read as strictly as a certificate.

Its own signature is verified while it is read: who sent it has the private key. What it asks for beyond its key and its names
(a CA flag, key usages) is told as OIDs only: whoever issues decides that, never the request.
"""

import hashlib
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.x509.oid import NameOID

from console.crypto.certificates import algorithms, der, extensions, fields, names, pem, reading
from console.crypto.certificates.certificate import AlternativeNames, shown
from console.crypto.certificates.errors import BadCertificateSignature, NotDer, TooLarge, TooMany, WeakKey, WeakSignature
from console.crypto.certificates.public_keys import PublicKey, describe
from console.words import say


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """Fields as in Certificate. `spki`: the SubjectPublicKeyInfo as DER; `extensions`: OIDs of those that it asks for."""

    der: bytes = field(repr=False)
    subject: str
    subject_bytes: bytes = field(repr=False)
    common_names: tuple[str, ...]
    subject_serial_numbers: tuple[str, ...]
    alternative_names: AlternativeNames
    key_kind: str
    key_bits: int
    curve: str
    signature_algorithm: str
    signature_hash: str
    spki: bytes = field(repr=False)
    spki_sha256: str
    extensions: frozenset[str]


def read_request(data: bytes) -> CertificateRequest:
    """PEM or DER. Raises an Unreadable (a private key among them), WeakKey, WeakSignature or BadCertificateSignature."""
    if len(data) > reading.MAX_CERTIFICATE * 2:
        raise TooLarge("The request is larger than any that a device sends.")
    found = reading.certificates_in(data, pem.REQUEST)
    if len(found) > 1:
        raise TooMany("There is more than one certificate signing request.")
    whole = der.check(found[0])
    loaded = _loaded(found[0])
    key = fields.asked("subjectPublicKeyInfo", lambda: describe(loaded.public_key, "unknown"))
    algorithm, algorithm_hash = fields.signature_algorithm(loaded)
    _check_proof(loaded, key, algorithm, algorithm_hash)
    asked_for = fields.asked("extensions", lambda: extensions.read(loaded.extensions))
    subject, spki = _parts(found[0], whole)
    return CertificateRequest(
        der=found[0],
        subject=fields.asked("subject", lambda: names.text(loaded.subject)),
        subject_bytes=subject,
        common_names=fields.asked("subject", lambda: names.values(loaded.subject, NameOID.COMMON_NAME)),
        subject_serial_numbers=fields.asked("subject", lambda: names.values(loaded.subject, NameOID.SERIAL_NUMBER)),
        alternative_names=asked_for.alternative_names,
        key_kind=key.kind,
        key_bits=key.bits,
        curve=key.curve,
        signature_algorithm=algorithm,
        signature_hash=algorithm_hash,
        spki=spki,
        spki_sha256=hashlib.sha256(spki).hexdigest(),
        extensions=asked_for.all,
    )


def to_pem(request: CertificateRequest) -> str:
    return pem.armoured(request.der, pem.REQUEST[0])


def _loaded(data: bytes) -> x509.CertificateSigningRequest:
    try:
        return x509.load_der_x509_csr(data)
    except Exception as error:
        reason = {"reason": shown(str(error))[:200]}
        raise NotDer("The bytes are DER, but they are not a certificate signing request.", facts=reason) from None


def _check_proof(loaded: x509.CertificateSigningRequest, key: PublicKey, algorithm: str, algorithm_hash: str) -> None:
    if not key.is_accepted:
        weak = "The request is for a key {key}; RSA of 2048 to 8192 bits, P-256, P-384, P-521, Ed25519 and Ed448 are accepted."
        raise WeakKey(say(weak, key=key.shown_as))
    if not algorithms.is_accepted(algorithm, algorithm_hash):
        raise WeakSignature(
            say("The request is signed with {algorithm}; SHA-256 and stronger are accepted, with RSA, ECDSA or EdDSA.", algorithm=algorithm)
        )
    if not fields.asked("signature", lambda: loaded.is_signature_valid):
        raise BadCertificateSignature("The request was not signed with the key that it is for.")


def _parts(data: bytes, whole: der.Element) -> tuple[bytes, bytes]:
    """The subject and the SubjectPublicKeyInfo (RFC 2986, 4.1)."""
    info = next(der.children(data, whole))
    parts = [data[one.start : one.end] for one in der.children(data, info)]
    if len(parts) < 3:
        raise NotDer("The bytes are DER, but they are not a certificate signing request.")
    return parts[1], parts[2]
