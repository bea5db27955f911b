"""Leading zeros that a worksheet shows and does not store: the number 123 in the format 000000. What people see is what they mean."""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from xml.parsers import expat

from console.shared.files.refusal import FileRefused
from console.shared.files.sheet_guard import Walk
from console.shared.files.zip_guard import GuardedZip

Digits = dict[int, bytearray]
"""Column (0 for A) → for each row from row 1 on, how many digits it shows at least; 0 for as many as it has."""

_STYLES: Final = "xl/styles.xml"
_ZEROS: Final = re.compile(r"(0{2,255})(?:;.*)?")


def shown_digits(container: GuardedZip, part: str) -> Digits:
    """Of a worksheet that sheet_guard has passed: another pass over it, where the workbook has such a format. Raises FileRefused."""
    styles = _styles(container.read(_STYLES)) if _STYLES in container else {}
    if not styles:
        return {}
    walk = _Numbers(styles)
    parser = expat.ParserCreate()
    parser.StartElementHandler = walk.start
    for piece in container.pieces(part):
        parser.Parse(piece, False)
    return walk.found


def fill(texts: Sequence[str], digits: bytearray) -> list[str]:
    """A stretch of a column and what it shows."""
    return [
        text.zfill(width) if width and text.isdigit() else text for text, width in zip(texts, digits.ljust(len(texts), b"\0"), strict=True)
    ]


class _Numbers(Walk):
    """Notes each number in one of the styles."""

    def __init__(self, styles: dict[str, int]) -> None:
        super().__init__(formulas=False)
        self.found: Digits = defaultdict(bytearray)
        self._styles = styles
        self._width = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        super().start(tag, attributes)
        name = tag.rpartition(":")[2]
        if name == "c":
            self._width = self._styles.get(attributes.get("s", "0"), 0) if attributes.get("t", "n") == "n" else 0
        elif name == "v" and self._width:
            column = self.found[self.column - 1]
            column.extend(bytes(self.row - len(column)))
            column[self.row - 1] = self._width


def _styles(xml: bytes) -> dict[str, int]:
    """The styles of cells whose format is nothing but zeros → how many."""
    formats: dict[str, int] = {}
    found: list[int] = []
    places: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "numFmt" and (zeros := _ZEROS.fullmatch(attributes.get("formatCode", ""))):
            formats[attributes.get("numFmtId", "")] = len(zeros[1])
        elif name == "xf" and places[-1:] == ["cellXfs"]:
            found.append(formats.get(attributes.get("numFmtId", ""), 0))
        places.append(name)

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, lambda tag: places.pop()
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise FileRefused("The file is damaged: its table of contents is not readable XML.") from error
    return {str(number): width for number, width in enumerate(found) if width}
