"""A table in a file, whatever its form: rows of text, behind guards that refuse a hostile file before it costs anything."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePath

from console.shared.files import csv_reader, xlsx_reader
from console.shared.files.refusal import MIB, SIZE_AT_MOST, FileRefused
from console.words import say

Opener = Callable[[], Iterator[bytes]]
Columns = Sequence[Sequence[str]]

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_TEXT = (".csv", ".txt", ".tsv")
_NOT_READ = say("Only Excel workbooks (.xlsx) and CSV files (.csv) are read.")
_OTHERS = {
    ".xls": say("This is a workbook of the old kind (.xls): save it as .xlsx or as CSV UTF-8."),
    ".xlsm": say("A workbook of the kind .xlsm holds macros: save it as .xlsx or as CSV UTF-8."),
    ".xltm": say("A workbook of the kind .xltm holds macros: save it as .xlsx or as CSV UTF-8."),
    ".xlsb": say("This is a binary workbook (.xlsb): save it as .xlsx or as CSV UTF-8."),
    ".ods": say("This is an OpenDocument sheet (.ods): save it as .xlsx or as CSV UTF-8."),
    ".numbers": say("This is a Numbers sheet: save it as .xlsx or as CSV UTF-8."),
}


def check_name_and_size(name: str, size: int) -> None:
    """What can be said before a byte is read. Raises FileRefused."""
    ending = PurePath(name).suffix.lower()
    if ending not in (".xlsx", *_TEXT):
        raise FileRefused(_OTHERS.get(ending, _NOT_READ))
    if size == 0:
        raise FileRefused("The file is empty.")
    if size > SIZE_AT_MOST:
        raise FileRefused(say("The file is larger than {size:,} MiB.", size=SIZE_AT_MOST // MIB))


@dataclass(frozen=True, slots=True)
class Table:
    """`blocks`: the rows from row 1, empty ones included, some thousands at a time and column by column, each column as long as the others.
    It is gone through once. `expected`: about how many rows there are. `title`: of the worksheet; a CSV file has none."""

    blocks: Iterator[Columns]
    expected: int
    title: str = ""

    @property
    def rows(self) -> Iterator[list[str]]:
        """Instead of `blocks`. Their length may change from block to block."""
        return map(list, chain.from_iterable(zip(*block, strict=True) for block in self.blocks))


def is_text(name: str) -> bool:
    """CSV, not a workbook."""
    return PurePath(name).suffix.lower() in _TEXT


def read(name: str, size: int, opener: Opener, *, pulse: Callable[[], None] = lambda: None) -> Table:
    """`opener` starts the file's bytes anew each time it is called; `pulse` is called every MiB or so, to show that the work goes on.

    Raises FileRefused; for a CSV file also while its rows are read.
    """
    check_name_and_size(name, size)
    head = next(opener(), b"")[:8]
    if is_text(name):
        if head.startswith((_ZIP, _OLE, b"%PDF")):
            ending = PurePath(name).suffix
            raise FileRefused(
                say(
                    "The file is named {ending} but is no text: upload the workbook itself, or save it as .xlsx or as CSV UTF-8.",
                    ending=ending,
                )
            )
        return Table(*csv_reader.read(opener, pulse))
    if head.startswith(_OLE):
        raise FileRefused(
            "The file is protected by a password, or a workbook of the old kind (.xls) under a new name: save it as .xlsx or as CSV UTF-8."
        )
    if not head.startswith(_ZIP):
        raise FileRefused("The file is named .xlsx but is no workbook: save it as .xlsx or as CSV UTF-8.")
    return Table(*xlsx_reader.read(b"".join(opener()), pulse))
