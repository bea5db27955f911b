"""CSV in: UTF-8 with or without a byte order mark, UTF-16 with one, or GB 18030; parted by comma, semicolon or tab.

The file streams past twice, once to find its encoding, and nothing of it is kept.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, zip_longest

from console.shared.files.refusal import (
    COLUMNS_AT_MOST,
    ROWS_AT_MOST,
    ROWS_TOGETHER,
    FileRefused,
    column_letters,
    formula_in,
    too_many_columns,
    too_many_rows,
)
from console.words import say

Opener = Callable[[], Iterator[bytes]]
Columns = Sequence[Sequence[str]]
LINE_AT_MOST = 64 * 1024
_DELIMITERS = ",;\t"


def read(opener: Opener, pulse: Callable[[], None]) -> tuple[Iterator[Columns], int]:
    """Every record, empty lines included, so that a record's number is its row in a spreadsheet, in blocks of columns; and about how many
    there are.

    Raises FileRefused, also while the records are read.
    """
    encoding, expected = _encoding(opener, pulse)
    return _blocks(_records(opener, encoding)), expected


def _blocks(records: Iterator[list[str]]) -> Iterator[Columns]:
    while some := list(islice(records, ROWS_TOGETHER)):
        yield list(zip_longest(*some, fillvalue="")) or [("",) * len(some)]


def _records(opener: Opener, encoding: str) -> Iterator[list[str]]:
    lines = _lines(opener(), encoding)
    first = next(lines, "")
    delimiter = max(_DELIMITERS, key=_outside_quotes(first).count)
    records = csv.reader(_again(first, lines), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, record in enumerate(records, 1):
            yield _checked(number, record)
    except csv.Error as error:
        raise FileRefused(say("Row {row:,} is not readable as CSV: {reason}.", row=number + 1, reason=str(error))) from error


def _checked(number: int, record: list[str]) -> list[str]:
    if number > ROWS_AT_MOST:
        raise too_many_rows()
    if len(record) > COLUMNS_AT_MOST:
        record = _without_empty_end(record)
        if len(record) > COLUMNS_AT_MOST:
            raise too_many_columns(number)
    for index, cell in enumerate(record):
        if cell.startswith("="):
            raise formula_in(f"{column_letters(index)}{number}")
    return record


def _without_empty_end(record: list[str]) -> list[str]:
    while record and not record[-1].strip():
        record.pop()
    return record


def _encoding(opener: Opener, pulse: Callable[[], None]) -> tuple[str, int]:
    """The first of UTF-8 and GB 18030 in which the whole file makes sense, and its number of lines. Raises FileRefused."""
    head = next(opener(), b"")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", 0
    if b"\0" in head:
        raise FileRefused("This is not a text file: a CSV file holds no zero bytes.")
    for encoding in ("utf-8-sig", "gb18030"):
        lines = _lines_in(opener(), encoding, pulse)
        if lines is not None:
            return encoding, lines
    raise FileRefused("The file's text is neither UTF-8 nor GB 18030: save it as CSV UTF-8.")


def _lines_in(chunks: Iterator[bytes], encoding: str, pulse: Callable[[], None]) -> int | None:
    """None where it does not decode."""
    decoder, count = codecs.getincrementaldecoder(encoding)(), 1
    try:
        for chunk in chunks:
            decoder.decode(chunk)
            count += chunk.count(b"\n")
            pulse()
        decoder.decode(b"", final=True)
    except UnicodeError:
        return None
    return count


def _lines(chunks: Iterator[bytes], encoding: str) -> Iterator[str]:
    """Lines with their ends, as the csv module wants them. Raises FileRefused at a line that no list of devices has."""
    text = io.TextIOWrapper(io.BufferedReader(_Stream(chunks)), encoding, newline="")
    try:
        while line := text.readline(LINE_AT_MOST):
            if len(line) == LINE_AT_MOST:
                raise FileRefused("A line of the file is far too long: this is no list of devices.")
            if "\0" in line:
                raise FileRefused("This is not a text file: a CSV file holds no zero bytes.")
            yield line
    except UnicodeError as error:
        raise FileRefused("The file's text is damaged: save it as CSV UTF-8.") from error


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest


def _outside_quotes(line: str) -> str:
    return "".join(line.split('"')[::2])


class _Stream(io.RawIOBase):
    """An iterator of bytes as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)
