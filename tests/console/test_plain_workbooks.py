"""Plain workbooks are read in one pass, and to the letter as the general reader reads them."""

import io
from collections.abc import Callable, Sequence

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from console.shared.files import xlsx_plain, xlsx_reader, xlsx_writer
from console.shared.files.xlsx_plain import NotPlain
from console.shared.files.zip_guard import GuardedZip
from tests.console import hostile
from tests.console.hostile import row, text

Rows = Sequence[Sequence[str]]


def plainly(data: bytes) -> list[list[str]]:
    """Column by column. Raises NotPlain."""
    container = GuardedZip(data)
    return xlsx_reader._plain_columns(container, xlsx_reader._first_sheet(container)[0])


def generally(data: bytes) -> list[list[str]]:
    container = GuardedZip(data)
    blocks, _count, _name = xlsx_reader._read_any(container, data, *xlsx_reader._first_sheet(container))
    found = [list(column) for column in next(blocks, [])]
    assert not list(blocks)
    return found


def ours(rows: Rows) -> bytes:
    header = [""] * max(map(len, rows), default=0)
    return b"".join(xlsx_writer.stream(xlsx_writer.Sheet("S", header, [[*cells, *header[len(cells) :]] for cells in rows], marked=True)))


def by_xlsxwriter(rows: Rows) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
        for number, cells in enumerate(rows):
            for index, cell in enumerate(cells):
                if cell or index % 2:
                    sheet.write_string(number, index, cell, bold if index == 1 else None)
    return out.getvalue()


def by_openpyxl(rows: Rows) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for number, cells in enumerate(rows, 1):
        for index, cell in enumerate(cells, 1):
            if cell:
                place = book.active.cell(number, index)
                place.value, place.data_type = cell, "s"
    book.save(out)
    return out.getvalue()


