"""CSV as a stream: UTF-8 (with a byte order mark for people), CRLF, one header row, safe to open in a spreadsheet."""

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from operator import itemgetter

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
        yield _lines(_guarded(piece, guarded))


def inert(text: str) -> str:
    """With a leading ' if a spreadsheet would run it."""
    return f"'{text}" if _RUN.match(text) else text


def _guarded(rows: list[Sequence[str]], guarded: Sequence[int]) -> list[Sequence[str]]:
    """Almost always no cell is altered, and a block of rows is gone through by column, then left as it is."""
    if not any(any(map(_RUN.match, map(itemgetter(index), rows))) for index in guarded):
        return rows
    return [_guard(row, guarded) for row in rows]


def _guard(row: Sequence[str], guarded: Sequence[int]) -> Sequence[str]:
    return [inert(cell) if index in guarded else cell for index, cell in enumerate(row)]


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    """As csv.writer makes them, which is only asked where a cell of the block has to be quoted, or is no text."""
    try:
        text = "\r\n".join(map(",".join, rows)) + "\r\n"
    except TypeError:
        return _quoted(rows)
    marks = len(rows), len(rows), sum(map(len, rows)) - len(rows)
    empty_line = text.startswith("\r\n") or "\r\n\r\n" in text
    if '"' in text or empty_line or (text.count("\r"), text.count("\n"), text.count(",")) != marks:
        return _quoted(rows)
    return text.encode()


def _quoted(rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()
