"""XLSX as a stream: every cell an inline string in a text format, so that no spreadsheet computes, shortens or renames anything.

Memory does not grow with the rows: the sheet's XML is written by hand and deflated on its way out
(ECMA-376 part 1, 18.3; a zip container with data descriptors).
"""

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, cast
from xml.sax.saxutils import quoteattr

from console.errors import Invalid
from console.shared.files.refusal import column_letters
from console.shared.files.xlsx_cells import Title, row_xml, rows_xml
from console.shared.files.zip_writer import PIECE, Outlet
from console.words import say

ROWS_AT_MOST = 1_048_576
ROWS_A_PIECE = 500
COMPRESSION = 1
"""Level 6 takes more than twice the time and saves a seventh of the bytes."""

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

_CONTENTS = (
    f'xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
)
# Cell formats: 0 general, 1 text, 2 bold text, 3 text on red, 4 text on amber. The empty fills and borders are what spreadsheets insist on.
_STYLES = (
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="4"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '<fill><patternFill patternType="solid"><fgColor rgb="FFFFC7CE"/><bgColor indexed="64"/></patternFill></fill>'
    '<fill><patternFill patternType="solid"><fgColor rgb="FFFFEB9C"/><bgColor indexed="64"/></patternFill></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="5"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="2" borderId="0" xfId="0" applyNumberFormat="1" applyFill="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="3" borderId="0" xfId="0" applyNumberFormat="1" applyFill="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
)

CONTENT_TYPE = f"{_TYPE}.sheet"


@dataclass(frozen=True, slots=True)
class Sheet:
    """`rows` is gone through once. `widths`: characters per column, 20 where none is given.

    `marked`: the rows are the whole sheet, from row 1 on, and their cells may be Styled; `header` only says how many columns there are.
    """

    title: str
    header: Sequence[str]
    rows: Iterable[Sequence[str]]
    widths: Sequence[int] = ()
    marked: bool = False


class TooManyRows(Invalid):
    """More than a worksheet holds."""

    code = "too_many_rows"
    default_message = say("A worksheet holds {rows:,} rows, the header included.", rows=ROWS_AT_MOST)


def stream(*sheets: Sheet) -> Iterator[bytes]:
    """Pieces of the workbook, ready for a StreamingHttpResponse or the vault. Raises TooManyRows.

    The same rows make the same bytes: a part that is opened by its name has the zip epoch as its time.
    """
    out = Outlet()
    with zipfile.ZipFile(cast("IO[bytes]", out), "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION) as book:
        for name, text in _frame(sheets):
            with book.open(name, "w") as part:
                part.write(text.encode())
        for number, sheet in enumerate(sheets, 1):
            with book.open(f"xl/worksheets/sheet{number}.xml", "w") as part:
                for piece in _sheet_xml(sheet):
                    part.write(piece.encode())
                    if len(out.waiting) > PIECE:
                        yield out.take()
    yield out.take()


def _sheet_xml(sheet: Sheet) -> Iterator[str]:
    widths = [*sheet.widths, *[20] * (len(sheet.header) - len(sheet.widths))]
    columns = "".join(f'<col min="{at}" max="{at}" width="{width}" style="1" customWidth="1"/>' for at, width in enumerate(widths, 1))
    pane = "" if sheet.marked else '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    view = f'<sheetViews><sheetView workbookViewId="0">{pane}</sheetView></sheetViews>'
    yield f"{_HEAD}<worksheet {_MAIN}>{view}<cols>{columns}</cols><sheetData>"
    letters = [column_letters(index) for index in range(len(sheet.header))]
    rows, number = iter(sheet.rows), 1
    if not sheet.marked:
        yield row_xml(1, [Title(title) for title in sheet.header], letters)
        number = 2
    while piece := list(islice(rows, ROWS_A_PIECE)):
        if number + len(piece) > ROWS_AT_MOST + 1:
            raise TooManyRows
        yield rows_xml(number, piece, letters)
        number += len(piece)
    yield "</sheetData></worksheet>"


def _frame(sheets: Sequence[Sheet]) -> Iterator[tuple[str, str]]:
    """Everything but the sheets: their table of contents and the cell formats."""
    numbers = range(1, len(sheets) + 1)
    parts = "".join(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>' for n in numbers)
    yield "[Content_Types].xml", f"{_HEAD}<Types {_CONTENTS}{parts}</Types>"
    yield "_rels/.rels", _relations([("rId1", "officeDocument", "xl/workbook.xml")])
    titles = "".join(f'<sheet name={quoteattr(sheet.title[:31])} sheetId="{n}" r:id="rId{n}"/>' for n, sheet in enumerate(sheets, 1))
    yield "xl/workbook.xml", f'{_HEAD}<workbook {_MAIN} xmlns:r="{_OFFICE}"><sheets>{titles}</sheets></workbook>'
    relations = [(f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
    yield "xl/_rels/workbook.xml.rels", _relations([*relations, (f"rId{len(sheets) + 1}", "styles", "styles.xml")])
    yield "xl/styles.xml", f"{_HEAD}<styleSheet {_MAIN}>{_STYLES}</styleSheet>"


def _relations(relations: Iterable[tuple[str, str, str]]) -> str:
    each = "".join(f'<Relationship Id="{key}" Type="{_OFFICE}/{kind}" Target="{target}"/>' for key, kind, target in relations)
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>'
