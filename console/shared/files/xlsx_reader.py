"""XLSX in: guarded first, then read by calamine as rows of text."""

import io
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any
from xml.parsers import expat

from python_calamine import CalamineWorkbook

from console.shared.files import sheet_guard
from console.shared.files.refusal import COLUMNS_AT_MOST, ROWS_AT_MOST, FileRefused, too_many_columns, too_many_rows
from console.shared.files.repetition import Repetition
from console.shared.files.zip_guard import GuardedZip
from console.words import say

DIGITS_KEPT = 1e15
_SHEET_DATA = re.compile(rb"<(?:[\w.\-]+:)?sheetData[\s/>]")
_CONTENTS, _ROOT = "[content_types].xml", "_rels/.rels"
_NO_WORKBOOK = say("This is a zip container but not an Excel workbook (.xlsx).")


def read(data: bytes, pulse: Callable[[], None]) -> tuple[Iterator[list[str]], int, str]:
    """The first worksheet's rows from row 1, empty ones included, every cell as text without its format; how many there are; its title.

    Raises FileRefused.
    """
    first = _guard(data, pulse)
    try:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name(first)
    except BaseException as error:  # The reader's own errors share no family, and a panic of its is no Exception.
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise FileRefused("The file is damaged: it is not a readable workbook.") from error
    if sheet.total_width > COLUMNS_AT_MOST:
        raise too_many_columns(1)
    if sheet.total_height > ROWS_AT_MOST:
        raise too_many_rows()
    return _texts(sheet), sheet.total_height, first


def _texts(sheet: Any) -> Iterator[list[str]]:
    if sheet.start is None:
        return
    left = sheet.start[1]
    for row in sheet.iter_rows():  # From row 1, but from the first column in use.
        yield [""] * left + [cell if type(cell) is str else _text(cell) for cell in row]


def _text(cell: object) -> str:
    """Numbers without a point where they are whole. Where a spreadsheet has lost digits, the text shows it, and the checks name it."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, int | float):
        return _number(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds")
    return f"{cell.isoformat()} 00:00:00" if isinstance(cell, date) else str(cell)


def _number(number: float) -> str:
    if abs(number) >= DIGITS_KEPT:
        return f"{number:.14E}"
    return str(int(number)) if number == int(number) else repr(number)


def _guard(data: bytes, pulse: Callable[[], None]) -> str:
    """The first worksheet's name. Raises FileRefused."""
    container = GuardedZip(data, pulse)
    _check_kind(container)
    first, name = _first_sheet(container)
    repetition = Repetition()
    for part in container.names():
        if part == first:
            once, again = (repetition.counting_cells(container.pieces(part)) for _pass in range(2))
            sheet_guard.check(once, again, formulas=True)
        elif _might_be_a_sheet(repetition.measuring_strings(container.pieces(part))):
            sheet_guard.check(container.pieces(part), container.pieces(part), formulas=False)
    repetition.check()
    return name


def _might_be_a_sheet(pieces: Iterator[bytes]) -> bool:
    """Whatever the relations call it. Reads the part to its end, which proves its size."""
    found, tail = False, b""
    for piece in pieces:
        found = found or _SHEET_DATA.search(tail + piece) is not None
        tail = piece[-64:]
    return found


def _check_kind(container: GuardedZip) -> None:
    if any(name.endswith("vbaproject.bin") for name in container.names()):
        raise FileRefused("The workbook holds macros: save it as .xlsx without them.")
    if _CONTENTS not in container or _ROOT not in container:
        raise FileRefused(_NO_WORKBOOK)
    if b"macroenabled" in container.read(_CONTENTS).lower():
        raise FileRefused("The workbook is of a kind that holds macros (.xlsm): save it as .xlsx.")


def _first_sheet(container: GuardedZip) -> tuple[str, str]:
    """Part and name of the first worksheet that people see, in the order of the tabs."""
    books = [one for one in _elements(container.read(_ROOT), "Relationship") if one.get("Type", "").endswith("/officeDocument")]
    book = _part(PurePosixPath(), books[0].get("Target", "")) if len(books) == 1 else PurePosixPath()
    if str(book) not in container:
        raise FileRefused(_NO_WORKBOOK)
    sheets = [one for one in _elements(container.read(str(book)), "sheet") if one.get("state", "visible") == "visible"]
    if not sheets:
        raise FileRefused("The workbook has no worksheet that can be seen.")
    relation = next((value for key, value in sheets[0].items() if key.endswith(":id")), "")
    relations = str(book.parent / "_rels" / f"{book.name}.rels")
    related = _elements(container.read(relations), "Relationship") if relations in container else []
    part = _part(book.parent, next((one.get("Target", "") for one in related if one.get("Id") == relation), ""))
    if str(part) not in container:
        raise FileRefused("The file is damaged: its first worksheet is missing.")
    return str(part), sheets[0].get("name", "")


def _part(folder: PurePosixPath, target: str) -> PurePosixPath:
    """What a relation's target means: from the container's root with a leading /, else from the folder."""
    plain = target.replace("\\", "/").lower()
    return PurePosixPath(plain.lstrip("/")) if plain.startswith(("/", "xl/")) else folder / plain


def _elements(xml: bytes, wanted: str) -> list[dict[str, str]]:
    """The attributes of every element of this name. Raises FileRefused."""
    found: list[dict[str, str]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == wanted:
            found.append(attributes)

    def refuse(*args: object) -> None:
        raise FileRefused("The workbook declares a document type: it is not an honest workbook.")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.StartDoctypeDeclHandler = start, refuse
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise FileRefused("The file is damaged: its table of contents is not readable XML.") from error
    return found
