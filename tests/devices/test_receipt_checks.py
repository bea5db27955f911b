"""A receipt by itself: whatever is changed in it, in its file or in its chain is refused, each with its own reason."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.crypto import signing
from console.crypto.signing import BadPublicKey, SignatureBroken
from devices.rules import activation_records, receipt_checks, receipt_form
from devices.rules.merkle import Tree
from devices.rules.receipt_checks import ChainBroken, KeyNotInUse, KnownKey, NotTheFile, SeenFile, UnknownKey
from devices.rules.receipt_form import NotAReceipt, Receipt

PRIVATE = bytes(range(32))
KEY = KnownKey(signing.public_of(PRIVATE))
KEYS = {KEY.id: KEY}
LINES = [b"a1ExpAkj9Hi,A4DA320000%02X,%032x" % (number, number * 7919) for number in range(20)]


def root_of(lines: list[bytes]) -> str:
    tree = Tree()
    tree.add(lines)
    return tree.root()


FILE = {"format": "csv", "made_at": "2026-11-20T12:00:00Z", "name": "x.csv", "rows": 20, "sha256": "5" * 64, "size": 99}
FACTS: dict[str, Any] = {
    "batch": {
        "asked": 20, "ended_at": "2026-11-20T12:00:00Z", "flashing_method": "per_device", "made": 20, "number": "B000001",
        "requested_at": "2026-11-20T11:59:00Z", "requested_by": "olga", "skipped": 0, "source": "automatic", "state": "done",
        "undone_at": "", "undone_by": "",
    },
    "devices": {
        "algorithm": "rfc6962-sha256", "columns": ["ProductKey", "DeviceName", "DeviceSecret"], "count": 20, "order": "as in the files",
        "root": root_of(LINES), "taken_at": "2026-11-20T12:00:01Z",
    },
    "edition": 1,
    "files": [FILE],
    "installation": {"id": "0" * 32, "name": "console.example.com"},
    "issued_at": "2026-11-20T12:00:02Z",
    "key": KEY.id,
    "kind": "nameplate-receipt",
    "number": 1,
    "previous": "",
    "product": {"key": "a1ExpAkj9Hi", "name": "Kettle, 快煮壶 <1.7 L>"},
    "version": 1,
}  # fmt: skip


def signed(facts: dict[str, Any], private: bytes = PRIVATE) -> bytes:
    payload = receipt_form.canonical(facts)
    return receipt_form.encode(payload, signing.sign(private, payload))


def changed(**changes: Any) -> dict[str, Any]:
    """FACTS with some of them otherwise: batch__made=19."""
    facts = deepcopy(FACTS)
    for path, value in changes.items():
        *way, last = path.split("__")
        place = facts
        for step in way:
            place = place[step]
        place[last] = value
    return facts


def receipt(**changes: Any) -> Receipt:
    return receipt_form.decode(signed(changed(**changes)))


def after(before: Receipt, **changes: Any) -> Receipt:
    """The next link of the same batch."""
    facts = {"number": before.number + 1, "previous": before.sha256, "edition": before.facts["edition"] + 1}
    return receipt(**(facts | changes))


GOOD = signed(FACTS)


# -- The form ------------------------------------------------------------


def test_what_was_signed_is_read_back_byte_for_byte() -> None:
    found = receipt_form.decode(GOOD)
    assert (found.facts, found.payload, found.content) == (FACTS, GOOD.split(b"\n")[0], GOOD)
    assert receipt_checks.check_signature(found, KEYS) is KEY


def test_the_signed_line_is_in_the_canonical_form_of_rfc_8785() -> None:
    """The example of its section 3.2.2, without the numbers and literals that receipts do not have."""
    text = "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/"
    assert (
        receipt_form.canonical({"string": text, "numbers": [3, 0]})
        == b'{"numbers":[3,0],"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


@pytest.mark.parametrize("value", [1.5, True, None, {"é": 1}, {1: 2}, b"x"])
def test_nothing_else_can_be_signed(value: Any) -> None:
    with pytest.raises(TypeError):
        receipt_form.canonical({"x": value})


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed(place: int, difference: int) -> None:
    content = GOOD[:place] + bytes([GOOD[place] ^ difference]) + GOOD[place + 1 :]
    with pytest.raises((NotAReceipt, UnknownKey, SignatureBroken)):
        receipt_checks.check_signature(receipt_form.decode(content), KEYS)


@given(st.integers(0, len(GOOD)), st.binary(min_size=1, max_size=4))
def test_no_byte_can_be_put_in(place: int, more: bytes) -> None:
    with pytest.raises((NotAReceipt, UnknownKey, SignatureBroken)):
        receipt_checks.check_signature(receipt_form.decode(GOOD[:place] + more + GOOD[place:]), KEYS)


@given(st.binary(max_size=200))
def test_any_other_bytes_are_no_receipt(content: bytes) -> None:
    with pytest.raises(NotAReceipt):
        receipt_form.decode(content)


def every_field(form: Any = receipt_form.FORM, way: str = "") -> list[str]:
    if not isinstance(form, dict):
        return [way]
    inner = [place for name, value in form.items() for place in every_field(value, f"{way}__{name}".removeprefix("__"))]
    return [*inner, way] if way else inner


@pytest.mark.parametrize("place", sorted(set(every_field()) - {"kind", "version"}))
@pytest.mark.parametrize("value", [None, 1.5, {}, ["x", 1]])
def test_a_field_of_another_type_is_named(place: str, value: Any) -> None:
    payload = json.dumps(changed(**{place: value}), sort_keys=True).encode()
    with pytest.raises(NotAReceipt, match=place.replace("__", r"\.")):
        receipt_form.decode(payload + b"\nAAAA\n")


@pytest.mark.parametrize("place", sorted(set(every_field()) - {"kind", "version"}))
def test_a_field_that_is_missing_is_named(place: str) -> None:
    facts: Any = changed()
    *way, last = place.split("__")
    inner = facts
    for step in way:
        inner = inner[step]
    del inner[last]
    with pytest.raises(NotAReceipt, match=place.replace("__", r"\.")):
        receipt_form.decode(signed(facts))


def test_a_field_that_a_later_version_adds_is_passed_over() -> None:
    assert receipt(batch__weight=12).facts["batch"]["weight"] == 12


REASONS = {
    GOOD.replace(b"\n", b"\r\n"): "line ends",
    GOOD[:-1]: "two lines",
    GOOD + b"\n": "two lines",
    b"\xff" + GOOD: "not JSON",
    b"[" * 5000 + b"\n" + GOOD.split(b"\n")[1] + b"\n": "not JSON",
    GOOD.replace(b"nameplate-receipt", b"nameplate-invoice"): "not that of a receipt",
    GOOD.replace(b'"version":1}', b'"version":2}'): "version 2",
    GOOD.replace(b'{"batch"', b'{ "batch"'): "canonical",
    GOOD.replace(b'"version":1}', b'"version":1,"version":1}'): "canonical",
    GOOD.replace(b'"version":1}', b'"version":1,"w":1.5}'): "canonical",
    GOOD.replace(b'"version":1}', b'"version":1,"w":"\\ud800"}'): "canonical",
    GOOD.split(b"\n")[0] + b"\n!\n": "base64",
    GOOD.split(b"\n")[0] + b"\nAAAA\n": "64 bytes",
    b"x" * (receipt_form.SIZE_AT_MOST + 1): "too large",
}


@pytest.mark.parametrize("content", list(REASONS), ids=list(REASONS.values()))
def test_what_is_wrong_with_the_form_is_said(content: bytes) -> None:
    with pytest.raises(NotAReceipt, match=REASONS[content]):
        receipt_form.decode(content)


def test_moments_are_to_the_second_and_sort_as_they_follow() -> None:
    assert receipt_form.moment(datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)) == "2026-01-02T03:04:05Z"
    assert receipt_form.moment(None) == ""


# -- The signature and its key ------------------------------------------------------------


def test_it_refuses_the_signature_of_another_key() -> None:
    with pytest.raises(SignatureBroken):
        receipt_checks.check_signature(receipt_form.decode(signed(FACTS, private=bytes(32))), KEYS)


def test_it_refuses_a_key_that_was_not_given() -> None:
    other = KnownKey(signing.public_of(bytes(32)))
    with pytest.raises(UnknownKey, match=KEY.id):
        receipt_checks.check_signature(receipt(), {other.id: other})


@pytest.mark.parametrize(("since", "until", "fits"), [
    ("", "", True), ("2026-11-20T12:00:02Z", "", True), ("2026-11-20T12:00:03Z", "", False),
    ("", "2026-11-20T12:00:02Z", True), ("", "2026-11-20T12:00:01Z", False),
])  # fmt: skip
def test_a_key_signs_from_its_first_moment_to_its_last(since: str, until: str, fits: bool) -> None:
    keys = {KEY.id: KnownKey(KEY.public, since, until)}
    if fits:
        assert receipt_checks.check_signature(receipt(), keys)
    else:
        with pytest.raises(KeyNotInUse):
            receipt_checks.check_signature(receipt(), keys)


def test_keys_are_read_from_pem_and_from_the_published_list_and_named_by_themselves() -> None:
    other = signing.public_of(bytes(32))
    assert set(receipt_checks.read_keys("# ours\n" + signing.pem(KEY.public) + signing.pem(other))) == {KEY.id, signing.key_id(other)}
    line = {"key": "0" * 16, "public_key": signing.pem(KEY.public), "from": "a", "until": "b"}
    assert receipt_checks.read_keys(json.dumps({"keys": [line]})) == {KEY.id: KnownKey(KEY.public, "a", "b")}


RSA = "-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMS+cA==\n-----END PUBLIC KEY-----\n"
X25519 = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEAhSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n-----END PUBLIC KEY-----\n"


@pytest.mark.parametrize("text", ["", "x", RSA, X25519, "{}", '{"keys": [1]}', '{"keys": {}, "x"', '{"keys": [{"public_key": "x"}]}'])
def test_it_refuses_what_holds_no_public_key(text: str) -> None:
    with pytest.raises(BadPublicKey):
        receipt_checks.read_keys(text)


# -- The chain ------------------------------------------------------------


def test_links_that_follow_on_each_other_are_a_chain_in_any_order() -> None:
    first = receipt()
    second = after(first)
    third = after(second, batch__number="B000002", edition=1)
    assert receipt_checks.check_chain([third, first, second]) == []


BREAKS: dict[str, dict[str, Any]] = {
    "another receipt 1": {"previous": "0" * 64},
    "two installations": {"installation__id": "1" * 32},
    "issued before": {"issued_at": "2026-11-20T11:00:00Z"},
    "contradict": {"edition": 1},
    "contradict each other": {"devices__root": "0" * 64},
    "two different receipts of the number 1": {"number": 1, "previous": ""},
    "2 is missing": {"number": 3},
}


@pytest.mark.parametrize("reason", list(BREAKS))
def test_a_broken_chain_says_where(reason: str) -> None:
    first = receipt()
    with pytest.raises(ChainBroken, match=reason):
        receipt_checks.check_chain([first, after(first, **BREAKS[reason])])


def test_gaps_are_told_where_they_are_allowed() -> None:
    second = receipt(number=5, previous="0" * 64)
    assert receipt_checks.check_chain([second, after(second, number=9)], gaps_allowed=True) == [(1, 4), (6, 8)]
    with pytest.raises(ChainBroken, match="1 is missing"):
        receipt_checks.check_chain([second])


@pytest.mark.parametrize("facts", [{"number": 0}, {"number": 2}, {"number": 1, "previous": "0" * 64}])
def test_only_the_first_receipt_has_none_before_it(facts: dict[str, Any]) -> None:
    with pytest.raises(ChainBroken):
        receipt_checks.check_beginning(receipt(**facts))


def test_a_link_needs_the_number_next_to_it() -> None:
    first = receipt()
    with pytest.raises(ChainBroken, match="next to each other"):
        receipt_checks.check_link(after(after(first)), first)


# -- Files ------------------------------------------------------------


def seen(lines: list[bytes], sha256: str = "6" * 64) -> SeenFile:
    return SeenFile(sha256, len(lines), root_of(lines))


def test_a_listed_file_is_known_by_its_bytes() -> None:
    assert receipt_checks.check_file(receipt(), seen(LINES, "5" * 64)) == "csv"


WRONG = {
    "19 devices, and the batch 20": seen(LINES[:-1]),
    "21 devices, and the batch 20": seen([*LINES, LINES[0]]),
    "a cell was altered": seen([*LINES[:-1], LINES[-1][:-1] + b"X"]),
    "their order was changed": seen([LINES[1], LINES[0], *LINES[2:]]),
    "saved again or converted": seen(LINES),
    "lacks columns": SeenFile("6" * 64, 20),
    "no workbook": SeenFile("6" * 64, fault="This is no workbook."),
}


@pytest.mark.parametrize("reason", list(WRONG))
def test_another_file_is_refused_with_what_differs(reason: str) -> None:
    with pytest.raises(NotTheFile, match=reason):
        receipt_checks.check_file(receipt(), WRONG[reason])


def test_no_file_is_taken_of_a_batch_that_was_undone() -> None:
    with pytest.raises(NotTheFile, match="undone"):
        receipt_checks.check_file(receipt(batch__undone_at="2026-11-20T13:00:00Z"), seen(LINES, "5" * 64))


# -- Records ------------------------------------------------------------


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), max_size=5))
def test_a_record_is_the_line_that_the_csv_file_has(rows: list[tuple[str, str, str]]) -> None:
    from console.shared.files import csv_writer

    rows = [row for row in rows if not any("\ud800" <= letter <= "\udfff" for cell in row for letter in cell)]
    head = ["A", "B", "C"]
    file = b"".join(csv_writer.stream(head, rows, unaltered=head, for_people=False))
    assert b"".join(line + b"\r\n" for line in activation_records.records(rows)) == file.removeprefix(b"A,B,C\r\n")


def test_columns_are_found_by_their_titles_those_of_aligenie_too() -> None:
    columns = ["ProductKey", "DeviceName", "DeviceSecret"]
    aligenie = ["Product ID", "Device Secret", "Mac Lower", "Md5", "Mac Upper", "Bluetooth Mac Lower"]
    assert activation_records.places(aligenie, columns) == [0, 4, 1]
    assert activation_records.places(["ProductKey", "DeviceName"], columns) is None
