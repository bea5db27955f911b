"""XLSX in, the short way: worksheets of the plain form in which spreadsheet programs save texts, proven and read in one pass.

A row is matched whole by one regular expression, which says of every byte between the first row and the last what it may be: so there is
no formula, no number, no date, no rich text and no cell far out, and nobody needs to guard a reader against them. Whatever is not of this
form, in the sheet or in its shared strings, is not read here at all (NotPlain): xlsx_reader's guard and general reader take the file.
A test holds the two against each other.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from console.shared.files import sheet_guard
from console.shared.files.refusal import COLUMNS_AT_MOST, MIB, ROWS_AT_MOST, column_letters
from console.shared.files.repetition import TEXT_AT_MOST

Pieces = Iterator[bytes]
"""A part of the container, inflated."""

LONGEST = 4 * MIB
"""Bytes of a row, of a shared string, and of what stands before or behind all of them."""
STRINGS_AT_MOST = 8_000_000
"""Shared strings that are held in memory."""

_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'"}
_OTHER_ENTITY = re.compile(r"&(?!(?:lt|gt|quot|apos|amp);)")
_ESCAPED = re.compile(rb"_x[0-9A-Fa-f]{4}_")
_PRESERVE = rb'(?: xml:space="preserve"|)'
_STRING = re.compile(rb"<si><t" + _PRESERVE + rb">([^<]*+)</t>(?:<phoneticPr[^<>]*/>|)</si>")
_SHARED = b' t="s"'
_FORMS = {
    _SHARED: rb' t="s"><v>([0-9]{1,9}+)</v></c>',
    b' t="inlineStr"': rb' t="inlineStr"><is><t' + _PRESERVE + rb">([^<]*+)</t></is></c>",
}
"""How a text may be written -> the rest of its cell, with one group."""
_LETTERS = [column_letters(index).encode() for index in range(COLUMNS_AT_MOST)]
_REFERENCE = re.compile(rb'<c r="([A-Z]+)[0-9]')


class NotPlain(Exception):
    """The part is not of the plain form."""


def shared_strings(pieces: Pieces) -> list[str]:
    """Raises NotPlain."""
    found: list[str] = []
    for xml in _whole(pieces, b"<si>", b"</si>", opened=re.compile(rb"<sst[^<>]*>\Z"), closed=re.compile(rb"</sst>\s*\Z")):
        between, texts = _split(_STRING, xml)
        if any(between):
            raise NotPlain
        found += _decoded(texts[0])
        if len(found) > STRINGS_AT_MOST:
            raise NotPlain
    return found


def columns(pieces: Pieces, strings: Sequence[str]) -> list[list[str]]:
    """The sheet's cells as text, column by column, from row 1 and column A to the last ones in use. Raises NotPlain."""
    sheet = _Sheet(strings)
    opened, closed = re.compile(rb"<sheetData>\Z"), re.compile(rb"</sheetData>(?!.*<(?:sheetData|row|c)\b)", re.DOTALL)
    for xml in _whole(pieces, b"<row ", b"</row>", opened=opened, closed=closed):
        sheet.add(xml)
    return sheet.finished()


