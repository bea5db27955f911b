"""Tables in: honest files of every spelling are read, hostile ones are refused with a reason before they cost anything."""

import datetime as dt
import io
import resource
import zipfile

import openpyxl
import pytest

from console.shared.files import tables, xlsx_writer
from console.shared.files.refusal import FileRefused
from tests.console import hostile
from tests.console.hostile import row, text


def read(data: bytes, name: str = "list.xlsx") -> list[list[str]]:
    pieces = [data[at : at + 65_536] for at in range(0, len(data), 65_536)]
    return list(tables.read(name, len(data), lambda: iter(pieces)).rows)


def refusal(data: bytes, name: str = "list.xlsx") -> str:
    with pytest.raises(FileRefused) as refused:
        read(data, name)
    return refused.value.message


def saved(*rows: list[object]) -> bytes:
    """As a spreadsheet program would."""
    book, out = openpyxl.Workbook(), io.BytesIO()
    for cells in rows:
        book.active.append(cells)
    book.save(out)
    return out.getvalue()


# -- Honest files ------------------------------------------------------------------------------------------------------------------------
def test_a_workbook_is_read_as_text() -> None:
    day = dt.date(2024, 1, 2)
    data = saved(["Name", "N"], [" a ", 12.0], ["=x".replace("=", "≠"), 12.5], [True, day], [None, 866123456789012])
    assert read(data) == [["Name", "N"], [" a ", "12"], ["≠x", "12.5"], ["TRUE", "2024-01-02 00:00:00"], ["", "866123456789012"]]


def test_a_number_that_lost_digits_shows_it() -> None:
    assert read(saved(["N"], [866123456789012345]))[1] == ["8.66123456789012E+17"]


def test_rows_keep_their_numbers_where_the_sheet_begins_late() -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active["C3"], book.active["C5"] = "DeviceName", "a"
    book.save(out)
    assert [cells[2:] for cells in read(out.getvalue())] == [[""], [""], ["DeviceName"], [""], ["a"]]


def test_our_own_workbooks_are_read_again() -> None:
    rows = [["A", "B"], ["=1", "x"], ["", "y"]]
    assert read(b"".join(xlsx_writer.stream(xlsx_writer.Sheet("S", rows[0], rows[1:])))) == rows


def test_a_second_sheet_is_left_alone_with_its_formulas() -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["DeviceName"])
    book.create_sheet("Notes")["A1"] = "=1+1"
    book.save(out)
    assert read(out.getvalue()) == [["DeviceName"]]


def test_the_first_sheet_that_is_seen_counts() -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active["A1"] = "hidden"
    book.active.sheet_state = "hidden"
    book.create_sheet("Devices")["A1"] = "DeviceName"
    book.save(out)
    assert read(out.getvalue()) == [["DeviceName"]]


def test_empty_formatted_cells_far_away_do_not_matter() -> None:
    far = '<c r="XFD1048576" s="1"/>'
    assert read(hostile.workbook(row(1, text("A1", "DeviceName")) + row(1_048_576, far))) == [["DeviceName"]]


def test_cells_that_do_not_say_where_they_are_are_read_in_order() -> None:
    cells = '<c t="inlineStr"><is><t>a</t></is></c><c t="inlineStr"><is><t>b</t></is></c>'
    assert read(hostile.workbook(f"<row>{cells}</row><row>{cells}</row>")) == [["a", "b"], ["a", "b"]]


def test_single_quotes_comments_and_prefixes_are_xml_too() -> None:
    cells = "<!-- a note --><c r='A1' t='inlineStr'><is><t>a</t></is></c>"
    assert read(hostile.workbook(f"<row r='1'>{cells}</row>")) == [["a"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_csv_is_read_in_every_usual_spelling(encoding: str, delimiter: str, end: str) -> None:
    lines = [["设备名称", "备注"], ["a1", f'"x{delimiter}y"'], ["", ""], ["a2", "两"]]
    data = end.join(delimiter.join(cells) for cells in lines).encode(encoding)
    assert read(data, "list.csv") == [["设备名称", "备注"], ["a1", f"x{delimiter}y"], ["", ""], ["a2", "两"]]


def test_a_quoted_line_end_is_one_row() -> None:
    assert read(b'a,b\n"x\ny",z\n', "list.csv") == [["a", "b"], ["x\ny", "z"]]


def test_it_says_about_how_many_rows_there_are() -> None:
    data = b"a\n" * 1000
    assert tables.read("list.csv", len(data), lambda: iter([data])).expected == pytest.approx(1000, abs=1)
    data = saved(*[[number] for number in range(50)])
    assert tables.read("list.xlsx", len(data), lambda: iter([data])).expected == pytest.approx(50, abs=1)


# -- Hostile and mistaken ones -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["list.xls", "list.xlsm", "list.xlsb", "list.ods", "list.pdf", "list", "list.xlsx.exe"])
def test_it_refuses_other_kinds_by_name(name: str) -> None:
    assert refusal(b"anything", name)


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "list.xlsx", "empty"),
        (b"DeviceName\na\n", "list.xlsx", "no workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "list.xlsx", "password"),
        (b"PK\x03\x04 and then nothing", "list.xlsx", "damaged"),
        (b"PK\x03\x04 and then nothing", "list.csv", "is no text"),
        (b"a,b\0c\n", "list.csv", "zero bytes"),
        (b"\xff\xfe\xfd\x81" * 10 + b"\xff", "list.csv", "text"),
        (b'a,b\n"never closed', "list.csv", "Row 2"),
    ],
)
def test_it_refuses_what_is_not_what_its_name_says(data: bytes, name: str, words: str) -> None:
    assert words in refusal(data, name)


