"""What the check of a workbook found, for its page: counts, groups of faults with their rows, and a preview without secrets."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from devices.rules.sheet_blocks import Block
from devices.rules.sheets import LEFT_OUT, BadCell

PREVIEW, FIRST_RANGES, GROUPS = 10, 6, 100
_UNTITLED = re.compile(r"column (\d+)")
OTHERS = -1
"""The group of what has none of its own: a workbook with more kinds of faults than GROUPS needs no further ones."""


class Finding(NamedTuple):
    """A BadCell with the number of its group, as it is kept in the vault."""

    group: int
    number: int
    column: str
    value: str
    rule: str
    words: str


class _Group:
    """Cells of one column that break one rule; their first rows as ranges, both ends included."""

    def __init__(self, number: int, cell: BadCell) -> None:
        self.number, self.column, self.rule, self.count = number, cell.column, cell.rule, 0
        self.ranges: list[list[int]] = []

    def add(self, row: int) -> None:
        self.count += 1
        if self.ranges and row - self.ranges[-1][1] in (0, 1):
            self.ranges[-1][1] = row
        elif len(self.ranges) <= FIRST_RANGES:
            self.ranges.append([row, row])

    def facts(self) -> dict[str, Any]:
        return {
            "id": self.number,
            "column": str(self.column),
            "rule": str(self.rule),
            "count": self.count,
            "ranges": self.ranges[:FIRST_RANGES],
            "more": len(self.ranges) > FIRST_RANGES,
            "left_out": self.rule == LEFT_OUT,
        }


class Report:
    """Fed block by block in the order of the sheet."""

    def __init__(self) -> None:
        self.rows = self.good = self.bad = self.left_out = self.cells = 0
        self._groups: dict[tuple[str, str], _Group] = {}
        self._kinds: Counter[str] = Counter()
        self._preview: list[list[str | int]] = []
        self._given = 0

    def add(self, block: Block) -> list[Finding]:
        """The cells that are wrong, or left out, with their groups."""
        self.rows += len(block)
        self._add_good(block.good())
        for found in block.bad.values():
            if found[0].rule == LEFT_OUT:
                self.left_out += 1
            else:
                self.bad += 1
                self.cells += len(found)
        return [Finding(self._group_of(cell), *cell) for found in block.bad.values() for cell in found]

    def _add_good(self, columns: Sequence[Sequence[Any]]) -> None:
        numbers, _names, _nicknames, _sns, kinds, secrets, _fingerprints = columns
        self.good += len(numbers)
        self._kinds.update(kinds)
        self._given += len(secrets) - secrets.count("")
        for *facts, secret, fingerprint in islice(zip(*columns, strict=True), PREVIEW - len(self._preview)):
            self._preview.append([*facts, int(bool(secret)), fingerprint])

    def _group_of(self, cell: BadCell) -> int:
        key = cell.column, cell.rule
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= GROUPS:
                return OTHERS
            group = self._groups[key] = _Group(len(self._groups), cell)
        group.add(cell.number)
        return group.number

    def facts(self) -> dict[str, Any]:
        """Plain values for the upload's row."""
        groups = sorted(self._groups.values(), key=lambda group: -group.count)
        return {
            "cells": self.cells,
            "groups": [group.facts() for group in groups],
            "preview": self._preview,
            "kinds": dict(self._kinds),
            "secrets_given": self._given,
        }


def row_ranges(group: Mapping[str, Any]) -> str:
    """The first rows of a group as a spreadsheet numbers them: 2–4113, 4120, …"""
    texts = [f"{first}" if first == last else f"{first}–{last}" for first, last in group["ranges"]]
    return ", ".join([*texts, "…"] if group["more"] else texts)


def place_of(column: str, places: Mapping[str, int]) -> int | None:
    """The index from 0 of a finding's column: by its title, or by its number where it has none."""
    found = _UNTITLED.fullmatch(column)
    return places.get(column, int(found[1]) - 1 if found else None)
