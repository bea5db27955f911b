"""Why a file is not read, and how much of one is."""

from typing import ClassVar, Final

from console.errors import Invalid
from console.words import say

MIB: Final = 1 << 20
SIZE_AT_MOST: Final = 64 * MIB
EXPANDED_AT_MOST: Final = 512 * MIB
RATIO_AT_MOST: Final = 100
PARTS_AT_MOST: Final = 1000
COLUMNS_AT_MOST: Final = 64
ROWS_AT_MOST: Final = 500_001
"""Half a million rows and their header."""
ROWS_TOGETHER: Final = 5_000
"""Rows that a reader gives at once."""


class FileRefused(Invalid):
    """A file that is not read at all; the message says why, in words."""

    code: ClassVar[str] = "file_refused"
    default_message: ClassVar[str] = "The file cannot be read."


def too_many_rows() -> FileRefused:
    return FileRefused(say("The file has more than {rows:,} rows: split it.", rows=ROWS_AT_MOST - 1))


def too_many_columns(row: int) -> FileRefused:
    return FileRefused(say("Row {row:,} uses more than {most} columns: this is no list of devices.", row=row, most=COLUMNS_AT_MOST))


def formula_in(cell: str) -> FileRefused:
    return FileRefused(say("Cell {cell} holds a formula, and formulas are not computed here: put its value in its place.", cell=cell))


def column_letters(index: int) -> str:
    """A, B, ... Z, AA, ... for the column with this index from 0."""
    return (column_letters(index // 26 - 1) if index >= 26 else "") + chr(65 + index % 26)
