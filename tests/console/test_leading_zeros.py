"""Numbers that a workbook shows with leading zeros, such as serial numbers in the format 000000, are read as they are shown."""

import io

import openpyxl
import pytest

from tests.console import hostile
from tests.console.hostile import row
from tests.console.test_tables import read, refusal


def saved(*rows: list[tuple[object, str]]) -> bytes:
    """A workbook as a spreadsheet program writes it; each cell is (value, number format)."""
    book, out = openpyxl.Workbook(), io.BytesIO()
    for at, cells in enumerate(rows, 1):
        for column, (value, number_format) in enumerate(cells, 1):
            cell = book.worksheets[0].cell(at, column, value)
            cell.number_format = number_format
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("value", "number_format", "read_as"),
    [
        (123, "000000", "000123"),
        (123, "000000;-000000", "000123"),
        (1234567, "000000", "1234567"),
        (0, "0000", "0000"),
        (123, "0", "123"),
        (123, "General", "123"),
        (123, "#,##0", "123"),
        (12.5, "0000", "12.5"),
        (-5, "0000", "-5"),
        ("123", "000000", "123"),
    ],
)
def test_a_number_is_read_with_the_zeros_that_it_shows(value: object, number_format: str, read_as: str) -> None:
    assert read(saved([("SN", "General")], [(value, number_format)])) == [["SN"], [read_as]]


def test_each_cell_has_its_own_format() -> None:
    rows = [[("SN", "General"), ("Line", "General")]] + [
        [(number, "00000" if number % 2 else "General"), (number, "000")] for number in (7, 8)
    ]
    assert read(saved(*rows)) == [["SN", "Line"], ["00007", "007"], ["8", "008"]]


def test_long_lists_keep_their_zeros_in_every_block() -> None:
    rows = read(saved(*([(number, "000000")] for number in range(3_000))))
    assert rows == [[f"{number:06}"] for number in range(3_000)]


def test_a_sheet_that_begins_late_and_cells_without_a_value() -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    sheet = book.worksheets[0]
    for place, value in (("C3", 7), ("C5", None), ("E5", 9)):
        sheet[place] = value
        sheet[place].number_format = "000"
    book.save(out)
    assert read(out.getvalue()) == [[""] * 5, [""] * 5, ["", "", "007", "", ""], [""] * 5, ["", "", "", "", "009"]]


def styled(formats: str) -> bytes:
    """A workbook with the number 7 in the first style of `formats`."""
    styles = f'<styleSheet {hostile.MAIN}><numFmts count="1"><numFmt numFmtId="164" formatCode="000"/></numFmts>{formats}</styleSheet>'
    return hostile.workbook(row(1, '<c r="A1"><v>7</v></c>'), more={"xl/styles.xml": styles})


@pytest.mark.parametrize(
    ("formats", "read_as"),
    [
        ('<cellXfs count="1"><xf numFmtId="164"/></cellXfs>', "007"),
        ('<cellStyleXfs count="1"><xf numFmtId="164"/></cellStyleXfs><cellXfs count="1"><xf numFmtId="0"/></cellXfs>', "7"),
        ("", "7"),
    ],
)
def test_the_style_of_the_cell_itself_counts(formats: str, read_as: str) -> None:
    assert read(styled(formats)) == [[read_as]]


def test_it_refuses_broken_styles() -> None:
    assert "damaged" in refusal(styled("<cellXfs>"))
