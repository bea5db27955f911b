"""The process's key ring: read from the settings, read again when its file changes, so that a new key needs no restart."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from console.crypto import sealing
from console.crypto.sealing import KeyMissing, KeyRing
from console.words import say

_lock = threading.Lock()
_ring: KeyRing | None = None
_stamp: tuple[int, int] | None = None


def current() -> KeyRing:
    """Raises BadKeyRing. Costs one stat() of the file."""
    global _ring, _stamp
    stamp = _file_stamp()
    if _ring is None or stamp != _stamp:
        with _lock:
            _ring, _stamp = sealing.load(_text()), stamp
    return _ring


def seal(text: str, *, owner: bytes) -> bytes:
    return current().seal(text.encode(), owner)


def seal_many(values: Sequence[tuple[str, bytes]]) -> list[bytes]:
    """Envelopes for (text, owner) pairs, in their order."""
    return current().seal_many(values)


def unseal(sealed: bytes, *, owner: bytes) -> str:
    """Raises SealBroken or KeyMissing."""
    try:
        return current().open(sealed, owner).decode()
    except KeyMissing:
        reset()  # A key that was added a moment ago, within the clock's grain of the file system.
        return current().open(sealed, owner).decode()


def unseal_many(values: Sequence[tuple[bytes, bytes]]) -> list[str]:
    """The texts of (envelope, owner) pairs, in their order. Raises SealBroken or KeyMissing."""
    try:
        return current().open_many(values)
    except KeyMissing:
        reset()  # As in `unseal`.
        return current().open_many(values)


def reset() -> None:
    """Forget the ring, so that the next use reads it again."""
    global _ring, _stamp
    _ring = _stamp = None


def path() -> Path | None:
    """The ring's file, or None where the ring itself stands in the environment."""
    return None if settings.NAMEPLATE_KEY_RING else Path(settings.NAMEPLATE_KEY_RING_FILE)


def write(ring: KeyRing, file: Path) -> None:
    """Replaces the file at once, readable by its owner alone."""
    temporary = file.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(ring.dump())
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(file)
    reset()


def make_if_missing() -> bool:
    """The key ring of a first start. True if it was made now."""
    file = path()
    if file is None or file.exists():
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    write(sealing.new_ring(), file)
    return True


def _text() -> str:
    file = path()
    if file is None:
        return str(settings.NAMEPLATE_KEY_RING)
    try:
        return file.read_text()
    except OSError as error:
        raise sealing.BadKeyRing(say("The key ring {file} cannot be read: {reason}.", file=file, reason=error.strerror)) from error


def _file_stamp() -> tuple[int, int] | None:
    if settings.NAMEPLATE_KEY_RING:
        return None
    try:
        stat = settings.NAMEPLATE_KEY_RING_FILE.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino
