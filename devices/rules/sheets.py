"""The cells of a device list: every row checked, every bad cell named with its row, column, value and rule."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from console.errors import DomainError, Invalid
from devices.rules import columns, names
from devices.rules.columns import AUTHENTICATION, DEVICE_NAME, DEVICE_SECRET, FINGERPRINT, NICKNAME, PRODUCT_KEY, SN, Layout
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
_SPOILED_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_GUARDED = re.compile(r"'[\s\u00a0]*[=+\-@\t\r\n]")
_VARIABLE_END = re.compile(r"(?<=\w)[;:] .*|(?<=\w\.) .*", re.DOTALL)


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
    used = [cell for cell in first if cell.strip()]
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
        self._layout, self._terms = layout, terms
        self.numbers: dict[str, dict[str, int]] = {DEVICE_NAME: {}, SN: {}}
        """column -> value -> the first row that has it"""
        self._titled = set(layout.at.values()) | set(layout.titles)
        self._width = max(self._titled) + 1
        self._all_titled = terms.names_only or len(self._titled) == self._width

    def row(self, number: int, cells: Sequence[str]) -> tuple[GoodRow | None, list[BadCell]]:
        """The row, or every cell that is wrong with it."""
        bad: list[BadCell] = []

        def read(column: str, check: Callable[[str], str], absent: str = "") -> str:
            index = self._layout.at.get(column)
            if index is None and column != DEVICE_NAME:
                return absent
            text = _cell(cells, index)
            try:
                return _unspoiled(check, text)
            except DomainError as error:
                bad.append(self._bad(number, column, text, error.message))
                return ""

        name = read(DEVICE_NAME, self._device_name)
        read(PRODUCT_KEY, self._product_key)
        nickname, sn = read(NICKNAME, names.nickname), read(SN, names.serial_number)
        kind = read(AUTHENTICATION, self._authentication, self._terms.authentication)
        secret = read(DEVICE_SECRET, self._device_secret)
        row = GoodRow(number, name, nickname, sn, kind, secret, read(FINGERPRINT, lambda text: _fingerprint(text, kind)))
        if len(cells) > self._width or not self._all_titled:
            bad += self._strays(number, cells)
        bad += self._repeated(number, row)
        return (None if bad else row), bad

    def _bad(self, number: int, column: str, value: str, words: str, rule: str = "") -> BadCell:
        shown = "•••" if column == DEVICE_SECRET else shorten(value)
        words = words.removeprefix(f"{column}: ")
        return BadCell(number, self._layout.title(column), shown, rule or _VARIABLE_END.sub("", words).rstrip("."), words)

    def _repeated(self, number: int, row: GoodRow) -> list[BadCell]:
        """A name or SN that stood in an earlier row; bad rows are remembered too, so that nobody has to upload twice to learn it."""
        bad = []
        for column, value in ((DEVICE_NAME, row.device_name), (SN, row.sn)):
            first = self.numbers[column].setdefault(value, number) if value else number
            if first != number:
                words = f"Row {first:,} of this file has the same {column}."
                bad.append(self._bad(number, column, value, words, f"Twice in this file: {column}"))
        return bad

    def _strays(self, number: int, cells: Sequence[str]) -> list[BadCell]:
        if self._terms.names_only:
            return []
        return [
            BadCell(number, f"column {index + 1}", "•••", "A value without a title above it", "Its column has no title.")
            for index, cell in enumerate(cells)
            if index not in self._titled and cell.strip()
        ]

    def _device_name(self, text: str) -> str:
        return names.device_name(self._terms.kind, self._terms.wire, text)

    def _product_key(self, text: str) -> str:
        if text and text != self._terms.product_key:
            raise Invalid(f"The row is of another product; this list is for {self._terms.product_key}.")
        return text

    def _authentication(self, text: str) -> str:
        kind = _AUTHENTICATION_OF.get(columns.plain(text)) if text else self._terms.authentication
        if kind is None:
            raise Invalid("The authentication is dynamic, static or x509.")
        if kind == STATIC and not self._terms.allows_static:
            raise Invalid("Only products on MQTT or LwM2M can hold static devices.")
        return kind

    def _device_secret(self, text: str) -> str:
        return self._terms.wire.check_device_secret(text) if text else ""


def taken(number: int, layout: Layout, column: str, value: str, other: int) -> BadCell:
    """A DeviceName or SN that the pre-import list has already, in its row `other`."""
    words = f"The pre-import list has this {column} already, in its row #{other}."
    return BadCell(number, layout.title(column), shorten(value), f"In the pre-import list already: {column}", words)


def shorten(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def is_blank(cells: Sequence[str]) -> bool:
    return not any(cell and not cell.isspace() for cell in cells)


def _cell(cells: Sequence[str], index: int | None) -> str:
    """Trimmed, and without the ' that our own CSV files put before what looks like a formula."""
    if index is None or index >= len(cells):
        return ""
    text = cells[index].strip()
    return text[1:].strip() if text[:1] == "'" and _GUARDED.match(text) else text


def _unspoiled(check: Callable[[str], str], text: str) -> str:
    if len(text) == 19 and _SPOILED_DATE.fullmatch(text):
        raise Invalid("A spreadsheet has turned this into a date: format the column as text.")
    return check(text)


def _fingerprint(text: str, kind: str) -> str:
    clean = names.certificate_fingerprint(text)
    if clean and kind not in (X509, ""):
        raise Invalid("Only a device with a certificate of its own (X.509) has a fingerprint.")
    return clean