def test_it_refuses_a_file_that_is_too_large() -> None:
    with pytest.raises(FileRefused, match="larger than 64 MiB"):
        tables.check_name_and_size("list.xlsx", 65 * 1024 * 1024)


def test_it_refuses_another_zip_container() -> None:
    assert "not an Excel workbook" in refusal(hostile.container({"word/document.xml": "<x/>"}))


def test_it_refuses_a_zip_bomb_by_its_ratio() -> None:
    assert "zip bomb" in refusal(hostile.workbook("", more={"xl/media/bomb.bin": b"\0" * (20 << 20)}))


def test_it_refuses_a_zip_bomb_whose_contents_lie() -> None:
    data = hostile.workbook("", more={"xl/media/bomb.bin": b"\0" * (20 << 20)})
    assert "zip bomb" in refusal(hostile.with_declared_size(data, "xl/media/bomb.bin", 1000))


def test_it_refuses_parts_that_lie_in_each_other() -> None:
    data = bytearray(hostile.workbook(row(1, text("A1", "a"))))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as book:
        entry = book.infolist()[0]
    at = data.rindex(b"PK\x01\x02" + bytes(data[data.index(b"PK\x01\x02") + 4 : data.index(b"PK\x01\x02") + 8]))
    data[at + 20 : at + 24] = (len(data) * 2).to_bytes(4, "little")
    assert entry.filename
    assert refusal(bytes(data))


def test_it_refuses_two_parts_of_one_name() -> None:
    data = hostile.workbook("", more={"XL/WorkSheets/Sheet1.XML": "<worksheet/>"})
    assert "two parts of one name" in refusal(data)


def test_it_refuses_macros() -> None:
    assert "macros" in refusal(hostile.workbook("", more={"xl/vbaProject.bin": b"x"}))
    kind = '<Types><Override ContentType="application/vnd.ms-excel.sheet.macroEnabled.main+xml"/></Types>'
    assert "macros" in refusal(hostile.workbook("", more={"[Content_Types].xml": kind}))


@pytest.mark.parametrize("formula", ["<f>1+1</f>", '<f t="shared" si="0"/>', "<f/>"])
def test_it_refuses_a_formula_and_names_its_cell(formula: str) -> None:
    cells = text("A7", "a") + f'<c r="C7">{formula}<v>2</v></c>'
    assert "Cell C7 holds a formula" in refusal(hostile.workbook(row(7, cells)))


def test_it_finds_a_formula_of_a_prefixed_namespace() -> None:
    sheet = '<x:worksheet xmlns:x="urn:x"><x:sheetData><x:row r="1"><x:c r="B1"><x:f>1</x:f></x:c></x:row></x:sheetData></x:worksheet>'
    assert "Cell B1" in refusal(hostile.workbook("", more={"xl/worksheets/sheet1.xml": sheet}))


def test_it_finds_a_formula_that_a_spreadsheet_program_wrote() -> None:
    assert "Cell B2 holds a formula" in refusal(saved(["DeviceName", "N"], ["a", "=1+1"]))


def test_it_refuses_a_formula_in_csv_and_names_its_cell() -> None:
    assert "Cell B2 holds a formula" in refusal(b'DeviceName,N\na,"=HYPERLINK(1)"\n', "list.csv")


def test_it_refuses_an_error_value_instead_of_reading_it_as_empty() -> None:
    assert "Cell A2 holds an error value" in refusal(hostile.workbook(row(2, '<c r="A2" t="e"><v>#N/A</v></c>')))


@pytest.mark.parametrize("reference", ["XFD1", "BM1", "ZZZZZZ1"])
def test_it_refuses_a_million_columns(reference: str) -> None:
    assert "64 columns" in refusal(hostile.workbook(row(1, text("A1", "a"), text(reference, "b"))))


def test_it_refuses_columns_without_end_that_do_not_say_where_they_are() -> None:
    assert "64 columns" in refusal(hostile.workbook("<row>" + "<c><v>1</v></c>" * 5000 + "</row>"))


@pytest.mark.parametrize("number", [500_002, 1_048_576, 99_999_999_999])
def test_it_refuses_more_than_half_a_million_rows(number: int) -> None:
    assert "500,000 rows" in refusal(hostile.workbook(row(1, text("A1", "a")) + row(number, text(f"A{number}", "b"))))


