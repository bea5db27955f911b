"""A table in a file, whatever its form: rows of text, behind guards that refuse a hostile file before it costs anything."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from console.shared.files import csv_reader, xlsx_reader
from console.shared.files.refusal import MIB, SIZE_AT_MOST, FileRefused

Opener = Callable[[], Iterator[bytes]]

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_TEXT = (".csv", ".txt", ".tsv")
_SAVE = "save it as .xlsx or as CSV UTF-8."
_OTHERS = {
    ".xls": f"This is a workbook of the old kind (.xls): {_SAVE}",
    ".xlsm": f"A workbook of the kind .xlsm holds macros: {_SAVE}",
    ".xltm": f"A workbook of the kind .xltm holds macros: {_SAVE}",
    ".xlsb": f"This is a binary workbook (.xlsb): {_SAVE}",
    ".ods": f"This is an OpenDocument sheet (.ods): {_SAVE}",
    ".numbers": f"This is a Numbers sheet: {_SAVE}",
}


def check_name_and_size(name: str, size: int) -> None:
    """What can be said before a byte is read. Raises FileRefused."""
    ending = PurePath(name).suffix.lower()
    if ending not in (".xlsx", *_TEXT):
        raise FileRefused(_OTHERS.get(ending, "Only Excel workbooks (.xlsx) and CSV files (.csv) are read."))
    if size == 0:
        raise FileRefused("The file is empty.")
    if size > SIZE_AT_MOST:
        raise FileRefused(f"The file is larger than {SIZE_AT_MOST // MIB} MiB.")


@dataclass(frozen=True, slots=True)
class Table:
    """`rows`: from row 1, empty ones included, as text; they may differ in length. `expected`: about how many there are."""

    rows: Iterator[list[str]]
    expected: int


def read(name: str, size: int, opener: Opener, *, pulse: Callable[[], None] = lambda: None) -> Table:
    """`opener` starts the file's bytes anew each time it is called; `pulse` is called every MiB or so, to show that the work goes on.

    Raises FileRefused; for a CSV file also while its rows are read.
    """
    check_name_and_size(name, size)
    head = next(opener(), b"")[:8]
    if PurePath(name).suffix.lower() in _TEXT:
        if head.startswith((_ZIP, _OLE, b"%PDF")):
            raise FileRefused(f"The file is named {PurePath(name).suffix} but is no text: upload the workbook itself, or {_SAVE}")
        return Table(*csv_reader.read(opener, pulse))
    if head.startswith(_OLE):
        raise FileRefused(f"The file is protected by a password, or a workbook of the old kind (.xls) under a new name: {_SAVE}")
    if not head.startswith(_ZIP):
        raise FileRefused(f"The file is named .xlsx but is no workbook: {_SAVE}")
    return Table(*xlsx_reader.read(b"".join(opener()), pulse))
