"""Device lists in files: their titles in every spelling, and every bad cell named exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.rules import sheets
from devices.rules.columns import BadHeader, Layout, layout
from devices.rules.sheets import BadCell, GoodRow, RowCheck, Terms
from products.rules.wire_formats import wire_format

KETTLE = Terms("a1ExpAkj9Hi", "mac", wire_format("alibaba"), allows_static=True)
TRACKER = Terms("L4WG9V9M2M", "free", wire_format("tencent"), allows_static=True)
METER = Terms("a1MeterKey9", "imei", wire_format("native"), allows_static=False)
PRODUCTION = Terms("a1ExpAkj9Hi", "mac", wire_format("alibaba"), allows_static=True, names_only=True)
FINGERPRINT = "AA:" * 19 + "AA"


def checked(terms: Terms, *rows: list[str]) -> list[tuple[GoodRow | None, list[BadCell]]]:
    """The first row is the header."""
    check = RowCheck(sheets.read_layout(rows[0], terms), terms)
    found = [check.row(number, cells) for number, cells in enumerate(rows[1:], 2)]
    return [(None if bad else row, bad) for row, bad in found]


def faults(terms: Terms, *rows: list[str]) -> list[tuple[int, str, str]]:
    """(row, column, value) of every bad cell."""
    return [(cell.number, cell.column, cell.value) for _row, bad in checked(terms, *rows) for cell in bad]


# -- Titles ------------------------------------------------------------------------------------------------------------------------------
def columns(*titles: str) -> dict[str, int]:
    return layout(titles, names_only=False).at


def test_it_knows_its_own_titles() -> None:
    titles = ("ProductKey", "DeviceName", "Nickname", "SN", "Authentication", "DeviceSecret", "Fingerprint")
    assert list(columns(*titles)) == ["DeviceName", "ProductKey", "Nickname", "SN", "Authentication", "DeviceSecret", "Fingerprint"]


@pytest.mark.parametrize(
    "title",
    ["devicename", "Device Name", " DEVICE_NAME* ", "device-name", "\ufeffDeviceName", "DeviceName (required)", "ＤｅｖｉｃｅＮａｍｅ"],
)
def test_case_spaces_stars_and_brackets_do_not_matter(title: str) -> None:
    assert columns(title) == {"DeviceName": 0}


def test_it_reads_the_header_of_quectel() -> None:
    """Where 设备名称 is a name for people, because DeviceKey names the device."""
    assert columns("*设备DeviceKey", "*产品ProductKey", "*设备SN", "设备名称") == {"DeviceName": 0, "ProductKey": 1, "SN": 2, "Nickname": 3}


def test_it_reads_the_chinese_header_of_alibaba_and_tencent() -> None:
    """Where 设备名称 is the DeviceName."""
    assert columns("产品ID", "设备名称", "设备密钥") == {"ProductKey": 0, "DeviceName": 1, "DeviceSecret": 2}


@pytest.mark.parametrize("title", ["MAC", "mac地址", "IMEI", "DeviceKey", "DN", "Device ID"])
def test_the_device_name_has_many_titles(title: str) -> None:
    assert columns(title, "SN") == {"DeviceName": 0, "SN": 1}


def test_it_refuses_titles_that_nobody_knows_and_names_them() -> None:
    """A misspelt DeviceSecret that is passed over would give the device another secret than it holds."""
    with pytest.raises(BadHeader, match="“DeviceSekret”, “Colour”"):
        columns("DeviceName", "DeviceSekret", "Colour")


def test_it_refuses_a_header_without_a_device_name() -> None:
    with pytest.raises(BadHeader, match=r"no column DeviceName\. The first row has “SN”, “Nickname”"):
        columns("SN", "Nickname")


@pytest.mark.parametrize("titles", [("DeviceName", "Device Name"), ("MAC", "IMEI"), ("DeviceName", "SN", "serial number")])
def test_it_refuses_two_columns_for_one_thing(titles: tuple[str, ...]) -> None:
    with pytest.raises(BadHeader, match="Two columns give the"):
        columns(*titles)


def test_production_reads_names_alone_and_says_what_it_leaves() -> None:
    found = layout(["No.", "MAC", "DeviceSecret"], names_only=True)
    assert (found.at, found.ignored) == ({"DeviceName": 1}, ("No.", "DeviceSecret"))


def test_production_takes_a_lone_sn_column_as_names() -> None:
    assert layout(["SN"], names_only=True).at == {"DeviceName": 0}


@pytest.mark.parametrize(("terms", "first"), [(KETTLE, "64:c2:de:00:00:01"), (METER, "490154203237518")])
def test_a_plain_list_of_addresses_or_imeis_needs_no_header(terms: Terms, first: str) -> None:
    found = sheets.read_layout(["", first, ""], terms)
    assert found.headless
    assert found.at == {"DeviceName": 1}


@pytest.mark.parametrize(("terms", "first"), [(TRACKER, ["tracker-1"]), (KETTLE, ["64:c2:de:00:00:01", "x"]), (KETTLE, ["not a mac"])])
def test_it_refuses_a_missing_header_where_a_title_could_be_taken_for_a_name(terms: Terms, first: list[str]) -> None:
    with pytest.raises(BadHeader):
        sheets.read_layout(first, terms)


# -- Cells -------------------------------------------------------------------------------------------------------------------------------
def test_a_good_row_is_in_its_stored_form() -> None:
    header = ["ProductKey", "MAC", "Nickname", "SN", "Authentication", "DeviceSecret", "Fingerprint"]
    row = ["a1ExpAkj9Hi", "64-c2-de-00-00-01", " Kitchen ", "SN1", "X.509", "", FINGERPRINT]
    assert checked(KETTLE, header, row) == [(GoodRow(2, "64C2DE000001", "Kitchen", "SN1", "x509", "", "aa" * 20), [])]


def test_short_rows_and_missing_columns_are_empty() -> None:
    assert checked(KETTLE, ["MAC", "SN", "Nickname"], ["64C2DE000001"]) == [(GoodRow(2, "64C2DE000001", "", "", "dynamic", "", ""), [])]


@pytest.mark.parametrize(
    ("word", "kind"), [("dynamic", "dynamic"), ("静态", "static"), ("X509 certificate", "x509"), ("", "dynamic"), ("证书", "x509")]
)
def test_authentication_is_understood_in_words(word: str, kind: str) -> None:
    [(row, bad)] = checked(KETTLE, ["MAC", "认证方式"], ["64C2DE000001", word])
    assert row is not None
    assert (row.authentication, bad) == (kind, [])


def test_our_own_guard_against_formulas_is_taken_off() -> None:
    [(row, _bad)] = checked(KETTLE, ["MAC", "Nickname"], ["64C2DE000001", "'=1+1"])
    assert row is not None
    assert row.nickname == "=1+1"


def test_every_bad_cell_is_named_with_row_column_value() -> None:
    header = ["*设备DeviceKey", "*产品ProductKey", "*设备SN", "设备名称", "Authentication", "DeviceSecret", "Fingerprint"]
    rows = [
        ["64C2DE000001", "a1ExpAkj9Hi", "SN1", "ok", "", "", ""],
        ["64C2DE00000", "other", "S N", "x" * 65, "magic", "short", "zz"],
        ["", "", "", "", "", "", ""],
        ["8.6E+14", "", "8,6e+14", "", "", "", ""],
        ["65C2DE000001", "", "2024-01-02 00:00:00", "", "dynamic", "", FINGERPRINT],
    ]
    assert faults(KETTLE, header, *rows) == [
        (3, "*设备DeviceKey", "64C2DE00000"),
        (3, "*产品ProductKey", "other"),
        (3, "设备名称", "x" * 59 + "…"),
        (3, "*设备SN", "S N"),
        (3, "Authentication", "magic"),
        (3, "DeviceSecret", "•••"),
        (3, "Fingerprint", "zz"),
        (4, "*设备DeviceKey", ""),
        (5, "*设备DeviceKey", "8.6E+14"),
        (5, "*设备SN", "8,6e+14"),
        (6, "*设备DeviceKey", "65C2DE000001"),
        (6, "*设备SN", "2024-01-02 00:00:00"),
        (6, "Fingerprint", FINGERPRINT),
    ]


def test_what_is_wrong_is_said_in_words_and_grouped_without_the_particulars() -> None:
    rows = [["490154203237519"], ["49015420323751"]]
    found = [cell for _row, bad in checked(METER, ["IMEI"], *rows) for cell in bad]
    assert [(cell.rule, cell.words) for cell in found] == [
        ("The IMEI's check digit is wrong", "The IMEI's check digit is wrong: it ends in 9, 8 was expected."),
        ("An IMEI has 15 digits; this one has 14.", "An IMEI has 15 digits; this one has 14."),
    ]


def test_it_refuses_static_devices_of_a_product_that_cannot_hold_them() -> None:
    assert faults(METER, ["IMEI", "Authentication"], ["490154203237518", "static"]) == [(2, "Authentication", "static")]


def test_it_refuses_a_value_without_a_title_and_does_not_repeat_it() -> None:
    """It may be a secret."""
    assert faults(KETTLE, ["MAC", "", "SN"], ["64C2DE000001", "s3cret", "SN1", "", "more"]) == [
        (2, "column 2", "•••"),
        (2, "column 5", "•••"),
    ]


def test_the_same_name_twice_names_the_other_row() -> None:
    header = ["MAC", "SN"]
    rows = [["64:C2:DE:00:00:01", "S1"], ["64C2DE000002", "S2"], ["64c2de000001", "S2"], ["64C2.DE00.0001", ""]]
    found = [cell for _row, bad in checked(KETTLE, header, *rows) for cell in bad]
    assert [(cell.number, cell.column, cell.words) for cell in found] == [
        (4, "MAC", "Row 2 of this file has the same DeviceName."),
        (4, "SN", "Row 3 of this file has the same SN."),
        (5, "MAC", "Row 2 of this file has the same DeviceName."),
    ]


def test_a_name_of_the_list_is_told_apart_from_one_of_the_file() -> None:
    cell = sheets.taken(7, Layout({"DeviceName": 0}, {0: "MAC"}), "DeviceName", "64C2DE000001", 42)
    assert cell == BadCell(
        7,
        "MAC",
        "64C2DE000001",
        "In the pre-import list already: DeviceName",
        "The pre-import list has this DeviceName already, in its row #42.",
    )


def test_production_checks_names_alone() -> None:
    assert faults(PRODUCTION, ["MAC", "DeviceSecret", "SN"], ["64C2DE000001", "x", "S N", "stray"], ["nonsense", "", ""]) == [
        (3, "MAC", "nonsense")
    ]


CELL = st.one_of(
    st.text(max_size=30), st.sampled_from(["64C2DE000001", "8.6E+14", "", " ", "'=1", "static", "x509", FINGERPRINT, "a" * 32])
)
HEADER = ["MAC", "Nickname", "SN", "Authentication", "DeviceSecret", "Fingerprint"]


@given(st.lists(st.lists(CELL, max_size=8), max_size=6), st.sampled_from([KETTLE, TRACKER, METER]))
def test_whatever_stands_in_the_cells_a_row_is_good_or_its_faults_are_named(rows: list[list[str]], terms: Terms) -> None:
    for number, (row, bad) in enumerate(checked(terms, HEADER, *rows), 2):
        assert (row is None) == bool(bad)
        assert all(cell.number == number and cell.words and cell.rule and len(cell.value) <= sheets.SHOWN for cell in bad)
        if row is not None:
            again, faults_again = RowCheck(Layout({name: index for index, name in enumerate(["DeviceName", *HEADER[1:]])}), terms).row(
                number, row[1:]
            )
            assert (again, faults_again) == (row, [])


@given(CELL)
def test_a_bad_secret_is_never_repeated(secret: str) -> None:
    for _row, bad in checked(KETTLE, ["MAC", "DeviceSecret"], ["64C2DE000001", secret]):
        assert [cell.value for cell in bad] in ([], ["•••"])
