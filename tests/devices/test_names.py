"""DeviceNames by kind and wire protocol, serial numbers (G8)."""

import pytest

from console.errors import Invalid
from devices.rules import names
from devices.rules.names import BadDeviceName, SpoiledNumber
from products.rules.wire_formats import wire_format

ALIBABA, TENCENT = wire_format("alibaba"), wire_format("tencent")


def test_a_mac_is_stored_one_way_whatever_its_spelling() -> None:
    assert names.device_name("mac", ALIBABA, "a4:c1:38:00:00:1f") == names.device_name("mac", TENCENT, "A4C1.3800.001F") == "A4C13800001F"


def test_an_imei_needs_its_check_digit() -> None:
    assert names.device_name("imei", ALIBABA, "490154203237518") == "490154203237518"
    with pytest.raises(BadDeviceName, match="ends in 7, 8 was expected"):
        names.device_name("imei", ALIBABA, "490154203237517")


@pytest.mark.parametrize(
    ("kind", "text", "rule"),
    [
        ("imei", "49015420323751", "has 14"),
        ("imei", "4901542032375181", "IMEISV"),
        ("imei", "49015420323751x", "only digits"),
        ("imei", "٤90154203237518", "only digits"),
        ("mac", "A4C1", "12 hex digits"),
        ("sn", "a b", "serial number"),
        ("free", "ab", "4 to 32"),
        ("free", "x" * 33, "4 to 32"),
        ("free", "a/b/c", "4 to 32"),
        ("free", "", "missing"),
    ],
)
def test_it_names_the_rule_that_a_bad_name_breaks(kind: str, text: str, rule: str) -> None:
    with pytest.raises(BadDeviceName, match=rule):
        names.device_name(kind, ALIBABA, text)


@pytest.mark.parametrize("text", ["8.6E+14", "4.90154E+14", "8,6e+14", "1E15"])
def test_it_sees_a_number_that_a_spreadsheet_has_spoiled(text: str) -> None:
    with pytest.raises(SpoiledNumber, match="format the column as text"):
        names.device_name("imei", ALIBABA, text)


def test_characters_and_lengths_are_those_of_the_wire_protocol() -> None:
    assert names.device_name("free", ALIBABA, "a@b.c") == "a@b.c"
    with pytest.raises(BadDeviceName):
        names.device_name("free", TENCENT, "a@b.c")
    assert names.device_name("free", TENCENT, "x" * 48) == "x" * 48


def test_serial_numbers_and_nicknames_are_checked() -> None:
    assert names.serial_number(" SN-1 ") == "SN-1"
    assert names.nickname(" Kitchen kettle ") == "Kitchen kettle"
    for bad in ["a b", "x" * 65, "=1+1"]:
        with pytest.raises(Invalid):
            names.serial_number(bad)
    with pytest.raises(Invalid, match="at most 64"):
        names.nickname("x" * 65)
    with pytest.raises(Invalid, match="control"):
        names.nickname("a\tb")
