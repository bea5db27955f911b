"""What kind of key a certificate is about, and whether it is strong enough.

Accepted: RSA of 2048 to 8192 bits (NIST SP 800-57: 112 bits of security and more; longer ones only cost the verifier time), the curves
P-256, P-384 and P-521, Ed25519 and Ed448. Not DSA, and no curve that TLS 1.3 has not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 8192
CURVES: Final = ("secp256r1", "secp384r1", "secp521r1")

_EDWARDS: Final = {"Ed25519": (ed25519.Ed25519PublicKey, 256), "Ed448": (ed448.Ed448PublicKey, 448)}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`kind`: RSA, EC, Ed25519, Ed448, DSA or the OID of another. `bits`: of the modulus or the curve, 0 where unknown."""

    kind: str
    bits: int = 0
    curve: str = ""

    @property
    def is_accepted(self) -> bool:
        if self.kind == "RSA":
            return MIN_RSA_BITS <= self.bits <= MAX_RSA_BITS
        return self.curve in CURVES if self.kind == "EC" else self.kind in ("Ed25519", "Ed448")

    @property
    def shown_as(self) -> str:
        """Such as: RSA 2048, EC secp256r1, Ed25519."""
        return " ".join(filter(None, (self.kind, self.curve or (str(self.bits) if self.kind in ("RSA", "DSA") else ""))))


def describe(asked: Callable[[], object], oid: str) -> PublicKey:
    """`asked`: for the key; `oid`: what the kind is called where we do not know it. Raises what the library raises for a key that cannot
    be one, such as a point beside its curve."""
    try:
        key = asked()
    except UnsupportedAlgorithm:
        return PublicKey(oid)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return PublicKey("EC", key.key_size, key.curve.name)
    if isinstance(key, rsa.RSAPublicKey):
        return PublicKey("RSA", key.key_size)
    if isinstance(key, dsa.DSAPublicKey):
        return PublicKey("DSA", key.key_size)
    return next((PublicKey(kind, bits) for kind, (holding, bits) in _EDWARDS.items() if isinstance(key, holding)), PublicKey(oid))
