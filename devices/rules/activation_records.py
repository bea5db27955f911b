"""What a receipt's tree is over: each device's line in the CSV file of activation codes, without its line end, as UTF-8.

Such a line holds a DeviceSecret of 128 random bits, so its hash, and the tree above it, tell nothing about it. Where it holds the product's
secret instead, a hash lets that be guessed no better than any registration does that was signed with it.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

_ALSO_CALLED: Final[Mapping[str, str]] = {"Product ID": "ProductKey", "Mac Upper": "DeviceName", "Device Secret": "DeviceSecret"}
"""Columns of the AliGenie file that hold the same under another title."""


def records(rows: Iterable[Sequence[str]]) -> list[bytes]:
    """Of rows of two cells or more, in the order of the file's columns. Almost never must a cell be quoted, and a page of rows is made at
    once."""
    page = list(rows)
    text = "\n".join(map(",".join, page))
    commas = sum(map(len, page)) - len(page)
    if not page or '"' in text or "\r" in text or text.count("\n") != len(page) - 1 or text.count(",") != commas:
        return [_written(cells).encode() for cells in page]
    return text.encode().split(b"\n")


def places(titles: Sequence[str], columns: Sequence[str]) -> list[int] | None:
    """Where a file with these titles has the receipt's columns; None where one is missing."""
    names = [_ALSO_CALLED.get(title, title) for title in titles]
    return [names.index(column) for column in columns] if set(columns) <= set(names) else None


def _written(cells: Sequence[str]) -> str:
    """As the csv module writes them."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().removesuffix("\r\n")
