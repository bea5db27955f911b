"""The vault: files in the data folder, encrypted in frames, so that any size is written and read as a stream.

A file is 4 bytes magic, 16 bytes salt, then frames of at most 64 KiB plaintext, each sealed with AES-256-GCM. The frames' key is derived
from the owner row's key, the salt and the file's path, so one key may serve several files and no nonce ever repeats; a frame's nonce is its
number and whether it is the last one. A frame that is changed, missing, moved or put into another file does not open, nor does a file that
was cut short.

The key (32 bytes, `new_key`) is kept sealed in the owning row: `keyring.current().seal(key, row.key_owner())`. Paths are relative to the
data folder's files (settings.MEDIA_ROOT), use / and name no parent folder.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import BinaryIO, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from console.errors import DomainError, Invalid, NotFound
from console.words import say

MAGIC = b"NPV\x01"
SALT_SIZE = 16
FRAME = 64 * 1024
TAG_SIZE = 16


class VaultBroken(DomainError):
    """A stored file does not open: damaged, cut short, or another file's."""

    code = "vault_broken"
    default_message = "A stored file does not open: it is damaged or belongs to something else."


class VaultMissing(NotFound):
    """The stored file is gone: deleted at its end, or expired."""

    code = "vault_missing"
    default_message = "The stored file is no longer there."


class TooLarge(Invalid):
    """More bytes than the caller allowed."""

    code = "file_too_large"


@dataclass(frozen=True, slots=True)
class Stored:
    """`size` in bytes and `sha256` (64 hex digits) of the plaintext."""

    size: int
    sha256: str


def new_key() -> bytes:
    """32 bytes, to be sealed in the owning row."""
    return secrets.token_bytes(32)


def write(path: str, key: bytes, chunks: Iterable[bytes], *, limit: int | None = None) -> Stored:
    """Stores the whole stream under `path`, at once and durably when it is complete, not at all if it breaks. Raises TooLarge."""
    with Writer(path, key, limit=limit) as writer:
        for chunk in chunks:
            writer.write(chunk)
    return writer.stored


class Writer:
    """A file being stored: `write` in the context, `stored` after it. Leaving the context by an exception stores nothing."""

    stored: Stored

    def __init__(self, path: str, key: bytes, *, limit: int | None = None) -> None:
        """`limit`: bytes of plaintext at most."""
        self._path, self._limit = _absolute(path), limit
        self._salt = secrets.token_bytes(SALT_SIZE)
        self._cipher = _cipher(key, self._salt, path)
        self._buffer, self._frames, self._size, self._digest = bytearray(), 0, 0, hashlib.sha256()
        self._temporary = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}.part")
        self._file: BinaryIO

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.fdopen(os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._file.write(MAGIC + self._salt)
        return self

    def write(self, data: bytes) -> int:
        """Raises TooLarge."""
        self._size += len(data)
        if self._limit is not None and self._size > self._limit:
            raise TooLarge(say("The file is larger than {size:,} MiB.", size=self._limit // (1 << 20)))
        self._digest.update(data)
        self._buffer += data
        while len(self._buffer) > FRAME:  # The last frame is only known at the end, so one full frame may wait here.
            self._seal(bytes(self._buffer[:FRAME]), last=False)
            del self._buffer[:FRAME]
        return len(data)

    def _seal(self, plaintext: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._frames, last), plaintext, None))
        self._frames += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._seal(bytes(self._buffer), last=True)
                self._file.flush()
                os.fsync(self._file.fileno())
                self._temporary.replace(self._path)
                self.stored = Stored(self._size, self._digest.hexdigest())
        finally:
            try:
                self._file.close()  # Writes what waits in its buffer, and fails once more where the disk is full.
            finally:
                self._temporary.unlink(missing_ok=True)


def read(path: str, key: bytes) -> Iterator[bytes]:
    """The plaintext, 64 KiB at a time; every piece is proven before it is yielded, the end is proven at the end.

    Raises VaultMissing at once, VaultBroken where the damage is.
    """
    try:
        file = _absolute(path).open("rb")
    except FileNotFoundError as error:
        raise VaultMissing from error
    return _frames(file, path, key)


def _frames(file: BinaryIO, path: str, key: bytes) -> Iterator[bytes]:
    with file:
        head = file.read(len(MAGIC) + SALT_SIZE)
        if len(head) != len(MAGIC) + SALT_SIZE or not head.startswith(MAGIC):
            raise VaultBroken
        cipher, number = _cipher(key, head[len(MAGIC) :], path), 0
        frame = file.read(FRAME + TAG_SIZE)
        while True:
            following = file.read(FRAME + TAG_SIZE)
            try:
                yield cipher.decrypt(_nonce(number, last=not following), frame, None)
            except (InvalidTag, ValueError) as error:
                raise VaultBroken from error
            if not following:
                return
            frame, number = following, number + 1


class Witness:
    """Remembers what was read through it: `sha256` of the bytes so far."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def see(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._digest.update(piece)
            yield piece

    @property
    def sha256(self) -> str:
        """64 hex digits."""
        return self._digest.hexdigest()


def read_lines(path: str, key: bytes, *, skip: int = 0, witness: Witness | None = None) -> Iterator[bytes]:
    """The lines of a stored text without their line ends, from number `skip` (the first is 0). Raises VaultMissing, VaultBroken."""
    rest, number = b"", 0
    pieces = read(path, key)
    for piece in witness.see(pieces) if witness else pieces:
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        if number + len(lines) > skip:
            yield from lines[max(0, skip - number) :]
        number += len(lines)
    if rest and number >= skip:
        yield rest


def exists(path: str) -> bool:
    return bool(path) and _absolute(path).is_file()


def delete(path: str) -> None:
    """Nothing happens where there is no such file."""
    if path:
        _absolute(path).unlink(missing_ok=True)


def old_files(folder: str, *, before: datetime) -> list[str]:
    """The files in a folder that were last written before then, half-written ones of dead workers among them."""
    found = _absolute(folder).glob("*")
    return [f"{folder}/{file.name}" for file in found if file.is_file() and file.stat().st_mtime < before.timestamp()]


def old_folders(folder: str, *, before: datetime) -> list[str]:
    """The folders in a folder in which no file was stored or deleted since then."""
    found = _absolute(folder).glob("*")
    return [f"{folder}/{one.name}" for one in found if one.is_dir() and one.stat().st_mtime < before.timestamp()]


def delete_folder(path: str) -> None:
    """The folder with everything in it; nothing happens where there is none."""
    if path:
        shutil.rmtree(_absolute(path), ignore_errors=True)


def _absolute(path: str) -> Path:
    relative = PurePosixPath(path)
    if not path or relative.is_absolute() or ".." in relative.parts:
        raise ValueError("A path in the vault is relative and names no parent folder.")
    return Path(settings.MEDIA_ROOT) / relative


def _cipher(key: bytes, salt: bytes, path: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, b"nameplate vault 1|" + path.encode()).derive(key))


def _nonce(number: int, last: bool) -> bytes:
    """12 bytes."""
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