class _Sheet:
    """The columns while the rows stream past."""

    def __init__(self, strings: Sequence[str]) -> None:
        self._strings, self._longest = strings, max(map(len, strings), default=0)
        self._columns: list[list[str]] = []
        self._rows = 0
        self._kinds: list[bytes] = []
        self._row = re.compile(rb"(?!)()")
        """Matches nothing before the first rows have shown what there is."""

    def add(self, xml: bytes) -> None:
        """Whole rows. Raises NotPlain."""
        between, (rows, *cells) = _split(self._row, xml)
        if any(between):
            self._learn(xml)
            between, (rows, *cells) = _split(self._row, xml)
        if any(between):
            raise NotPlain
        numbers = [int(row) for row in rows if row is not None]
        first, self._rows = self._rows + 1, numbers[-1]
        if numbers[0] < first or numbers != sorted(set(numbers)):
            raise NotPlain
        if self._rows > ROWS_AT_MOST or self._rows * len(self._columns) * self._longest > TEXT_AT_MOST:
            raise NotPlain
        gapless = numbers == list(range(first, first + len(numbers)))
        for index, column in enumerate(self._columns):
            texts = self._texts(cells[index * len(self._kinds) : (index + 1) * len(self._kinds)])
            column.extend(texts if gapless else _spread(numbers, texts, first))

    def _learn(self, xml: bytes) -> None:
        """Makes room for the columns and the forms of text that these rows have."""
        letters = set(_REFERENCE.findall(xml))
        width = max((_LETTERS.index(letter) + 1 if letter in _LETTERS else COLUMNS_AT_MOST + 1 for letter in letters), default=0)
        if width > COLUMNS_AT_MOST:
            raise NotPlain
        self._columns += [[""] * self._rows for _column in range(len(self._columns), width)]
        self._kinds = [kind for kind in _FORMS if kind in self._kinds or kind in xml]
        rest = b"|".join([b"/>", *(_FORMS[kind] for kind in self._kinds)])
        cells = b"".join(rb'(?:<c r="' + letter + rb'\1"(?: s="[0-9]++"|)(?:' + rest + rb")|)" for letter in _LETTERS[: len(self._columns)])
        self._row = re.compile(rb'<row r="([1-9][0-9]{0,5}+)"(?![^<>]*\sr\s*=)[^<>/]*>' + cells + rb"</row>")

    def _texts(self, groups: Sequence[list[bytes | None]]) -> list[str]:
        """Of one column of some rows, from what each kind of cell has there."""
        texts = [""] * len(groups[0])
        for kind, found in zip(self._kinds, groups, strict=True):
            every = None not in found
            filled = found if every else [one for one in found if one is not None]
            of_kind = self._looked_up(filled) if kind == _SHARED else _decoded(filled)
            if every:
                return of_kind
            if filled:
                each = iter(of_kind)
                texts = [next(each) if one is not None else text for one, text in zip(found, texts, strict=True)]
        return texts

    def _looked_up(self, numbers: Sequence[bytes | None]) -> list[str]:
        try:
            return list(map(self._strings.__getitem__, map(int, numbers)))  # type: ignore[arg-type]
        except IndexError as error:
            raise NotPlain from error

    def finished(self) -> list[list[str]]:
        """Without what is empty behind the last cell."""
        found = self._columns
        while found and not any(found[-1]):
            found.pop()
        height = self._rows if found else 0
        while height and not any(column[height - 1] for column in found):
            height -= 1
        for column in found:
            del column[height:]
        return found


def _whole(pieces: Pieces, begin: bytes, end: bytes, *, opened: re.Pattern[bytes], closed: re.Pattern[bytes]) -> Iterator[bytes]:
    """The elements from `begin` to `end`, many at a time; what is before them and behind them must be innocent XML of its form."""
    waiting, inside = b"", False
    for piece in pieces:
        if b"\0" in piece:
            raise NotPlain
        waiting += piece
        if not inside and (at := waiting.find(begin)) >= 0:
            _check(waiting[:at], opened.search, head=True)
            waiting, inside = waiting[at:], True
        if inside and (cut := waiting.rfind(end) + len(end)) >= len(end):
            yield waiting[:cut]
            waiting = waiting[cut:]
        if len(waiting) > LONGEST:
            raise NotPlain
    if not inside:
        raise NotPlain
    _check(waiting, closed.match)


def _check(xml: bytes, find: Callable[[bytes], object], *, head: bool = False) -> None:
    if find(xml) is None or not sheet_guard.is_innocent(xml, head=head):
        raise NotPlain


def _split(form: re.Pattern[bytes], xml: bytes) -> tuple[list[bytes], list[list[bytes | None]]]:
    """What is between the matches, and what each group found, match by match."""
    flat, step = form.split(xml), form.groups + 1
    return flat[::step], [flat[at::step] for at in range(1, step)]


def _decoded(texts: Sequence[bytes | None]) -> list[str]:
    joined = b"\0".join(texts)  # type: ignore[arg-type]
    if b"\r" in joined or _ESCAPED.search(joined):
        raise NotPlain
    try:
        text = joined.decode()
    except UnicodeDecodeError as error:
        raise NotPlain from error
    if "&" in text:
        if _OTHER_ENTITY.search(text):
            raise NotPlain
        for entity, character in _ENTITIES.items():
            text = text.replace(entity, character)
        text = text.replace("&amp;", "&")
    return text.split("\0") if texts else []


def _spread(numbers: Sequence[int], texts: Sequence[str], first: int) -> list[str]:
    """Row `first` and those after it, of which only those of these numbers are there."""
    spread = [""] * (numbers[-1] - first + 1)
    for number, text in zip(numbers, texts, strict=True):
        spread[number - first] = text
    return spread
