"""Workbooks that no honest program writes, built part by part."""

import io
import struct
import zipfile
from collections.abc import Mapping

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PARTS: dict[str, str | bytes] = {
    "[Content_Types].xml": "<Types/>",
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{RELATION}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{RELATION}"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{RELATION}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    ),
}


def container(parts: Mapping[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for name, data in parts.items():
            book.writestr(name, data)
    return out.getvalue()


def workbook(rows: str, *, more: Mapping[str, str | bytes] | None = None, head: str = "") -> bytes:
    """`rows`: what stands in sheetData."""
    sheet = f"{head}<worksheet {MAIN}><sheetData>{rows}</sheetData></worksheet>"
    return container({**PARTS, "xl/worksheets/sheet1.xml": sheet, **(more or {})})


def row(number: int, *cells: str) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


def text(reference: str, value: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{value}</t></is></c>'


def with_declared_size(data: bytes, name: str, size: int) -> bytes:
    """The same container, whose table of contents lies about the unpacked size of one part."""
    patched = bytearray(data)
    at = data.rindex(b"PK\x01\x02")
    while data[at + 46 : at + 46 + len(name)] != name.encode():
        at = data.rindex(b"PK\x01\x02", 0, at)
    patched[at + 24 : at + 28] = struct.pack("<I", size)
    return bytes(patched)
