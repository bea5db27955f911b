"""A worksheet's XML, distrusted: no formula, no cell far out, before a reader makes room for a grid.

Two passes: the first proves most files innocent with one regular expression (about a second for half a million rows); only where it meets
something else, an exact pass over every element (eight times as long) says what it is and where.
"""

import re
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from console.shared.files.refusal import (
    COLUMNS_AT_MOST,
    ROWS_AT_MOST,
    FileRefused,
    column_letters,
    formula_in,
    too_many_columns,
    too_many_rows,
)
from console.words import say

# Where a tag begins that is not of the few forms which honest sheets are full of: a cell of the first 64 columns and half a million rows, a
# row, a value, and any longer plain name. So a formula (<f), an error value (t="e", which readers leave out), a comment, a document type, a
# prefixed name, a cell far out or one that does not say where it is: all are suspicious.
_SUSPICIOUS = re.compile(
    rb"<(?!"
    rb'c r="(?:[A-Z]|A[A-Z]|B[A-L])(?:[1-4]?\d{1,5}|50000[01])"(?: s="\d+")?(?: t="(?:s|n|str|b|d|inlineStr)")?/?>'
    rb'|row r="(?:[1-4]?\d{1,5}|50000[01])"(?![^<>]*\sr\s*=)[^<>]*>'
    rb"|/|v>|is>|t>|t xml:space=\"preserve\">|\?xml\s"
    rb"|(?!row)[A-Za-z]{3,}[\s/>])"
)
_ENCODING = re.compile(rb"encoding\s*=\s*[\"']([^\"']*)")
_REFERENCE = re.compile(r"([A-Za-z]+)([0-9]+)")
_LONGEST_TAG = 1 << 20


def check(pieces: Iterator[bytes], again: Iterator[bytes], *, formulas: bool) -> None:
    """`pieces` and `again` are the same XML twice. `formulas`: whether they are refused. Raises FileRefused naming the cell."""
    if _is_suspicious(pieces):
        _check_exactly(again, formulas)


def is_innocent(xml: bytes, *, head: bool) -> bool:
    """Whether a stretch of XML holds nothing that the exact pass would have to look at. `head`: it is the beginning of the part. Raises
    FileRefused for another encoding than UTF-8."""
    if head:
        _check_encoding(xml)
    return _SUSPICIOUS.search(xml) is None


def _is_suspicious(pieces: Iterator[bytes]) -> bool:
    waiting = b""
    for piece in pieces:
        if not waiting:
            _check_encoding(piece)
        waiting += piece
        cut = waiting.rfind(b"<")
        if b"\0" in piece or len(waiting) - cut > _LONGEST_TAG or _SUSPICIOUS.search(waiting, 0, cut):
            return True
        waiting = waiting[cut:]
    return _SUSPICIOUS.search(waiting) is not None


def _check_encoding(head: bytes) -> None:
    named = _ENCODING.search(head[:200])
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or (named and named[1].lower() not in (b"utf-8", b"us-ascii")):
        raise FileRefused("The worksheet is not in UTF-8: save it again with your spreadsheet program.")


def _check_exactly(pieces: Iterator[bytes], formulas: bool) -> None:
    walk = Walk(formulas)
    parser = expat.ParserCreate()
    parser.StartElementHandler = walk.start
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise FileRefused("The file is damaged: its worksheet is not readable XML.") from error


def _refuse_doctype(*args: Any) -> None:
    raise FileRefused("The worksheet declares a document type: it is not an honest workbook.")


class Walk:
    """Where we are in the sheet, element by element."""

    def __init__(self, formulas: bool) -> None:
        """`formulas`: whether the sheet is one whose contents count."""
        self._formulas = formulas
        self.row = self.column = 0

    @property
    def _here(self) -> str:
        return f"{column_letters(self.column - 1)}{self.row}"

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "row":
            self.row, self.column = _number(attributes.get("r"), self.row + 1), 0
        elif name == "c":
            self._place(attributes.get("r"))
            if attributes.get("t") == "e" and self._formulas:
                raise FileRefused(say("Cell {cell} holds an error value: correct it and upload the file again.", cell=self._here))
        elif name in ("v", "is", "f"):
            self._check(name)

    def _place(self, reference: str | None) -> None:
        found = _REFERENCE.fullmatch(reference or "")
        if reference and found is None:
            raise FileRefused("The file is damaged: a cell does not say where it is.")
        self.column = _column(found[1]) if found else self.column + 1
        self.row = _number(found[2], 0) if found else self.row

    def _check(self, name: str) -> None:
        """Only a cell that holds something counts: empty formatted ones may be anywhere."""
        if name == "f" and self._formulas:
            raise formula_in(self._here)
        if self.column > COLUMNS_AT_MOST:
            raise too_many_columns(self.row)
        if self.row > ROWS_AT_MOST:
            raise too_many_rows()


def _number(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    if not text.isdigit() or len(text) > 7:
        raise too_many_rows()
    return int(text)


def _column(letters: str) -> int:
    """1 for A. Anything of four letters is beyond every spreadsheet."""
    number = 0
    for letter in letters.upper()[:4]:
        number = number * 26 + ord(letter) - 64
    return number
