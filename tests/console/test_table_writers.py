"""Tables out: every cell arrives as the text it was, in every reader, and no spreadsheet runs one."""

import csv
import io
import zipfile

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from console.shared.files import csv_writer, xlsx_writer
from console.shared.files.xlsx_cells import Red, row_xml, rows_xml
from console.shared.files.xlsx_writer import Sheet

NASTY = [
    "=1+1",
    "+49",
    "-5",
    "@SUM(A1)",
    "\tx",
    " =1",
    "<b>&amp;</b>",
    "'quoted'",
    '"',
    "a,b",
    "8.6E+14",
    "007",
    "1-2",
    "😀中文",
    "两\n行",
    "",
]
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def workbook(*sheets: Sheet) -> bytes:
    return b"".join(xlsx_writer.stream(*sheets))


def read(data: bytes) -> list[list[str]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()


def test_a_workbook_gives_back_every_cell_as_text() -> None:
    data = workbook(Sheet("Devices", ["A", "B"], [(text, "x") for text in NASTY]))
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    rows = [[cell.value or "" for cell in row] for row in sheet.iter_rows()]
    assert rows == [["A", "B"], *[[text, "x"] for text in NASTY]]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}
    assert {cell.number_format for row in sheet.iter_rows(min_row=2) for cell in row if cell.value} == {"@"}
    assert read(data) == rows


def test_it_leaves_out_what_xml_cannot_hold_and_escapes_what_looks_like_an_escape() -> None:
    data = workbook(Sheet("Devices", ["A"], [("a\x00b\x0bc\x1f",), ("_x0041_",), ("x" * 40_000,)]))
    assert read(data) == [["A"], ["abc"], ["_x0041_"], ["x" * 32_767]]


def test_it_writes_several_sheets_with_awkward_titles() -> None:
    data = workbook(Sheet("Devices", ["A"], []), Sheet('N & "m" <x> that is far too long for a title', ["B"], [("b",)]))
    assert openpyxl.load_workbook(io.BytesIO(data)).sheetnames == ["Devices", 'N & "m" <x> that is far too lon']


def test_its_memory_does_not_grow_with_the_rows() -> None:
    sizes = [len(piece) for piece in xlsx_writer.stream(Sheet("Devices", ["A"], ((f"{number:032x}",) for number in range(100_000))))]
    assert len(sizes) > 5
    assert max(sizes) < 500_000


def test_it_refuses_more_rows_than_a_worksheet_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_writer, "ROWS_AT_MOST", 3)
    assert len(read(workbook(Sheet("Devices", ["A"], [("1",), ("2",)])))) == 3
    with pytest.raises(xlsx_writer.TooManyRows):
        workbook(Sheet("Devices", ["A"], [("1",), ("2",), ("3",)]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=40)), max_size=8))
def test_whatever_the_text_the_workbook_opens(rows: list[tuple[str, str]]) -> None:
    data = workbook(Sheet("Devices", ["A", "B"], rows))
    assert openpyxl.load_workbook(io.BytesIO(data)).active.max_row >= 1
    assert len(read(data)) <= len(rows) + 1


CELLS = st.one_of(
    st.sampled_from(["", "plain", "plain", "a b", " a", "50%", "%s", "_x0041_", "_x", "x0041_", "两", "<", "x" * 32_768, *NASTY]),
    st.text(max_size=5),
    st.builds(Red, st.sampled_from(["", "plain", "a&b"])),
)


@settings(deadline=None)
@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=12)))
def test_a_block_of_rows_is_what_its_rows_are(rows: list[list[str]]) -> None:
    letters = "ABCD"[: len(rows[0])]
    assert rows_xml(7, rows, letters) == "".join(row_xml(7 + at, row, letters) for at, row in enumerate(rows))


def test_it_refuses_a_row_of_another_width() -> None:
    with pytest.raises(ValueError, match="zip"):
        workbook(Sheet("Devices", ["A", "B"], [("1", "2"), ("1",)]))
    with pytest.raises(ValueError, match="zip"):
        workbook(Sheet("Devices", ["A", "B"], [("1", "2", "3")]))


def test_the_same_rows_make_the_same_bytes() -> None:
    rows = [(f"{number:032x}", "<两>") for number in range(5_000)]
    book = workbook(Sheet("Devices", ["A", "B"], rows))
    assert book == workbook(Sheet("Devices", ["A", "B"], iter(rows)))
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_csv_is_for_spreadsheets_by_default() -> None:
    text = b"".join(csv_writer.stream(["A", "B"], [("1", "两"), ("a,b", 'q"')]))
    assert text.startswith(b"\xef\xbb\xbf")
    assert text.decode("utf-8-sig") == 'A,B\r\n1,两\r\n"a,b","q"""\r\n'


def test_csv_for_machines_has_no_mark() -> None:
    assert b"".join(csv_writer.stream(["A"], [("x",)], for_people=False)) == b"A\r\nx\r\n"


@given(
    st.lists(
        st.lists(st.one_of(st.sampled_from(["", "plain", "a,b", '"', " a", "两\n行", "\r"]), st.text(max_size=5)), min_size=1), min_size=1
    )
)
def test_csv_is_what_the_library_writes(rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    text = b"".join(csv_writer.stream(["A"], rows, unaltered=["A"], for_people=False))
    assert text.decode("utf-8", "surrogatepass") == f"A\r\n{out.getvalue()}"


@given(st.text(max_size=20))
def test_no_cell_of_a_guarded_column_starts_a_formula(text: str) -> None:
    lines = b"".join(csv_writer.stream(["A"], [(text,)])).decode("utf-8-sig", "surrogatepass") if text.isprintable() else ""
    for row in list(csv.reader(io.StringIO(lines)))[1:]:
        assert not "".join(row).lstrip(" \u00a0").startswith(FORMULA_STARTS)


def test_a_column_of_secrets_is_never_altered() -> None:
    text = b"".join(csv_writer.stream(["Name", "Secret"], [("=1", "+abc=")], unaltered=["Secret"])).decode("utf-8-sig")
    assert text == "Name,Secret\r\n'=1,+abc=\r\n"
