"""Thousands of rows of a device list checked at once, column by column.

Nearly all cells of a list are in their stored form already, and one regular expression a cell proves it; columns of few words are looked
up word by word. Any other cell is read by its rule, and a row with a bad cell is checked again by itself, for the words. What a cell may
hold is said in one place, sheets.RowCheck; the expressions are made of the same forms, and a test holds the two ways against each other.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

from console.errors import DomainError
from devices.rules import names, sheets
from devices.rules.columns import AUTHENTICATION, DEVICE_NAME, DEVICE_SECRET, FINGERPRINT, NICKNAME, PRODUCT_KEY, SN, Layout
from devices.rules.sheets import BadCell, GoodRow, RowCheck, Terms

Columns = Sequence[Sequence[str]]
"""The cells of some rows that follow each other, column by column, each of the same length."""

FEW = 64
"""A column of so few different texts in a block has a vocabulary: a kind, an empty column, a nickname for all."""
_IN_A_ROW = (DEVICE_NAME, NICKNAME, SN, AUTHENTICATION, DEVICE_SECRET, FINGERPRINT)
"""In the order of GoodRow, behind the row's number."""
_NAMES, _SNS, _KINDS, _FINGERPRINTS = 1, 3, 4, 6


@dataclass(slots=True)
class Block:
    """Rows that are in use. `columns`: in the order of GoodRow; what a bad cell says of its row is empty. `bad`: index in the block, in
    order -> every cell that is wrong with the row."""

    columns: list[list[Any]]
    bad: dict[int, list[BadCell]]

    def __len__(self) -> int:
        return len(self.columns[0])

    @property
    def names(self) -> list[str]:
        return self.columns[_NAMES]

    @property
    def sns(self) -> list[str]:
        return self.columns[_SNS]

    def row(self, index: int) -> GoodRow:
        return GoodRow(*[column[index] for column in self.columns])

    def good(self) -> list[list[Any]]:
        """The columns without the bad rows."""
        if not self.bad:
            return self.columns
        kept = [index not in self.bad for index in range(len(self))]
        return [list(compress(column, kept)) for column in self.columns]


class BlockCheck:
    """As RowCheck for the rows of one file, which it is given in their order."""

    def __init__(self, layout: Layout, terms: Terms) -> None:
        self._rows, self._layout, self._names_only = RowCheck(layout, terms), layout, terms.names_only
        secret = terms.wire.whole_device_secret
        self._plain: dict[str, re.Pattern[str] | None] = {
            DEVICE_NAME: names.plain_device_name(terms.kind, terms.wire),
            NICKNAME: names.PLAIN_NICKNAME,
            SN: names.PLAIN_SN,
            DEVICE_SECRET: names.plain(secret.pattern.pattern, optional=True) if secret else None,
            FINGERPRINT: names.PLAIN_FINGERPRINT,
        }

    @property
    def width(self) -> int:
        """As RowCheck has it."""
        return self._rows.width

    def block(self, first: int, cells: Columns) -> Block:
        """The rows from number `first` on, without the blank ones."""
        numbers, cells = self._in_use(list(range(first, first + len(cells[0]))), cells)
        odd: set[int] = set()
        columns = [numbers, *(self._column(column, cells, len(numbers), odd) for column in _IN_A_ROW)]
        self._column(PRODUCT_KEY, cells, len(numbers), odd)
        odd |= self._with_strays(cells) | _with_another_fingerprint(columns)
        bad = {}
        for index in odd:
            row, found = self._rows.by_itself(numbers[index], [column[index] for column in cells])
            for values, value in zip(columns, row, strict=True):
                values[index] = value
            if found:
                bad[index] = found
        self._find_repeated(DEVICE_NAME, columns[_NAMES], numbers, bad)
        self._find_repeated(SN, columns[_SNS], numbers, bad)
        self._widen(cells)
        return Block(columns, dict(sorted(bad.items())))

    def _in_use(self, numbers: list[int], cells: Columns) -> tuple[list[int], Columns]:
        """A row without a DeviceName may be blank."""
        at = self._layout.at[DEVICE_NAME]
        if at < len(cells) and all(map(str.strip, cells[at])):
            return numbers, cells
        used = [not sheets.is_blank(row) for row in zip(*cells, strict=True)]
        return list(compress(numbers, used)), [list(compress(column, used)) for column in cells]

    def _column(self, column: str, cells: Columns, count: int, odd: set[int]) -> list[Any]:
        """The column in its stored form; adds the rows whose cell is bad to `odd`."""
        at = self._layout.at.get(column)
        if at is None:
            return [self._rows.absent(column)] * count
        texts = cells[at] if at < len(cells) else [""] * count
        different, plain = set(texts), self._plain.get(column)
        if len(different) <= FEW or column not in self._plain:
            return self._looked_up(column, texts, different, odd)
        values: list[Any] = list(texts)
        unclear = range(count) if plain is None else [at for at, found in enumerate(map(plain.fullmatch, texts)) if found is None]
        for index in unclear:
            values[index] = self._stored(column, texts[index])
            if values[index] is None:
                odd.add(index)
        return values

    def _looked_up(self, column: str, texts: Sequence[str], different: set[str], odd: set[int]) -> list[Any]:
        words = {text: self._stored(column, text) for text in different}
        values = [words[text] for text in texts]
        if None in words.values():
            odd.update([index for index, value in enumerate(values) if value is None])
        return values

    def _stored(self, column: str, text: str) -> str | None:
        try:
            return self._rows.cell(column, sheets.cell_of([text], 0))
        except DomainError:
            return None

    def _with_strays(self, cells: Columns) -> set[int]:
        """Rows with a value that has no title above it."""
        if self._names_only:
            return set()
        untitled = [index for index in range(len(cells)) if index not in self._rows.titled and any(cells[index])]
        return {
            row for index in untitled for row, cell in enumerate(cells[index]) if cell.strip() and not self._rows.is_reason(index, cell)
        }

    def _find_repeated(self, column: str, values: Sequence[str], numbers: list[int], bad: dict[int, list[BadCell]]) -> None:
        if not any(values):
            return
        known = self._rows.numbers[column]
        firsts = list(map(known.setdefault, values, numbers))
        known.pop("", None)
        if firsts != numbers:
            for index, (value, number, first) in enumerate(zip(values, numbers, firsts, strict=True)):
                if first != number and value:
                    bad.setdefault(index, []).append(self._rows.repeated(number, column, value, first))

    def _widen(self, cells: Columns) -> None:
        rows = self._rows
        for index in range(len(cells) - 1, rows.width - 1, -1):
            if any(cell.strip() and not rows.is_reason(index, cell) for cell in cells[index]):
                rows.width = index + 1
                return


def _with_another_fingerprint(columns: Sequence[Sequence[Any]]) -> set[int]:
    """Rows with a fingerprint whose authentication has none."""
    if not any(columns[_FINGERPRINTS]):
        return set()
    pairs = enumerate(zip(columns[_FINGERPRINTS], columns[_KINDS], strict=True))
    return {index for index, (fingerprint, kind) in pairs if fingerprint and not sheets.may_have_fingerprint(kind or "")}
