"""Workbooks as a factory's office makes them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook

SPELLINGS = (":", "-", "", ".")


def mac_addresses(count: int, first: int = 0x0015A3B00000) -> list[str]:
    """As they are stored: twelve upper-case hex digits."""
    return [f"{first + number:012X}" for number in range(count)]


def spelled(mac: str, number: int) -> str:
    """One of the usual spellings, another for each row."""
    mark = SPELLINGS[number % len(SPELLINGS)]
    size = 4 if mark == "." else 2
    written = mark.join(mac[at : at + size] for at in range(0, 12, size))
    return written.lower() if number % 3 else written


def write(file: Path, rows: Iterable[Sequence[Any]]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    book.save(file)
    return file


def read(file: Path) -> list[tuple[Any, ...]]:
    """Every row of the first sheet, titles first."""
    book = load_workbook(file, read_only=True)
    found = [tuple(row) for row in book.worksheets[0].iter_rows(values_only=True)]
    book.close()
    return found
