"""MAC addresses and the blocks that they come from (G7, G8)."""

import pytest

from devices.rules import macs
from devices.rules.macs import BadMac


@pytest.mark.parametrize("text", ["A4:C1:38:00:00:1F", "a4-c1-38-00-00-1f", "a4c1.3800.001f", "A4C13800001F", " a4c13800001f "])
def test_every_usual_spelling_is_stored_one_way(text: str) -> None:
    assert macs.normalise(text) == "A4C13800001F"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "missing"),
        ("A4C13800001", "has 11"),
        ("A4C13800001F2", "has 13"),
        ("A4C13800001G", "0-9 and A-F"),
        ("A4:C1:38:00-00:1F", "is written"),
        ("A4C1:3800:001F", "is written"),
        ("000000000000", "all zeros"),
        ("FF:FF:FF:FF:FF:FF", "all zeros or all ones"),
        ("01005E000001", "multicast"),
    ],
)
def test_it_refuses_what_is_no_device_address(text: str, rule: str) -> None:
    with pytest.raises(BadMac, match=rule):
        macs.normalise(text)


@pytest.mark.parametrize(
    ("kind", "prefix", "size"), [("MA-L", "A4C138", 1 << 24), ("MA-M", "70B3D51", 1 << 20), ("MA-S", "70B3D5F2F", 1 << 12)]
)
def test_a_registered_block_is_as_large_as_its_prefix_leaves(kind: str, prefix: str, size: int) -> None:
    block = macs.registered_block(kind, prefix)
    assert len(block) == size
    assert macs.from_number(block.first) == prefix.ljust(12, "0")
    assert macs.from_number(block.last) == prefix.ljust(12, "F")


@pytest.mark.parametrize(
    ("kind", "prefix"), [("MA-L", "A4C13"), ("MA-L", "A4C1380"), ("MA-M", "A4C138"), ("MA-L", "A6C138"), ("MA-L", "A5C138")]
)
def test_it_refuses_a_prefix_of_the_wrong_length_or_kind(kind: str, prefix: str) -> None:
    with pytest.raises(BadMac):
        macs.registered_block(kind, prefix)


def test_a_private_block_is_locally_administered() -> None:
    assert len(macs.private_block("02:00:00:00:00:00", "02:00:00:00:00:FF")) == 256
    for first, last in [("A4C138000000", "A4C1380000FF"), ("020000000010", "02000000000F"), ("02FFFFFFFFFF", "0A0000000000")]:
        with pytest.raises(BadMac):
            macs.private_block(first, last)
