"""A sheet of labels as PDF: QR code, serial number and product name, nothing nearer to a label's edge than its margin.

Drawn as shapes, so that it is sharp on any printer. The same labels give the same bytes. Texts that Helvetica has not are in STSong-Light,
one of the Chinese fonts that PDF readers bring or replace by the system's own: none is embedded, and no package is needed here.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from devices.rules import labels
from devices.rules.labels import Sheet

MARGIN, SMALL_MARGIN = 2.5, 1.2
"""Millimetres inside a label that stay empty, and on one lower than LOW: a printer never feeds paper exactly."""
LOW = 15.0
GAP = 0.5
"""Between the code's quiet zone and the text, in millimetres."""
TALLEST, READABLE, SMALLEST = 11.0, 7.0, 3.5
"""Points. A serial number that would be smaller than READABLE is broken into lines."""
MOST_LINES, NAME_LINES = 3, 2
NAME_SHARE = 0.72
"""Of the size of the SN."""
LINE = 1.25

SN_FONT, LATIN, CHINESE = "Courier-Bold", "Helvetica", "STSong-Light"
pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))


@dataclass(frozen=True, slots=True)
class _Place:
    """A label's inner rectangle on the page, in points from the lower left."""

    left: float
    bottom: float
    width: float
    height: float


def pdf(sheet: Sheet, product_name: str, product_key: str, sns: Iterable[str], *, title: str) -> bytes:
    """One label for each number, row by row, as many pages as it takes."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(sheet.page[0] * mm, sheet.page[1] * mm), invariant=1, pageCompression=1)
    canvas.setTitle(title)
    for page in _pages(sns, sheet.count):
        for place, sn in enumerate(page):
            _label(canvas, _place(sheet, place), labels.matrix(labels.qr_text(product_key, sn)), sn, product_name)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _pages(sns: Iterable[str], count: int) -> Iterator[list[str]]:
    waiting = iter(sns)
    while page := list(islice(waiting, count)):
        yield page


def _place(sheet: Sheet, place: int) -> _Place:
    margin = SMALL_MARGIN if sheet.label[1] < LOW else MARGIN
    left, top = sheet.corner(place)
    width, height = sheet.label
    bottom = sheet.page[1] - top - height
    return _Place((left + margin) * mm, (bottom + margin) * mm, (width - 2 * margin) * mm, (height - 2 * margin) * mm)


def _label(canvas: Canvas, at: _Place, modules: labels.Matrix, sn: str, product_name: str) -> None:
    """The code at the left as high as the label, but never wider than half of it; the text beside it, in the middle of its height."""
    side = min(at.height, at.width / 2)
    _code(canvas, at.left, at.bottom + (at.height - side) / 2, side, modules)
    left = at.left + side + GAP * mm
    width = at.left + at.width - left
    size, lines = _fitted(sn, width, at.height)
    small = size * NAME_SHARE
    font, name = _wrapped(product_name, width, small)
    y = at.bottom + (at.height + (size * len(lines) + small * len(name)) * LINE) / 2
    for lettering, points, texts in ((SN_FONT, size, lines), (font, small, name)):
        canvas.setFont(lettering, points)
        for text in texts:
            y -= points * LINE
            canvas.drawString(left, y + points * (LINE - 1), text)


def _code(canvas: Canvas, left: float, bottom: float, side: float, modules: labels.Matrix) -> None:
    """Bars of dark modules, within the quiet zone that belongs to the code."""
    count = len(modules) + 2 * labels.QUIET
    module = side / count
    canvas.saveState()
    canvas.transform(module, 0, 0, -module, left + labels.QUIET * module, bottom + side - labels.QUIET * module)
    canvas.addLiteral(" ".join(f"{x} {y} {width} 1 re" for x, y, width in labels.bars(modules)) + " f")
    canvas.restoreState()


def _fitted(sn: str, width: float, height: float) -> tuple[float, list[str]]:
    """The size and the lines of the number: as few lines as stay readable, else those that are largest."""
    best = SMALLEST, [sn]
    for count in range(1, MOST_LINES + 1):
        most = -(-len(sn) // count)
        lines = [sn[at : at + most] for at in range(0, len(sn), most)]
        high = height / LINE / (len(lines) + NAME_SHARE * NAME_LINES)
        size = min(TALLEST, high, width / pdfmetrics.stringWidth(lines[0], SN_FONT, 1))
        if size > best[0]:
            best = size, lines
        if size >= READABLE:
            break
    return best


def _wrapped(text: str, width: float, size: float) -> tuple[str, list[str]]:
    """The font, and as much of the text as fits in NAME_LINES; broken at a space if there is one."""
    text = "".join(character if character.isprintable() and ord(character) < 0x10000 else "□" for character in text.strip())
    font = LATIN if _is_latin(text) else CHINESE
    lines: list[str] = []
    while text and len(lines) < NAME_LINES:
        line = _beginning(text, font, width, size)
        if len(line) < len(text) and len(lines) == NAME_LINES - 1:
            return font, [*lines, f"{line[:-1].rstrip()}…"]
        if len(line) < len(text) and " " in line.strip():
            line = line[: line.rindex(" ") + 1]
        lines.append(line.strip())
        text = text[len(line) :]
    return font, lines


def _beginning(text: str, font: str, width: float, size: float) -> str:
    """At least one character."""
    fits = len(text)
    while fits > 1 and pdfmetrics.stringWidth(text[:fits], font, size) > width:
        fits -= 1
    return text[:fits]


def _is_latin(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True
