"""The Merkle tree hash of RFC 6962."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.rules import merkle
from devices.rules.merkle import Tree

LEAVES = [
    bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Of the first none, one, two ... eight leaves: the vectors of the reference implementation of Certificate Transparency."""


def root(records: list[bytes]) -> str:
    tree = Tree()
    tree.add(records)
    return tree.root()


def by_the_book(records: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not records:
        return hashlib.sha256(b"").digest()
    if len(records) == 1:
        return hashlib.sha256(b"\x00" + records[0]).digest()
    split = 1
    while split * 2 < len(records):
        split *= 2
    return hashlib.sha256(b"\x01" + by_the_book(records[:split]) + by_the_book(records[split:])).digest()


@pytest.mark.parametrize("count", range(9))
def test_the_published_vectors(count: int) -> None:
    assert root(LEAVES[:count]) == ROOTS[count]


@given(st.lists(st.binary(max_size=8), max_size=70), st.integers(0, 70))
def test_it_is_the_same_in_one_piece_and_in_two(records: list[bytes], cut: int) -> None:
    tree = Tree()
    tree.add(records[:cut])
    tree.add(records[cut:])
    assert (tree.root(), tree.count) == (by_the_book(records).hex(), len(records))


@pytest.mark.parametrize("count", [4095, 4096, 4097, 8191, 8192, 12288, 12289, 20_000])
def test_it_is_right_where_subtrees_are_folded(count: int) -> None:
    records = [b"%d" % number for number in range(count)]
    tree = Tree()
    for at in range(0, count, 777):
        tree.add(records[at : at + 777])
    assert tree.root() == by_the_book(records).hex()


def test_what_it_keeps_does_not_grow_with_the_records() -> None:
    tree = Tree()
    for _page in range(40):
        tree.add(b"%d" % number for number in range(5000))
    assert len(tree._full) <= 20
    assert len(tree._leaves) < 4096


def test_a_node_does_not_pass_for_a_record() -> None:
    pair = merkle.leaf_hashes([b"a", b"b"])
    assert root([b"a", b"b"]) != root([b"".join(pair)])
    assert root([b"a", b"b"]) != root([b"b", b"a"])
