"""Rows checked by the thousand say exactly what rows checked one by one say."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devices.rules import names, sheet_blocks, sheets
from devices.rules.columns import DEVICE_NAME, DEVICE_SECRET, FINGERPRINT, NICKNAME, SN, Layout
from devices.rules.sheet_blocks import BlockCheck
from devices.rules.sheets import BadCell, GoodRow, RowCheck, Terms
from products.rules.wire_formats import wire_format

KETTLE = Terms("a1ExpAkj9Hi", "mac", wire_format("alibaba"), allows_static=True)
TRACKER = Terms("L4WG9V9M2M", "free", wire_format("tencent"), allows_static=True)
METER = Terms("a1MeterKey9", "imei", wire_format("native"), allows_static=False, authentication="x509")
LOCK = Terms("a1LockKey99", "sn", wire_format("alibaba"), allows_static=True)
PRODUCTION = replace(KETTLE, names_only=True)
ALL = [KETTLE, TRACKER, METER, LOCK, PRODUCTION]
FINGERPRINT_TEXT = "aa" * 20
TITLES = ["ProductKey", "DeviceName", "Nickname", "SN", "Authentication", "DeviceSecret", "Fingerprint", "Why"]

Judged = list[tuple[GoodRow, list[BadCell]]]

LIKELY = [
    *("", " ", "'", "'=1", "' x", "\u00a0", "\n", "x\n", "x ", "0" * 12, "F" * 12, "é" * 64, "x" * 65),
    *("64C2DE000001", "64c2de000002", "64:c2:de:00:00:03", "65C2DE000001", "64C2DE0000", "4E1234567890", "8.6E+14", "8e1"),
    *("490154203237518", "490154203237519", "4901542032375", "٤٩٠١٥٤٢٠٣٢٣٧٥١٨", "tracker-1", "SN1", "SN2", "S N"),
    *("2024-01-02 00:00:00", "static", "x509", "动态", "magic", "a1ExpAkj9Hi", "other", FINGERPRINT_TEXT, "AA:" * 19 + "AA"),
    *("a" * 32, "b" * 24, "c" * 23 + "=", "Why: because"),
]
CELL = st.one_of(st.sampled_from(LIKELY), st.text(max_size=20), st.integers(0, 60).map(lambda number: f"64C2DE{number:06X}"))
ROWS = st.lists(st.lists(CELL, max_size=9), max_size=40)


def one_by_one(layout: Layout, terms: Terms, rows: Sequence[Sequence[str]], first: int) -> tuple[Judged, int]:
    check = RowCheck(layout, terms)
    return [check.row(number, cells) for number, cells in enumerate(rows, first) if not sheets.is_blank(cells)], check.width


def in_blocks(layout: Layout, terms: Terms, rows: Sequence[Sequence[str]], first: int, size: int) -> tuple[Judged, int]:
    check = BlockCheck(layout, terms)
    found: Judged = []
    for at in range(0, len(rows), size):
        some = rows[at : at + size]
        width = max(1, *map(len, some))
        block = check.block(first + at, [[row[index] if index < len(row) else "" for row in some] for index in range(width)])
        assert list(block.bad) == sorted(block.bad)
        assert block.good() == [list(column) for column in zip(*good, strict=True)] if (good := good_rows(block)) else not block.good()[0]
        found += [(block.row(index), block.bad.get(index, [])) for index in range(len(block))]
    return found, check.width


def good_rows(block: sheet_blocks.Block) -> list[GoodRow]:
    return [block.row(index) for index in range(len(block)) if index not in block.bad]


@given(ROWS, st.sampled_from(ALL), st.permutations(TITLES), st.integers(1, 8), st.integers(1, 50), st.integers(0, 3))
@example([["64C2DE000001", FINGERPRINT_TEXT]] * 3, KETTLE, ["DeviceName", "Fingerprint"], 2, 2, 0)
def test_blocks_say_what_rows_say(rows: list[list[str]], terms: Terms, titles: list[str], known: int, size: int, few: int) -> None:
    titles = [title for title in titles[:known] if title != "DeviceName"] + ["DeviceName"]
    compare(sheets.read_layout(titles, terms), terms, rows, size, few)


@given(st.lists(st.lists(CELL, max_size=3), max_size=20), st.integers(1, 30))
def test_blocks_say_what_rows_say_of_a_list_without_titles(rows: list[list[str]], size: int) -> None:
    compare(sheets.read_layout(["", "64C2DE000001"], KETTLE), KETTLE, rows, size, 2)


def compare(layout: Layout, terms: Terms, rows: list[list[str]], size: int, few: int) -> None:
    """`few`: so few different texts make a vocabulary, so that small blocks go every way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sheet_blocks, "FEW", few)
        assert in_blocks(layout, terms, rows, 2, size) == one_by_one(layout, terms, rows, 2)


@given(st.data(), st.sampled_from(ALL))
def test_a_text_of_plain_form_is_stored_as_it_stands(data: st.DataObject, terms: Terms) -> None:
    secret = terms.wire.whole_device_secret
    forms = {
        DEVICE_NAME: names.plain_device_name(terms.kind, terms.wire),
        NICKNAME: names.PLAIN_NICKNAME,
        SN: names.PLAIN_SN,
        FINGERPRINT: names.PLAIN_FINGERPRINT,
        DEVICE_SECRET: names.plain(secret.pattern.pattern, optional=True) if secret else None,
    }
    check = RowCheck(Layout({DEVICE_NAME: 0}), terms)
    for column, form in forms.items():
        if form is not None:
            text = data.draw(st.from_regex(form, fullmatch=True), label=column)
            assert check.cell(column, sheets.cell_of([text], 0)) == text


@pytest.mark.parametrize(
    ("terms", "name"), [(KETTLE, "64C2DE000001"), (TRACKER, "tracker-1"), (LOCK, "SN-0001"), (PRODUCTION, "64C2DE000001")]
)
def test_a_usual_name_is_of_plain_form(terms: Terms, name: str) -> None:
    form = names.plain_device_name(terms.kind, terms.wire)
    assert form is not None
    assert form.fullmatch(name)
