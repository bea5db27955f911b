"""A zip archive as a stream, for an answer that begins before the last file is made."""

import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, cast

PIECE = 1 << 16


class Outlet:
    """A file that cannot be rewound: what the zip writer writes waits here to be taken."""

    def __init__(self) -> None:
        self.waiting = bytearray()

    def write(self, data: bytes) -> int:
        self.waiting += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        taken = bytes(self.waiting)
        self.waiting.clear()
        return taken


def stream(files: Iterable[tuple[str, bytes]], *, deflated: bool) -> Iterator[bytes]:
    """Pieces of an archive of these files (name, content); one at a time is in memory. The same files make the same bytes."""
    out = Outlet()
    with zipfile.ZipFile(cast("IO[bytes]", out), "w") as archive:
        for name, content in files:
            part = zipfile.ZipInfo(name)  # The zip epoch as its time.
            part.compress_type = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
            archive.writestr(part, content)
            if len(out.waiting) > PIECE:
                yield out.take()
    yield out.take()
