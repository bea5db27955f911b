"""A zip container, distrusted: its table of contents and the true size of every part are proven before anybody else opens it."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator

from console.shared.files.refusal import EXPANDED_AT_MOST, MIB, PARTS_AT_MOST, RATIO_AT_MOST, FileRefused
from console.words import say

_LOCAL_HEADER = struct.Struct("<4s22xHH")
_PIECE = 1 << 20
_BOMB = say("The file unpacks to far more than a list of devices needs: it looks like a zip bomb.")


class GuardedZip:
    """The parts of a container whose table of contents is sane. Names are lower-case with /, as spreadsheet readers compare them."""

    def __init__(self, data: bytes, pulse: Callable[[], None] = lambda: None) -> None:
        """`pulse` is called at every piece that is read. Raises FileRefused."""
        self._data, self._pulse = data, pulse
        try:
            entries = zipfile.ZipFile(io.BytesIO(data)).infolist()
        except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, OverflowError) as error:
            raise FileRefused("The file is damaged: it is not a readable workbook.") from error
        _check_entries(entries, len(data))
        self._parts = {_plain(entry.filename): entry for entry in entries}
        if len(self._parts) != len(entries):
            raise FileRefused("The file holds two parts of one name: it is not an honest workbook.")

    def names(self) -> list[str]:
        return list(self._parts)

    def __contains__(self, name: str) -> bool:
        return name in self._parts

    def read(self, name: str, *, at_most: int = 16 * MIB) -> bytes:
        """A small part. Raises FileRefused."""
        found = b""
        for piece in self.pieces(name):
            found += piece
            if len(found) > at_most:
                raise FileRefused(_BOMB)
        return found

    def pieces(self, name: str) -> Iterator[bytes]:
        """The part inflated, a MiB at a time, and never more than its entry declares. Raises FileRefused."""
        entry = self._parts[name]
        packed, size = self._packed(entry), 0
        for piece in _inflated(packed) if entry.compress_type == zipfile.ZIP_DEFLATED else _pieces(packed):
            size += len(piece)
            if size > entry.file_size:
                raise FileRefused(_BOMB)
            self._pulse()
            yield piece
        if size != entry.file_size:
            raise FileRefused("The file is damaged: a part of it is shorter than it says.")

    def _packed(self, entry: zipfile.ZipInfo) -> memoryview:
        try:
            mark, name_size, extra_size = _LOCAL_HEADER.unpack_from(self._data, entry.header_offset)
        except struct.error as error:
            raise FileRefused("The file is damaged: a part of it is missing.") from error
        start = entry.header_offset + _LOCAL_HEADER.size + name_size + extra_size
        if mark != b"PK\x03\x04" or start + entry.compress_size > len(self._data):
            raise FileRefused("The file is damaged: a part of it is missing.")
        return memoryview(self._data)[start : start + entry.compress_size]


def _check_entries(entries: list[zipfile.ZipInfo], size: int) -> None:
    if len(entries) > PARTS_AT_MOST:
        raise FileRefused(say("The file has more than {parts:,} parts: this is no simple workbook.", parts=PARTS_AT_MOST))
    if any(entry.flag_bits & 1 for entry in entries):
        raise FileRefused("The file is protected by a password: save it without one.")
    if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        raise FileRefused("The file is packed in a way that workbooks do not use.")
    if sum(entry.compress_size for entry in entries) > size or sum(entry.file_size for entry in entries) > EXPANDED_AT_MOST:
        raise FileRefused(_BOMB)
    if any(entry.file_size > MIB and entry.file_size > RATIO_AT_MOST * max(1, entry.compress_size) for entry in entries):
        raise FileRefused(_BOMB)


def _inflated(packed: memoryview) -> Iterator[bytes]:
    """What deflate really makes of it, whatever the container says."""
    inflater, rest = zlib.decompressobj(-15), bytes(packed)
    try:
        while not inflater.eof:
            piece = inflater.decompress(rest, _PIECE)
            rest = inflater.unconsumed_tail
            if not piece and not rest:
                break
            yield piece
    except zlib.error as error:
        raise FileRefused("The file is damaged: a part of it does not unpack.") from error


def _pieces(packed: memoryview) -> Iterator[bytes]:
    return (bytes(packed[at : at + _PIECE]) for at in range(0, len(packed), _PIECE))


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()
