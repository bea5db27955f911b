"""Which signatures count: SHA-256 and stronger with RSA (PKCS #1 v1.5 or PSS) or ECDSA, and EdDSA.

MD5 and SHA-1 do not, and there is no switch: for both, two certificates with one signature have been made (Stevens 2009; Leurent and
Peyrin 2020), so whoever gets one certificate signed can have another one for any name. Devices with SHA-1 certificates need new ones.
A trust anchor's own signature is not looked at on a path: it is trusted because it was uploaded.
"""

from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from console.crypto.certificates.certificate import Certificate
from console.crypto.certificates.errors import WeakKey, WeakSignature
from console.crypto.certificates.public_keys import PublicKey
from console.words import say

HASHES: Final = frozenset({"sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512"})
WITHOUT_HASH: Final = frozenset({"1.3.101.112", "1.3.101.113", "ed25519", "ed448"})


def is_accepted(algorithm: str, algorithm_hash: str) -> bool:
    """Fields of a Certificate. DSA has a hash that is strong enough, but no key that is accepted."""
    return algorithm_hash in HASHES or (not algorithm_hash and algorithm.lower() in WITHOUT_HASH)


def check_signature(certificate: Certificate) -> None:
    """That its algorithm is accepted. Raises WeakSignature."""
    if not is_accepted(certificate.signature_algorithm, certificate.signature_hash):
        raise WeakSignature(
            say(
                "{name} is signed with {algorithm}; SHA-256 and stronger are accepted, with RSA, ECDSA or EdDSA.",
                name=certificate.shown_as,
                algorithm=certificate.signature_algorithm,
            )
        )


def check_key(certificate: Certificate) -> None:
    """Raises WeakKey."""
    key = PublicKey(certificate.key_kind, certificate.key_bits, certificate.curve)
    if not key.is_accepted:
        raise WeakKey(
            say(
                "{name} has a key of the kind {key}; RSA of 2048 to 8192 bits, P-256, P-384, P-521, Ed25519 and Ed448 are accepted.",
                name=certificate.shown_as,
                key=key.shown_as,
            )
        )


def is_signed_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether it bears the issuer's name and the issuer's key made its signature. What cannot be verified is no signature."""
    if certificate.issuer_bytes != issuer.subject_bytes:
        return False
    try:
        x509.load_der_x509_certificate(certificate.der).verify_directly_issued_by(x509.load_der_x509_certificate(issuer.der))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True
