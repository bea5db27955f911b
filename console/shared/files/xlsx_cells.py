"""Rows of a sheet as XML, hundreds at a time: what a column has in common is looked at once, not in every cell.

A column of a block is left out where all of its cells are empty, written into the row's template where all are the same, and put in as it
is where no cell needs care. Only the cells of the other columns are looked at one by one.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from xml.sax.saxutils import escape

CELL_AT_MOST = 32_767
"""Characters."""

_CARE = r"[&<>\x00-\x1f\x7f\ufffe\uffff\ud800-\udfff]"
_NEEDS_CARE = re.compile(rf"{_CARE}|_x[0-9A-Fa-f]{{4}}_|\A\s|\s\Z")
_NEEDS_CARE_ANYWHERE = re.compile(_CARE)
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_HARMLESS = bytes(set(range(0x20, 0x7F)) - set(b"&<>"))


class Styled(str):
    """A cell that is no plain text. An empty one is shown too."""

    __slots__ = ()
    style = 1


class Title(Styled):
    __slots__ = ()
    style = 2


class Red(Styled):
    __slots__ = ()
    style = 3


class Amber(Styled):
    __slots__ = ()
    style = 4


def rows_xml(number: int, rows: Sequence[Sequence[str]], letters: Sequence[str]) -> str:
    """A block of rows, the first of which is row `number` of the sheet; every row has as many cells as there are `letters`, which name
    the columns."""
    numbers = [str(at) for at in range(number, number + len(rows))]
    texts, special = ['<row r="'], set[int]()
    values: list[Iterable[str]] = [numbers]  # Each stands behind its text of the row's template: text, value, text, value, ..., text.
    waiting = '">'
    for letter, column in zip(letters, zip(*rows, strict=True), strict=True):
        if not _all_plain(column):
            special.update(at for at, cell in enumerate(column) if isinstance(cell, Styled))
        first = column[0]
        if column.count(first) == len(column):
            if first:
                texts.append(f'{waiting}<c r="{letter}')
                values.append(numbers)
                waiting = f'" s="1" t="inlineStr"><is>{_text_xml(first)}</is></c>'
        elif "" not in column and _is_harmless(column):
            texts += f'{waiting}<c r="{letter}', '" s="1" t="inlineStr"><is><t>'
            values += numbers, column
            waiting = "</t></is></c>"
        else:
            texts.append(waiting)
            values.append([_cell_xml(letter, at, text) if text else "" for at, text in zip(numbers, column, strict=True)])
            waiting = ""
    both = chain.from_iterable(zip(map(repeat, texts), values, strict=True))
    lines = zip(*both, repeat(f"{waiting}</row>"), strict=False)
    if not special:
        return "".join(chain.from_iterable(lines))
    return "".join([row_xml(number + at, rows[at], letters) if at in special else "".join(line) for at, line in enumerate(lines)])


def row_xml(number: int, row: Sequence[str], letters: Sequence[str]) -> str:
    """One row, whose cells may be Styled."""
    cells = [
        _cell_xml(letter, str(number), text, text.style if isinstance(text, Styled) else 1)
        for letter, text in zip(letters, row, strict=True)
        if text or isinstance(text, Styled)
    ]
    return f'<row r="{number}">{"".join(cells)}</row>'


def _all_plain(column: Sequence[str]) -> bool:
    return set(map(type, column)) == {str}


def _is_harmless(column: Sequence[str]) -> bool:
    """Whether each cell is its own XML. May say no where it is."""
    joined = "".join(column)
    if len(joined) > CELL_AT_MOST and max(map(len, column)) > CELL_AT_MOST:
        return False
    if "_x" in joined:
        return False
    if joined.isascii():
        if joined.encode().translate(None, _HARMLESS):
            return False
        if " " not in joined:
            return True
    elif _NEEDS_CARE_ANYWHERE.search(joined):
        return False
    return all(map(str.__eq__, map(str.strip, column), column))


def _cell_xml(letter: str, number: str, text: str, style: int = 1) -> str:
    return f'<c r="{letter}{number}" s="{style}" t="inlineStr"><is>{_text_xml(text)}</is></c>'


def _text_xml(text: str) -> str:
    """Characters that XML cannot hold are left out; what looks like the format's own escape is escaped."""
    if len(text) > CELL_AT_MOST:
        text = text[:CELL_AT_MOST]
    if _NEEDS_CARE.search(text) is None:
        return f"<t>{text}</t>"
    clean = escape(_LOOKS_ESCAPED.sub("_x005F_", _ILLEGAL.sub("", text)), {"\r": "&#13;"})
    return f'<t xml:space="preserve">{clean}</t>'
