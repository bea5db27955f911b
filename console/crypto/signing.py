"""Signatures: Ed25519 (RFC 8032). Keys are their raw 32 bytes, signatures their 64; a key is named by the beginning of its fingerprint."""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from console.errors import Invalid

ID_DIGITS = 16
_BEGIN, _END = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"


class SignatureBroken(Invalid):
    """The bytes are not those that the holder of the key signed."""

    code = "signature_broken"
    default_message = "The signature does not fit: these are not the bytes that were signed."


class BadPublicKey(Invalid):
    """No PEM of an Ed25519 key."""

    code = "bad_public_key"
    default_message = "This is not the public half of an Ed25519 key in PEM form."


def new_private() -> bytes:
    """32 bytes, to be sealed where they are kept."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_of(private: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def fingerprint(public: bytes) -> str:
    """SHA-256 of the raw public key, 64 lower-case hex digits."""
    return hashlib.sha256(public).hexdigest()


def key_id(public: bytes) -> str:
    """16 lower-case hex digits."""
    return fingerprint(public)[:ID_DIGITS]


def sign(private: bytes, message: bytes) -> bytes:
    """The same 64 bytes each time for the same message."""
    return Ed25519PrivateKey.from_private_bytes(private).sign(message)


def check(public: bytes, signature: bytes, message: bytes) -> None:
    """Raises SignatureBroken."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature as error:
        raise SignatureBroken from error


def pem(public: bytes) -> str:
    """As openssl reads it."""
    key = Ed25519PublicKey.from_public_bytes(public)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def read_pem(text: str) -> list[bytes]:
    """The raw public keys of a text with one PEM block or several. Raises BadPublicKey."""
    blocks = [f"{_BEGIN}{rest.partition(_END)[0]}{_END}\n" for rest in text.split(_BEGIN)[1:]]
    if not blocks:
        raise BadPublicKey
    return [_read_block(block) for block in blocks]


def _read_block(block: str) -> bytes:
    try:
        key = load_pem_public_key(block.encode())
    except ValueError as error:
        raise BadPublicKey from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadPublicKey
    return key.public_bytes_raw()
