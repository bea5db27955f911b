"""Files beside a receipt, as somebody has them who got them from elsewhere: looked at without a database."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

from console.errors import Invalid
from console.shared.files import tables
from console.shared.files.refusal import FileRefused
from console.words import say
from devices.rules import activation_records, receipt_form
from devices.rules.merkle import Tree
from devices.rules.receipt_checks import SeenFile
from devices.rules.receipt_form import Receipt

PIECE = 1 << 20
ROWS_AT_ONCE = 5_000


class Unreadable(Invalid):
    """The system does not give the file."""

    code = "file_unreadable"


def read_receipt(file: Path) -> Receipt:
    """Raises Unreadable or NotAReceipt."""
    with _opened(file) as stream:
        return receipt_form.decode(stream.read(receipt_form.SIZE_AT_MOST + 1))


def read_text(file: Path) -> str:
    """Raises Unreadable."""
    with _opened(file) as stream:
        return str(stream.read(PIECE).decode("utf-8", "replace"))


def look_at(file: Path, columns: Sequence[str]) -> SeenFile:
    """Its SHA-256, and the tree over its devices by the receipt's `columns`, whatever the form of the file. Raises Unreadable."""
    sha256 = hashlib.sha256()
    for piece in _pieces(file):
        sha256.update(piece)
    try:
        table = tables.read(file.name, file.stat().st_size, lambda: _pieces(file))
        rows, root = _tree_of(iter(table.rows), columns)
    except FileRefused as error:
        return SeenFile(sha256.hexdigest(), fault=error.message)
    return SeenFile(sha256.hexdigest(), rows, root)


def _tree_of(rows: Iterator[list[str]], columns: Sequence[str]) -> tuple[int, str]:
    """How many devices, and the root, empty where a column is missing. Raises FileRefused."""
    places = activation_records.places(next(rows, []), columns)
    if places is None:
        return sum(1 for _row in rows), ""
    tree = Tree()
    while page := list(islice(rows, ROWS_AT_ONCE)):
        tree.add(activation_records.records(_chosen(page, places)))
    return tree.count, tree.root()


def _chosen(page: Sequence[Sequence[str]], places: Sequence[int]) -> Iterable[tuple[str, ...]]:
    """Rows may be short: a cell that is not there is an empty one."""
    longest = max(places) + 1
    choose: Callable[[Sequence[str]], Any] = itemgetter(*places)
    return (choose(row if len(row) >= longest else [*row, *[""] * longest]) for row in page)


def _pieces(file: Path) -> Iterator[bytes]:
    """Raises Unreadable."""
    with _opened(file) as stream:
        while piece := stream.read(PIECE):
            yield piece


def _opened(file: Path) -> Any:
    try:
        return file.open("rb")
    except OSError as error:
        raise Unreadable(say("{file} cannot be read: {reason}.", file=file.name, reason=error.strerror)) from error
