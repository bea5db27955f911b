"""XLSX in, as rows of text: the plain form in one pass, anything else guarded first and then read by calamine."""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import islice
from pathlib import PurePosixPath
from typing import Any
from xml.parsers import expat

from python_calamine import CalamineWorkbook

from console.shared.files import sheet_guard, xlsx_plain, xlsx_zeros
from console.shared.files.refusal import COLUMNS_AT_MOST, ROWS_AT_MOST, ROWS_TOGETHER, FileRefused, too_many_columns, too_many_rows
from console.shared.files.repetition import Repetition
from console.shared.files.xlsx_plain import NotPlain
from console.shared.files.xlsx_zeros import Digits
from console.shared.files.zip_guard import GuardedZip
from console.words import say

Columns = Sequence[Sequence[str]]

DIGITS_KEPT = 1e15
_SHEET_DATA = re.compile(rb"<(?:[\w.\-]+:)?sheetData[\s/>]")
_STRINGS = "xl/sharedstrings.xml"
_CONTENTS, _ROOT = "[content_types].xml", "_rels/.rels"
_NO_WORKBOOK = say("This is a zip container but not an Excel workbook (.xlsx).")


def read(data: bytes, pulse: Callable[[], None]) -> tuple[Iterator[Columns], int, str]:
    """The first worksheet's rows from row 1, empty ones included, every cell as text without its format but for the leading zeros that it
    shows, in blocks of columns; how many there are; its title.

    Raises FileRefused.
    """
    container = GuardedZip(data, pulse)
    _check_kind(container)
    part, name = _first_sheet(container)
    try:
        columns = _plain_columns(container, part)
    except NotPlain:
        return _read_any(container, data, part, name)
    _guard(container, part, of_others=True)
    return _sliced(columns), len(columns[0]) if columns else 0, name


def _plain_columns(container: GuardedZip, part: str) -> list[list[str]]:
    """Raises NotPlain."""
    strings = xlsx_plain.shared_strings(container.pieces(_STRINGS)) if _STRINGS in container else []
    return xlsx_plain.columns(container.pieces(part), strings)


def _sliced(columns: Sequence[Sequence[str]]) -> Iterator[Columns]:
    for at in range(0, len(columns[0]) if columns else 0, ROWS_TOGETHER):
        yield [column[at : at + ROWS_TOGETHER] for column in columns]


def _read_any(container: GuardedZip, data: bytes, part: str, name: str) -> tuple[Iterator[Columns], int, str]:
    _guard(container, part)
    with _refusing():
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name(name)
    if sheet.total_width > COLUMNS_AT_MOST:
        raise too_many_columns(1)
    if sheet.total_height > ROWS_AT_MOST:
        raise too_many_rows()
    return _blocks(sheet, xlsx_zeros.shown_digits(container, part)), sheet.total_height, name


@contextmanager
def _refusing() -> Iterator[None]:
    """Around everything that the reader does: a date or a duration that no calendar holds is only met when its row is asked for."""
    try:
        yield
    except BaseException as error:  # The reader's own errors share no family, and a panic of its is no Exception.
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise _damaged() from error


def _damaged() -> FileRefused:
    return FileRefused("The file is damaged: it is not a readable workbook.")


def _blocks(sheet: Any, digits: Digits) -> Iterator[Columns]:
    if sheet.start is None:
        return
    left, rows, at = sheet.start[1], sheet.iter_rows(), 0  # From row 1, but from the first column in use.
    while some := _next(rows):
        columns: list[Sequence[str]] = [("",) * len(some)] * left + [_texts(column) for column in zip(*some, strict=True)]
        for number, widths in digits.items():
            if number < len(columns):
                columns[number] = xlsx_zeros.fill(columns[number], widths[at : at + len(some)])
        yield columns
        at += len(some)


def _next(rows: Iterator[list[Any]]) -> list[list[Any]]:
    with _refusing():
        return list(islice(rows, ROWS_TOGETHER))


def _texts(column: tuple[Any, ...]) -> Sequence[str]:
    """Raises FileRefused at a zero character, which the format can write as _x0000_ and no database stores."""
    texts = column if set(map(type, column)) == {str} else [cell if type(cell) is str else _text(cell) for cell in column]
    if "\0" in "".join(texts):
        raise _damaged()
    return texts


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
    if not abs(number) < DIGITS_KEPT:  # Nor is what is no number at all.
        return f"{number:.14E}"
    return str(int(number)) if number == int(number) else repr(number)


def _guard(container: GuardedZip, first: str, *, of_others: bool = False) -> None:
    """All parts, or those that the plain reader has not read and proven. Raises FileRefused."""
    repetition = Repetition()
    for part in container.names():
        if of_others and part in (first, _STRINGS):
            continue
        if part == first:
            once, again = (repetition.counting_cells(container.pieces(part)) for _pass in range(2))
            sheet_guard.check(once, again, formulas=True)
        elif _might_be_a_sheet(repetition.measuring_strings(container.pieces(part))):
            sheet_guard.check(container.pieces(part), container.pieces(part), formulas=False)
    repetition.check()


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
