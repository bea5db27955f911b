"""Serial numbers as rules: their form, their check character, and what a label says."""

import json
import os

import pytest
import segno

from console.crypto import codes
from console.errors import Invalid
from devices.rules import labels, serial_numbers
from devices.rules.serial_numbers import ALPHABETS, BadDesign, Design


@pytest.mark.parametrize(
    ("alphabet", "number", "expected"),
    [
        ("digits", "0794", "5"),  # ISO/IEC 7064, 10.3: MOD 11,10.
        ("capitals", "A12425GABC1234002", "M"),  # The example of the GRid standard: MOD 37,36.
    ],
)
def test_the_check_character_is_that_of_the_standard(alphabet: str, number: str, expected: str) -> None:
    assert serial_numbers.check_character(number, ALPHABETS[alphabet]) == expected


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_every_single_wrong_character_is_noticed(alphabet: str) -> None:
    design = Design("KT-", alphabet, 8, check_character=True)
    for number in serial_numbers.draw(design, 20, os.urandom):
        assert not serial_numbers.is_mistyped(design, number)
        for place in range(len("KT-"), len(number)):
            for other in set(ALPHABETS[alphabet]) - {number[place]}:
                wrong = number[:place] + other + number[place + 1 :]
                assert serial_numbers.is_mistyped(design, wrong)


@pytest.mark.parametrize(
    ("design", "number"),
    [
        (Design("KT-", "clear", 8), "KT-AAAAAAAAA"),  # Nothing to check it by.
        (Design("", "clear", 8, check_character=True), "AAAAAAAAA"),
        (Design("KT-", "clear", 8, check_character=True), "KT-AAAAAAAA"),  # From here on: of another form.
        (Design("KT-", "clear", 8, check_character=True), "XT-AAAAAAAAA"),
        (Design("KT-", "clear", 8, check_character=True), "KT-2024-0001"),
        (Design("KT-", "clear", 8, check_character=True), ""),
    ],
)
def test_a_number_of_somebody_else_is_not_taken_for_a_mistyped_one(design: Design, number: str) -> None:
    assert not serial_numbers.is_mistyped(design, number)


def test_numbers_have_the_form_that_was_chosen() -> None:
    numbers = serial_numbers.draw(Design("KT-", "clear", 10), 5000, os.urandom)
    assert len(set(numbers)) == 5000
    assert {number[:3] for number in numbers} == {"KT-"}
    assert {len(number) for number in numbers} == {13}
    assert not set("".join(number[3:] for number in numbers)) & set("01IO")


def test_no_number_is_changed_by_a_spreadsheet() -> None:
    drawn = serial_numbers.draw(Design("", "capitals", 4), 20_000, os.urandom)
    assert all(codes.is_spreadsheet_safe(number) for number in drawn)


@pytest.mark.parametrize("text", ["kt-", " KT- ", "", "2026-A"])
def test_a_prefix_is_stored_in_capitals(text: str) -> None:
    assert serial_numbers.prefix(text) == text.strip().upper()


@pytest.mark.parametrize("text", ["-KT", "KT_1", "KT 1", "=1", "水壶", "K" * 21])
def test_a_prefix_that_a_scanner_or_a_spreadsheet_would_spoil_is_refused(text: str) -> None:
    with pytest.raises(BadDesign):
        serial_numbers.prefix(text)


@pytest.mark.parametrize("quantity", [0, 10_001])
def test_more_than_ten_thousand_at_a_time_are_refused(quantity: int) -> None:
    with pytest.raises(Invalid, match="10,000"):
        serial_numbers.check(Design(), quantity=quantity)


def test_numbers_that_are_easily_guessed_are_refused() -> None:
    with pytest.raises(BadDesign, match="at least 8 for 10,000"):
        serial_numbers.check(Design("KT", "digits", 7), quantity=10_000)
    serial_numbers.check(Design("KT", "digits", 8), quantity=10_000)


@pytest.mark.parametrize("prefix", ["", "2026-", "E", "1E"])
def test_digits_alone_are_refused(prefix: str) -> None:
    with pytest.raises(BadDesign, match="spreadsheet"):
        serial_numbers.check(Design(prefix, "digits", 12), quantity=1)


def test_a_code_says_the_product_and_the_number() -> None:
    text = labels.qr_text("a1ExpAkj9Hi", "KT-7QX2MZ9R4D")
    assert text == '{"pk":"a1ExpAkj9Hi","sn":"KT-7QX2MZ9R4D"}'
    assert labels.read_scan(f" {text}\r\n")[1:] == ("KT-7QX2MZ9R4D", "a1ExpAkj9Hi")
    assert labels.read_scan('{ "sn": "KT-7", "pk": "x", "v": 1 }').sn == "KT-7"


@pytest.mark.parametrize("text", ["KT-7QX2MZ9R4D", '{"pk":"x"}', '{"sn":7}', "{broken", "[1]", ""])
def test_anything_else_is_text(text: str) -> None:
    assert labels.read_scan(text) == (text, "", "")


def test_a_picture_is_the_code_of_its_text_with_a_quiet_zone() -> None:
    text = labels.qr_text("a1ExpAkj9Hi", "KT-7QX2MZ9R4D")
    modules = labels.matrix(text)
    assert [list(row) for row in modules] == [list(row) for row in segno.make_qr(text, error="m", mask=2, boost_error=False).matrix]
    assert read_png(labels.png(modules)) == [list(row) for row in modules]
    assert labels.png(modules) == labels.png(labels.matrix(text))


def read_png(picture: bytes) -> list[list[int]]:
    """The modules in a picture of one bit a pixel; its quiet zone must be white."""
    import struct
    import zlib

    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, colour = struct.unpack(">IIBB", picture[16:26])
    assert (depth, colour, width) == (1, 0, height)
    at = picture.index(b"IDAT")
    pixels = zlib.decompress(picture[at + 4 : at + 4 + struct.unpack(">I", picture[at - 4 : at])[0]])
    lines = [pixels[row * (width // 8 + 1) + 1 : (row + 1) * (width // 8 + 1)] for row in range(height)]
    rows = [[int(byte == 0) for byte in lines[row * 8]] for row in range(height // 8)]
    assert all(lines[row] == lines[row // 8 * 8] for row in range(height))
    inner = slice(labels.QUIET, -labels.QUIET)
    assert sum(map(sum, rows)) == sum(map(sum, (row[inner] for row in rows[inner])))
    return [row[inner] for row in rows[inner]]


def test_a_drawing_covers_exactly_the_dark_modules() -> None:
    modules = labels.matrix(json.dumps({"pk": "k", "sn": "s"}))
    covered = [[0] * len(modules) for _ in modules]
    for x, y, width in labels.bars(modules):
        for column in range(x, x + width):
            covered[y][column] += 1
    assert covered == [list(row) for row in modules]


@pytest.mark.parametrize("key", labels.SHEETS)
def test_labels_stand_within_the_page_and_do_not_overlap(key: str) -> None:
    sheet = labels.SHEETS[key]
    corners = [sheet.corner(place) for place in range(sheet.count)]
    assert len(set(corners)) == sheet.count
    for left, top in corners:
        assert left >= 0
        assert left + sheet.label[0] <= sheet.page[0] + 0.001
        assert top >= 4
        assert top + sheet.label[1] <= sheet.page[1] - 4
    assert sheet.pitch >= sheet.label[0]
