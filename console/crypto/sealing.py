"""Sealing: AES-256-GCM envelopes that name their key and are bound to their owner.

Envelope, version 1: 1 byte version, 4 bytes key id, 12 bytes nonce, ciphertext, 16 bytes tag.
The owner (who the secret belongs to, as bytes) and the first 5 bytes are authenticated but not stored twice:
an envelope that is moved to another row, or relabelled with another key, does not open.
"""

import hashlib
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from struct import iter_unpack

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from console.errors import DomainError
from console.words import say

VERSION = b"\x01"
KEY_SIZE = 32
KEY_ID_SIZE = 4
NONCE_SIZE = 12
HEADER_SIZE = len(VERSION) + KEY_ID_SIZE
BODY = HEADER_SIZE + NONCE_SIZE
OVERHEAD = BODY + 16

RandomBytes = Callable[[int], bytes]


class SealBroken(DomainError):
    """An envelope that does not open: damaged, moved to another owner, or of another form."""

    code = "seal_broken"
    default_message = "A sealed value does not open: it is damaged or belongs to something else."


class KeyMissing(SealBroken):
    """The key that sealed it is not on the ring."""

    code = "key_missing"
    default_message = "A sealed value names a key that is not on the key ring."


class BadKeyRing(DomainError):
    """The key ring's text is not of its form."""

    code = "bad_key_ring"
    default_message = "The key ring is not readable."


def key_id(key: bytes) -> bytes:
    """4 bytes that name a key without telling it."""
    return hashlib.sha256(b"nameplate key id" + key).digest()[:KEY_ID_SIZE]


class KeyRing:
    """Keys by id: the first one seals, all of them open."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_SIZE for key in keys):
            raise BadKeyRing("The key ring needs at least one key, each of 32 bytes.")
        self._primary_id = key_id(keys[0])
        self._primary = AESGCM(keys[0])
        self._ciphers = {key_id(key): AESGCM(key) for key in keys}
        self._keys = tuple(keys)

    @property
    def header(self) -> bytes:
        """The 5 bytes with which every envelope of the primary key starts."""
        return VERSION + self._primary_id

    def seal(self, plaintext: bytes, owner: bytes, nonce: bytes | None = None) -> bytes:
        """`nonce`: 12 bytes never used before with this key; drawn from the system if not given."""
        nonce = nonce or os.urandom(NONCE_SIZE)
        header = self.header
        return header + nonce + self._primary.encrypt(nonce, plaintext, header + owner)

    def seal_many(self, values: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """Envelopes of (text, owner) pairs, in their order, with one draw of randomness for all nonces."""
        header, encrypt = self.header, self._primary.encrypt
        nonces = iter_unpack(f"{NONCE_SIZE}s", os.urandom(NONCE_SIZE * len(values)))
        return [
            header + nonce + encrypt(nonce, text.encode(), header + owner) for (nonce,), (text, owner) in zip(nonces, values, strict=True)
        ]

    def open(self, sealed: bytes, owner: bytes) -> bytes:
        """Raises KeyMissing or SealBroken."""
        sealed = bytes(sealed)
        if len(sealed) < OVERHEAD or sealed[:1] != VERSION:
            raise SealBroken
        header, nonce, body = sealed[:HEADER_SIZE], sealed[HEADER_SIZE:BODY], sealed[BODY:]
        cipher = self._ciphers.get(header[1:])
        if cipher is None:
            raise KeyMissing(say("A sealed value names the key {key}, which is not on the key ring.", key=header[1:].hex()))
        try:
            return cipher.decrypt(nonce, body, header + owner)
        except InvalidTag as error:
            raise SealBroken from error

    def open_many(self, values: Sequence[tuple[bytes, bytes]]) -> list[str]:
        """The texts of (envelope, owner) pairs, in their order. Raises as `open` does for the first that fails."""
        header, decrypt = self.header, self._primary.decrypt
        try:
            return [
                (
                    decrypt(sealed[HEADER_SIZE:BODY], sealed[BODY:], header + owner)
                    if sealed[:HEADER_SIZE] == header
                    else self.open(sealed, owner)
                ).decode()
                for sealed, owner in values
            ]
        except (InvalidTag, ValueError):
            return [self.open(sealed, owner).decode() for sealed, owner in values]

    def is_current(self, sealed: bytes) -> bool:
        """Whether the primary key sealed it."""
        return bytes(sealed[:HEADER_SIZE]) == self.header

    def with_new_primary(self, key: bytes) -> "KeyRing":
        return KeyRing((key, *self._keys))

    def without_old_keys(self) -> "KeyRing":
        return KeyRing(self._keys[:1])

    def ids(self) -> tuple[str, ...]:
        """The key ids as 8 hex digits each, the primary first."""
        return tuple(key_id(key).hex() for key in self._keys)

    def dump(self) -> str:
        """The text that `load` reads: version 1, keys in base64, the primary first."""
        return json.dumps({"version": 1, "keys": [b64encode(key).decode() for key in self._keys]}, indent=1)


def load(text: str) -> KeyRing:
    """Raises BadKeyRing."""
    try:
        data = json.loads(text)
        if data["version"] != 1:
            raise BadKeyRing("The key ring is of a version that this release does not know.")
        return KeyRing([b64decode(key, validate=True) for key in data["keys"]])
    except (ValueError, KeyError, TypeError) as error:
        raise BadKeyRing("The key ring is not JSON of the form {version, keys}.") from error


def new_ring(random: RandomBytes = os.urandom) -> KeyRing:
    return KeyRing([random(KEY_SIZE)])
