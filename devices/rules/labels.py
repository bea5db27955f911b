"""Labels: what the QR code of a serial number says, how it is drawn, and how labels stand on a sheet of paper.

The code holds one line of JSON, {"pk":"<ProductKey>","sn":"<SN>"}, in UTF-8 without spaces: the app that binds a device reads both.
"""

import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import segno

QUIET = 4
"""Modules of white around a code (ISO/IEC 18004)."""
PNG_SCALE = 8
"""Pixels of a module: in one bit a pixel, a module's row is one byte."""
MASK = 2
"""Always the same of the eight patterns: any reader takes any, and trying all of them is five times the work."""

Matrix = Sequence[bytearray]
"""Rows of modules, 1 is dark; without the quiet zone."""


class Scan(NamedTuple):
    """What a scanner has read: `sn` of a QR code with its `product_key`, or bare `text` (the others are empty then)."""

    text: str
    sn: str = ""
    product_key: str = ""


def qr_text(product_key: str, sn: str) -> str:
    return json.dumps({"pk": product_key, "sn": sn}, separators=(",", ":"), ensure_ascii=False)


def read_scan(text: str) -> Scan:
    """A code of ours in any usual writing of JSON, or text as it stands."""
    text = text.strip()
    if text.startswith("{"):
        try:
            read = json.loads(text)
        except ValueError:
            return Scan(text)
        if isinstance(read, dict) and isinstance(read.get("sn"), str):
            return Scan(text, read["sn"].strip(), str(read.get("pk") or "").strip())
    return Scan(text)


def matrix(text: str) -> Matrix:
    """Of the smallest QR code that holds the text and stays readable with 15 % of it spoiled (level M)."""
    code = segno.make_qr(text, error="m", mask=MASK, boost_error=False)
    return code.matrix


def png(modules: Matrix) -> bytes:
    """One bit a pixel, PNG_SCALE pixels a module."""
    side = len(modules) + 2 * QUIET
    white = b"\xff" * side
    edge = b"\xff" * QUIET
    lines = [white] * QUIET + [edge + bytes(0 if dark else 255 for dark in row) + edge for row in modules] + [white] * QUIET
    pixels = b"".join((b"\x00" + line) * PNG_SCALE for line in lines)
    size = struct.pack(">2I5B", side * PNG_SCALE, side * PNG_SCALE, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", size) + _chunk(b"IDAT", zlib.compress(pixels)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def svg(modules: Matrix) -> bytes:
    """Black on white, one unit a module."""
    side = len(modules) + 2 * QUIET
    dark = "".join(f"M{x + QUIET} {y + QUIET}h{width}v1h-{width}z" for x, y, width in bars(modules))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side * PNG_SCALE}" height="{side * PNG_SCALE}" viewBox="0 0 {side} {side}" '
        f'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{dark}"/></svg>\n'
    ).encode()


def bars(modules: Matrix) -> Iterator[tuple[int, int, int]]:
    """The dark modules as (x, y, width), y from the top."""
    for y, row in enumerate(modules):
        x, size = 0, len(row)
        while x < size:
            if row[x]:
                start = x
                while x < size and row[x]:
                    x += 1
                yield start, y, x - start
            else:
                x += 1


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of labels, in millimetres. `pitch` is from the left edge of a label to the next one's; the block stands in the middle of the
    page, and the rows touch each other."""

    name: str
    page: tuple[float, float]
    columns: int
    rows: int
    label: tuple[float, float]
    pitch: float

    @property
    def count(self) -> int:
        return self.columns * self.rows

    def corner(self, place: int) -> tuple[float, float]:
        """The upper left corner of the label at this place, from the upper left of the page; places are counted row by row from 0."""
        row, column = divmod(place, self.columns)
        width = (self.columns - 1) * self.pitch + self.label[0]
        left, top = (self.page[0] - width) / 2, (self.page[1] - self.rows * self.label[1]) / 2
        return left + column * self.pitch, top + row * self.label[1]


A4, LETTER = (210.0, 297.0), (215.9, 279.4)

SHEETS = {
    "a4-3x7": Sheet("A4, 3 × 7, 63.5 × 38.1 mm", A4, 3, 7, (63.5, 38.1), 66.0),
    "a4-3x8": Sheet("A4, 3 × 8, 63.5 × 33.9 mm", A4, 3, 8, (63.5, 33.9), 66.0),
    "a4-4x10": Sheet("A4, 4 × 10, 48.5 × 25.4 mm", A4, 4, 10, (48.5, 25.4), 48.5),
    "a4-5x13": Sheet("A4, 5 × 13, 38.1 × 21.2 mm", A4, 5, 13, (38.1, 21.2), 40.6),
    "letter-2x5": Sheet("Letter, 2 × 5, 101.6 × 50.8 mm", LETTER, 2, 5, (101.6, 50.8), 106.4),
    "letter-3x10": Sheet("Letter, 3 × 10, 66.7 × 25.4 mm", LETTER, 3, 10, (66.7, 25.4), 69.85),
    "letter-4x20": Sheet("Letter, 4 × 20, 44.5 × 12.7 mm", LETTER, 4, 20, (44.5, 12.7), 52.1),
}
