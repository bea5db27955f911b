"""The cells of a device list: every row checked, every bad cell named with its row, column, value and rule."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from console.errors import DomainError, Invalid
from console.words import Sentence, beginning, say
from devices.rules import columns, names, pins
from devices.rules.columns import AUTHENTICATION, DEVICE_NAME, DEVICE_SECRET, FINGERPRINT, NICKNAME, PRODUCT_KEY, REASON_MARK, SN, Layout
from products.rules.wire_formats import WireFormat

SHOWN = 60
"""Characters of a bad value that are repeated."""

DYNAMIC, STATIC, X509 = "dynamic", "static", "x509"
_AUTHENTICATION = {
    DYNAMIC: frozenset({"dynamic", "动态", "动态认证", "动态鉴权"}),
    STATIC: frozenset({"static", "静态", "静态认证", "静态鉴权"}),
    X509: frozenset({"x509", "x509certificate", "certificate", "证书", "x509证书", "证书认证"}),
}
_AUTHENTICATION_OF = {word: kind for kind, words in _AUTHENTICATION.items() for word in words}
_COLUMNS_BUT_FINGERPRINT = (DEVICE_NAME, PRODUCT_KEY, NICKNAME, SN, AUTHENTICATION, DEVICE_SECRET)
_NO_FINGERPRINT = say("Only a device with a certificate of its own (X.509) has a fingerprint.")
LEFT_OUT = say("Left out, since the pre-import list has the DeviceName already")
_GUARDED = re.compile(r"'[\s\u00a0]*[=+\-@\t\r\n]")


@dataclass(frozen=True, slots=True)
class Terms:
    """What the product asks of its rows. `authentication`: of rows that do not say. `names_only`: a production upload."""

    product_key: str
    kind: str
    wire: WireFormat
    allows_static: bool
    authentication: str = DYNAMIC
    names_only: bool = False


class GoodRow(NamedTuple):
    """A row in its stored form; `number` as in the sheet, the first is 1. An empty secret is to be issued."""

    number: int
    device_name: str
    nickname: str
    sn: str
    authentication: str
    device_secret: str
    fingerprint: str


class BadCell(NamedTuple):
    """`rule`: a few words, the same for all cells with this fault; `words`: what is wrong with this one. `value` is never a secret."""

    number: int
    column: str
    value: str
    rule: str
    words: str


def read_layout(first: Sequence[str], terms: Terms) -> Layout:
    """From the first row with anything in it. Raises BadHeader."""
    used = [cell for cell in first if cell.strip() and not cell.startswith(REASON_MARK)]
    if terms.kind in ("mac", "imei") and len(used) == 1 and _is_name(used[0], terms):
        return Layout({DEVICE_NAME: list(first).index(used[0])}, headless=True)
    return columns.layout(first, names_only=terms.names_only)


def _is_name(text: str, terms: Terms) -> bool:
    try:
        names.device_name(terms.kind, terms.wire, text)
    except DomainError:
        return False
    return True


class RowCheck:
    """Checks the rows of one file one after the other and remembers their names and SNs, so that a second one is found."""

    def __init__(self, layout: Layout, terms: Terms) -> None:
        self.layout, self.terms = layout, terms
        self.numbers: dict[str, dict[str, int]] = {DEVICE_NAME: {}, SN: {}}
        """column -> value -> the first row that has it"""
        self.titled = set(layout.at.values()) | set(layout.titles)
        self.width = 0
        """Columns in use, the reasons of a marked workbook not counted where they stand last."""
        self._width = max(self.titled) + 1
        self._all_titled = terms.names_only or len(self.titled) == self._width
        self._rules: dict[str, Callable[[str], str]] = {
            DEVICE_NAME: self._device_name,
            PRODUCT_KEY: self._product_key,
            NICKNAME: names.nickname,
            SN: names.serial_number,
            AUTHENTICATION: self._authentication,
            DEVICE_SECRET: self._device_secret,
            FINGERPRINT: pins.normalise,
        }

    def row(self, number: int, cells: Sequence[str]) -> tuple[GoodRow, list[BadCell]]:
        """The row, and every cell that is wrong with it: what they say of the row is empty."""
        row, bad = self.by_itself(number, cells)
        for column, value in ((DEVICE_NAME, row.device_name), (SN, row.sn)):
            first = self.numbers[column].setdefault(value, number) if value else number
            if first != number:
                bad.append(self.repeated(number, column, value, first))
        if len(cells) > self.width:
            self.width = max(self.width, self._extent(cells))
        return row, bad

    def by_itself(self, number: int, cells: Sequence[str]) -> tuple[GoodRow, list[BadCell]]:
        """As `row`, without a look at the rows before it."""
        bad: list[BadCell] = []

        def read(column: str) -> str:
            index = self.layout.at.get(column)
            if index is None and column != DEVICE_NAME:
                return self.absent(column)
            text = cell_of(cells, index)
            try:
                return self.cell(column, text)
            except DomainError as error:
                bad.append(self._bad(number, column, text, error.message))
                return ""

        name, _key, nickname, sn, kind, secret = (read(column) for column in _COLUMNS_BUT_FINGERPRINT)
        fingerprint = read(FINGERPRINT)
        if fingerprint and not may_have_fingerprint(kind):
            bad.append(self._bad(number, FINGERPRINT, cell_of(cells, self.layout.at[FINGERPRINT]), _NO_FINGERPRINT))
            fingerprint = ""
        if len(cells) > self._width or not self._all_titled:
            bad += self._strays(number, cells)
        return GoodRow(number, name, nickname, sn, kind, secret, fingerprint), bad

    def cell(self, column: str, text: str) -> str:
        """A trimmed text of this column in its stored form. Raises DomainError."""
        if len(text) == 19 and names.SPOILED_DATE.fullmatch(text):
            raise Invalid("A spreadsheet has turned this into a date: format the column as text.")
        return self._rules[column](text)

    def absent(self, column: str) -> str:
        """What holds where the file has no such column."""
        return self.terms.authentication if column == AUTHENTICATION else ""

    def repeated(self, number: int, column: str, value: str, first: int) -> BadCell:
        """A name or SN that stood in an earlier row; bad rows count too, so that nobody has to upload twice to learn it."""
        words = say("Row {row:,} of this file has the same {column}.", row=first, column=column)
        return self._bad(number, column, value, words, say("Twice in this file: {column}", column=column))

    def _extent(self, cells: Sequence[str]) -> int:
        extent = len(cells)
        while extent and (not cells[extent - 1].strip() or self.is_reason(extent - 1, cells[extent - 1])):
            extent -= 1
        return extent

    def is_reason(self, index: int, cell: str) -> bool:
        """Of a workbook that comes back marked."""
        return index == self.layout.reason or (self.layout.headless and cell.startswith(REASON_MARK))

    def _bad(self, number: int, column: str, value: str, words: str, rule: str = "") -> BadCell:
        shown = "•••" if column == DEVICE_SECRET else shorten(value)
        return BadCell(number, self.layout.title(column), shown, rule or _rule(words), words)

    def _strays(self, number: int, cells: Sequence[str]) -> list[BadCell]:
        if self.terms.names_only:
            return []
        return [
            BadCell(
                number,
                say("column {number}", number=index + 1),
                "•••",
                say("A value without a title above it"),
                say("Its column has no title."),
            )
            for index, cell in enumerate(cells)
            if index not in self.titled and cell.strip() and not self.is_reason(index, cell)
        ]

    def _device_name(self, text: str) -> str:
        return names.device_name(self.terms.kind, self.terms.wire, text)

    def _product_key(self, text: str) -> str:
        if text and text != self.terms.product_key:
            raise Invalid(say("The row is of another product; this list is for {product_key}.", product_key=self.terms.product_key))
        return text

    def _authentication(self, text: str) -> str:
        kind = _AUTHENTICATION_OF.get(columns.plain(text)) if text else self.terms.authentication
        if kind is None:
            raise Invalid("The authentication is dynamic, static or x509.")
        if kind == STATIC and not self.terms.allows_static:
            raise Invalid("Only products on MQTT or LwM2M can hold static devices.")
        return kind

    def _device_secret(self, text: str) -> str:
        return self.terms.wire.check_device_secret(text) if text else ""


def _rule(words: str) -> str:
    """The words without their particulars; a wrong number of digits is a rule of its own."""
    counted = isinstance(words, Sentence) and set(words.facts) == {"digits"}
    return words if counted else beginning(words)


def left_out(number: int, layout: Layout, value: str, other: int) -> BadCell:
    """No fault: a row whose DeviceName the list has, where such rows are skipped."""
    words = say("Left out: the pre-import list has this DeviceName already, in its row #{other}.", other=other)
    return BadCell(number, layout.title(DEVICE_NAME), shorten(value), LEFT_OUT, words)


def taken(number: int, layout: Layout, column: str, value: str, other: int) -> BadCell:
    """A DeviceName or SN that the pre-import list has already, in its row `other`."""
    words = say("The pre-import list has this {column} already, in its row #{other}.", column=column, other=other)
    return BadCell(number, layout.title(column), shorten(value), say("In the pre-import list already: {column}", column=column), words)


def not_meant(number: int, layout: Layout, value: str, words: str) -> BadCell:
    """A generated SN that this row may not have."""
    return BadCell(number, layout.title(SN), shorten(value), say("An SN that is not meant for this product"), words)


def mistyped(number: int, layout: Layout, value: str, words: str) -> BadCell:
    """An SN that only looks like a generated one."""
    return BadCell(number, layout.title(SN), shorten(value), beginning(words), words)


def shorten(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def is_blank(cells: Sequence[str]) -> bool:
    return not any(cell and not cell.isspace() for cell in cells)


def cell_of(cells: Sequence[str], index: int | None) -> str:
    """Trimmed, and without the ' that our own CSV files put before what looks like a formula."""
    if index is None or index >= len(cells):
        return ""
    text = cells[index].strip()
    return text[1:].strip() if text[:1] == "'" and _GUARDED.match(text) else text


def may_have_fingerprint(kind: str) -> bool:
    """Whether rows of this authentication may; of a bad one nobody knows."""
    return kind in (X509, "")
