"""Private keys of issuing CAs and devices as text. RSA of 2048 to 4096 bits, ECDSA on P-256, P-384 and P-521."""

from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from console.crypto.certificates.issuing import PrivateKey
from console.errors import Invalid
from console.words import say

LONGEST_KEY: Final = 16 * 1024
"""Bytes of text; RSA-4096 has some 3,300."""
CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
RSA_BITS: Final = range(2048, 4097)


class BadPrivateKey(Invalid):
    """Not a private key, locked with another password, or of a kind that is not used here."""

    code = "bad_private_key"
    default_message = "This is not a private key in PEM or DER."


def read_private_key(data: bytes, *, password: str = "", field: str = "key") -> PrivateKey:
    """From PEM or DER, PKCS#8, PKCS#1 or SEC 1; `password` where it is encrypted. Raises BadPrivateKey, which repeats nothing of it."""
    if len(data) > LONGEST_KEY:
        raise BadPrivateKey("The private key is longer than any that is taken.", field=field)
    key = _load(data, password.encode() or None, field)
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size in RSA_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, CURVES):
        return key
    raise BadPrivateKey("An issuing CA's key is RSA with 2048 to 4096 bits, or ECDSA on P-256, P-384 or P-521.", field=field)


def open_kept(pem: str) -> PrivateKey:
    """One that was checked when it was sealed: an RSA key is not tested for primes again at each certificate. Raises ValueError."""
    key = serialization.load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ValueError("a key of another kind")  # noqa: TRY004
    return key


def is_rsa(key: PrivateKey) -> bool:
    return isinstance(key, rsa.RSAPrivateKey)


def pem_of(key: PrivateKey) -> str:
    """PKCS#8, without a password: for sealing."""
    return _pem(key, serialization.PrivateFormat.PKCS8)


def old_pem_of(key: PrivateKey) -> str:
    """PKCS#1 (BEGIN RSA PRIVATE KEY) or SEC 1 (BEGIN EC PRIVATE KEY): read by every TLS library that firmware has, and the shorter form."""
    return _pem(key, serialization.PrivateFormat.TraditionalOpenSSL)


def _load(data: bytes, password: bytes | None, field: str) -> object:
    read = serialization.load_pem_private_key if b"-----BEGIN" in data else serialization.load_der_private_key
    try:
        return read(data, password)
    except TypeError:
        words = (
            say("The private key has no password: leave it empty.") if password else say("The private key is encrypted: give its password.")
        )
        raise BadPrivateKey(words, field="password") from None
    except (ValueError, UnsupportedAlgorithm):
        if password:
            raise BadPrivateKey("The password does not open the private key, or it is no private key.", field=field) from None
        raise BadPrivateKey(field=field) from None


def _pem(key: PrivateKey, form: serialization.PrivateFormat) -> str:
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