CELL = st.one_of(
    st.sampled_from(["", "64C2DE000001", "a & b", "<x>", '"', " x ", "\u00a0", "_x0041_", "x\ny", "x\ty", "设备", "&amp;", "'", "=1+1"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=8),
)
WRITERS = [ours, by_xlsxwriter, by_openpyxl]


@given(st.lists(st.lists(CELL, max_size=5), max_size=8), st.sampled_from(WRITERS))
def test_it_reads_what_the_general_reader_reads(rows: Rows, writer: Callable[[Rows], bytes]) -> None:
    data = writer(rows)
    try:
        found = plainly(data)
    except NotPlain:
        return
    assert trimmed(found) == trimmed(generally(data))


def trimmed(columns: list[list[str]]) -> list[list[str]]:
    """Without empty rows and columns at the end, of which the general reader keeps some."""
    height = max((at for column in columns for at, cell in enumerate(column, 1) if cell), default=0)
    cut = [column[:height] for column in columns]
    while cut and not any(cut[-1]):
        cut.pop()
    return cut


@pytest.mark.parametrize("writer", WRITERS)
def test_lists_as_programs_save_them_are_plain(writer: Callable[[Rows], bytes]) -> None:
    rows = [["MAC", "SN", "Nickname"], ["64C2DE000001", "SN1", "Kitchen & bath"], ["64C2DE000002", "", "<2>"], ["", "SN3"]]
    assert plainly(writer(rows)) == [
        ["MAC", "64C2DE000001", "64C2DE000002", ""],
        ["SN", "SN1", "", "SN3"],
        ["Nickname", "Kitchen & bath", "<2>", ""],
    ]


def test_columns_rows_and_kinds_that_come_late_are_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.shared.files.zip_guard._PIECE", 100)
    cells = row(2, text("A2", "a")) + row(3, text("A3", "b"), text("C3", "c")) + row(7, '<c r="B7" t="s"><v>1</v></c>', '<c r="C7" s="2"/>')
    data = hostile.workbook(cells, more={"xl/sharedStrings.xml": f"<sst {hostile.MAIN}><si><t>x</t></si><si><t>y</t></si></sst>"})
    assert plainly(data) == [["", "a", "b", "", "", "", ""], ["", "", "", "", "", "", "y"], ["", "", "c", "", "", "", ""]]


def test_what_chinese_spreadsheets_say_of_the_sound_of_a_text_is_passed_over() -> None:
    strings = f'<sst {hostile.MAIN}><si><t>设备名称</t><phoneticPr fontId="1" type="noConversion"/></si></sst>'
    cells = row(1, '<c r="A1" t="s"><v>0</v></c>')
    assert plainly(hostile.workbook(cells, more={"xl/sharedStrings.xml": strings})) == [["设备名称"]]


def test_empty_cells_and_rows_at_the_end_are_no_rows() -> None:
    cells = row(1, text("A1", "a"), '<c r="B1" s="1"/>') + row(2, '<c r="A2" s="1"/>')
    assert plainly(hostile.workbook(cells)) == [["a"]]


@pytest.mark.parametrize(
    "cells",
    [
        row(1, '<c r="A1"><f>1+1</f><v>2</v></c>'),
        row(1, '<c r="A1"><v>2</v></c>'),
        row(1, '<c r="A1" t="e"><v>#N/A</v></c>'),
        row(1, '<c r="A1" t="s"><v>0</v></c>'),
        row(1, text("A2", "of another row")),
        row(1, text("B1", "a"), text("A1", "b")),
        row(1, text("A1", "a"), text("A1", "b")),
        row(2, text("A2", "a")) + row(1, text("A1", "b")),
        row(1, text("A1", "a")) + row(1, text("A1", "b")),
        row(1, text("BM1", "far")),
        row(500_002, text("A500002", "far")),
        row(1, text("A1", "&#65;")),
        row(1, text("A1", "_x0041_")),
        row(1, text("A1", "a\r\nb")),
        row(1, text("A1", "a")) + "<!-- a note -->" + row(2, text("A2", "b")),
        row(1, text("A1", "a")) + "</sheetData><sheetData>" + row(2, text("A2", "b")),
        '<row r="1" r="2">' + text("A1", "a") + "</row>",
        "<row>" + text("A1", "a") + "</row>",
        "<row r='1'>" + text("A1", "a") + "</row>",
        '<row r="1"/>' + row(2, text("A2", "a")),
        row(1, '<c r="A1" t="inlineStr"><is><r><t>rich</t></r></is></c>'),
        "",
    ],
)
def test_whatever_is_not_plain_is_left_to_the_general_reader(cells: str) -> None:
    with pytest.raises(NotPlain):
        plainly(hostile.workbook(cells))


@pytest.mark.parametrize(
    "strings",
    [
        "<si><r><t>rich</t></r></si>",
        "<si><t>a</t><rPh><t>b</t></rPh></si>",
        "<!DOCTYPE x><si><t>a</t></si>",
        "<si><t>&#65;</t></si>",
        "<x:si/>",
    ],
)
def test_shared_strings_that_are_not_plain_are_left_to_it_too(strings: str) -> None:
    data = hostile.workbook(row(1, '<c r="A1" t="s"><v>0</v></c>'), more={"xl/sharedStrings.xml": f"<sst {hostile.MAIN}>{strings}</sst>"})
    with pytest.raises(NotPlain):
        plainly(data)


@pytest.mark.parametrize(("bound", "most"), [("LONGEST", 30), ("STRINGS_AT_MOST", 2)])
def test_what_would_take_too_much_memory_is_left_to_it_too(monkeypatch: pytest.MonkeyPatch, bound: str, most: int) -> None:
    strings = f"<sst {hostile.MAIN}>{'<si><t>a</t></si>' * 3}</sst>"
    data = hostile.workbook(row(1, '<c r="A1" t="s"><v>0</v></c>'), more={"xl/sharedStrings.xml": strings})
    assert plainly(data) == [["a"]]
    monkeypatch.setattr(xlsx_plain, bound, most)
    monkeypatch.setattr("console.shared.files.zip_guard._PIECE", 50)
    with pytest.raises(NotPlain):
        plainly(data)


def test_a_long_text_for_a_great_many_cells_is_left_to_the_guard() -> None:
    long = "".join(f"{number:x}" for number in range(50_000))
    cells = "".join(row(number, f'<c r="A{number}" t="s"><v>0</v></c>') for number in range(1, 12_001))
    data = hostile.workbook(cells, more={"xl/sharedStrings.xml": f"<sst {hostile.MAIN}><si><t>{long}</t></si></sst>"})
    with pytest.raises(NotPlain):
        plainly(data)
    assert len(long) * 12_000 > xlsx_plain.TEXT_AT_MOST
