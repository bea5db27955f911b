"""CSV as a stream: UTF-8 (with a byte order mark for people), CRLF, one header row, safe to open in a spreadsheet."""

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice

ROWS_A_PIECE = 2000
_RUN = re.compile(r"[\s\u00a0\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")


def stream(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, unaltered: Collection[str] = (), for_people: bool = True
) -> Iterator[bytes]:
    """Pieces of the file, ready for a StreamingHttpResponse or the vault.

    A cell that a spreadsheet would run as a formula gets a leading ', except in the columns named in `unaltered` (secrets, keys,
    DeviceNames: what is flashed must come out as it is). `for_people=False` leaves the byte order mark away, for machines.
    """
    yield ("\ufeff" if for_people else "").encode() + _lines([header])
    guarded = [index for index, name in enumerate(header) if name not in unaltered]
    lines = iter(rows)
    while piece := list(islice(lines, ROWS_A_PIECE)):
        yield _lines([_guard(row, guarded) for row in piece] if guarded else piece)


def inert(text: str) -> str:
    """With a leading ' if a spreadsheet would run it."""
    return f"'{text}" if _RUN.match(text) else text


def _guard(row: Sequence[str], guarded: Sequence[int]) -> Sequence[str]:
    if not any(_RUN.match(row[index]) for index in guarded):
        return row
    return [inert(cell) if index in guarded else cell for index, cell in enumerate(row)]


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()
