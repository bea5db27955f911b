"""Workbooks as operators have them: the titles and rows of a device list, in the form in which Excel saves them (shared strings)."""

import io
import random
import zipfile
from collections.abc import Iterator, Sequence
from itertools import count

FIRST = 0x02_00_00_00_00_00
"""Locally administered."""
TITLES = ("DeviceName", "Nickname", "SN", "Authentication", "DeviceSecret")
SEED = 20261121

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_FRAME = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPE}.sharedStrings+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="Devices" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
}


def names(devices: int) -> list[list[str]]:
    """One column of MAC addresses in no order, as labels come off a line."""
    addresses = [f"{FIRST + number:012X}" for number in range(devices)]
    random.Random(SEED).shuffle(addresses)
    return [[address] for address in addresses]


def devices(quantity: int) -> list[list[str]]:
    """Of the five titles, every cell filled."""
    drawn = random.Random(SEED)
    rows = enumerate(names(quantity), 1)
    return [[name, f"Meter {number}", f"SN{number:010d}", "static", f"{drawn.getrandbits(128):032x}"] for number, [name] in rows]


def with_bad_cells(rows: Sequence[Sequence[str]], quantity: int) -> list[list[str]]:
    """So many rows, anywhere but no two together, have one cell that breaks a rule; each kind of fault as often as the others."""
    drawn, spoiled = random.Random(SEED), [list(row) for row in rows]
    for turn, index in enumerate(drawn.sample(range(1, len(spoiled), 2), quantity)):
        row = spoiled[index]
        match turn % 5:
            case 0:
                row[0] = row[0][:-1]
            case 1:
                row[0] = spoiled[index - 1][0]
            case 2:
                row[2] = f"SN {index}"
            case 3:
                row[3] = "magic"
            case _:
                row[4] = "short"
    return spoiled


def saved(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """The workbook's bytes."""
    texts: dict[str, int] = {}
    numbers = count()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as book:
        for name, text in _FRAME.items():
            book.writestr(name, _HEAD + text)
        with book.open("xl/worksheets/sheet1.xml", "w") as part:
            part.write(f'{_HEAD}<worksheet xmlns="{_MAIN}"><dimension ref="A1:E{len(rows) + 1}"/><sheetData>'.encode())
            for piece in _rows([titles, *rows], texts, numbers):
                part.write(piece.encode())
            part.write(b"</sheetData></worksheet>")
        strings = "".join(f"<si><t>{text}</t></si>" for text in texts)
        book.writestr("xl/sharedStrings.xml", f'{_HEAD}<sst xmlns="{_MAIN}" uniqueCount="{len(texts)}">{strings}</sst>')
    return out.getvalue()


def _rows(rows: Sequence[Sequence[str]], texts: dict[str, int], numbers: "count[int]") -> Iterator[str]:
    for number, row in enumerate(rows, 1):
        cells = []
        for letter, text in zip("ABCDE", row, strict=False):
            index = texts.get(text)
            if index is None:
                index = texts[text] = next(numbers)
            cells.append(f'<c r="{letter}{number}" t="s"><v>{index}</v></c>')
        yield f'<row r="{number}" spans="1:{len(row)}">{"".join(cells)}</row>'