def test_a_corner_far_away_costs_no_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refusal(hostile.workbook(row(1, text("A1", "a")) + row(1_048_576, text("XFD1048576", "b"))))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def strings(*texts: str) -> str:
    return f"<sst {hostile.MAIN}>{''.join(f'<si><t>{text}</t></si>' for text in texts)}</sst>"


def test_shared_strings_are_read() -> None:
    cells = '<c r="A1" t="s"><v>1</v></c><c r="B1" t="s"><v>0</v></c>'
    more = {
        "xl/sharedStrings.xml": strings("zero", "one"),
        "xl/_rels/workbook.xml.rels": str(hostile.PARTS["xl/_rels/workbook.xml.rels"]).replace(
            "</Relationships>",
            f'<Relationship Id="rId2" Type="{hostile.RELATION}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        ),
    }
    assert read(hostile.workbook(row(1, cells), more=more)) == [["one", "zero"]]


def test_it_refuses_one_long_text_in_a_great_many_cells() -> None:
    """A reader copies it into each of them."""
    cells = "".join(row(number, f'<c r="A{number}" t="s"><v>0</v></c>') for number in range(1, 30_001))
    noise = "".join(f"{number:x}" for number in range(20_000))
    assert "far too long for so many cells" in refusal(hostile.workbook(cells, more={"xl/sharedStrings.xml": strings(noise)}))


def formatted(number_format: int, value: str) -> bytes:
    """A workbook with a single number in this built-in format: 0 general, 14 a date, 46 a duration."""
    styles = f'<styleSheet {hostile.MAIN}><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="{number_format}"/></cellXfs></styleSheet>'
    relation = f'<Relationship Id="rId2" Type="{hostile.RELATION}/styles" Target="styles.xml"/></Relationships>'
    relations = str(hostile.PARTS["xl/_rels/workbook.xml.rels"]).replace("</Relationships>", relation)
    more = {"xl/styles.xml": styles, "xl/_rels/workbook.xml.rels": relations}
    return hostile.workbook(row(1, f'<c r="A1" s="1"><v>{value}</v></c>'), more=more)


@pytest.mark.parametrize(("number_format", "value"), [(14, "-1e300"), (14, "-inf"), (46, "860000000000001"), (46, "inf")])
def test_it_refuses_a_date_or_duration_that_no_calendar_holds(number_format: int, value: str) -> None:
    """The reader panics over it, or Python does."""
    assert "damaged" in refusal(formatted(number_format, value))


def test_what_is_no_number_is_shown_as_such() -> None:
    assert read(formatted(0, "NaN")) == [["NAN"]]


@pytest.mark.parametrize("sheet", [text("A1", "a_x0000_b"), text("A1", "a") + '<c r="B1"><v>1</v></c>' + text("C1", "_x0000_")])
def test_it_refuses_a_zero_character_as_in_csv(sheet: str) -> None:
    """No database stores one."""
    assert "damaged" in refusal(hostile.workbook(row(1, sheet)))


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml"])
def test_it_refuses_a_document_type(part: str) -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    data = (
        hostile.workbook(row(1, text("A1", "a")), head=laughs) if "sheet1" in part else hostile.workbook("", more={part: laughs + "<x/>"})
    )
    assert "document type" in refusal(data)


def test_it_refuses_xml_in_another_encoding() -> None:
    sheet = '<?xml version="1.0" encoding="UTF-16"?><worksheet><sheetData/></worksheet>'.encode("utf-16")
    assert "UTF-8" in refusal(hostile.workbook("", more={"xl/worksheets/sheet1.xml": sheet}))


def test_it_checks_the_sheet_that_the_container_really_names() -> None:
    """Not one at the usual place: readers follow the relations."""
    formula = row(1, '<c r="A1"><f>1</f></c>')
    other = {
        "_rels/.rels": str(hostile.PARTS["_rels/.rels"]).replace("xl/workbook.xml", "xl/other.xml"),
        "xl/other.xml": hostile.PARTS["xl/workbook.xml"],
        "xl/_rels/other.xml.rels": str(hostile.PARTS["xl/_rels/workbook.xml.rels"]).replace("sheet1", "sheet9"),
        "xl/worksheets/sheet9.xml": f"<worksheet {hostile.MAIN}><sheetData>{formula}</sheetData></worksheet>",
    }
    assert "Cell A1 holds a formula" in refusal(hostile.workbook(row(1, text("A1", "innocent")), more=other))


def test_it_refuses_a_workbook_without_its_sheet() -> None:
    assert "missing" in refusal(hostile.container(hostile.PARTS))


def test_it_refuses_broken_xml() -> None:
    assert refusal(hostile.workbook("<row r='1'><c r='A1'><oops></c></row>"))


def test_it_refuses_csv_lines_without_end() -> None:
    assert "far too long" in refusal(b"a" * 200_000 + b"\n", "list.csv")
    assert "64 columns" in refusal(b"DeviceName\n" + b"x," * 100 + b"x\n", "list.csv")


def test_it_refuses_csv_with_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.shared.files.csv_reader.ROWS_AT_MOST", 3)
    assert read(b"a\nb\nc\n", "list.csv")
    assert "rows" in refusal(b"a\nb\nc\nd\n", "list.csv")
