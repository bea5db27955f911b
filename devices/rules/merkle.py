"""The Merkle tree hash of RFC 6962, section 2.1, over records that stream past: what is kept is a hash for each bit of their count.

A leaf is SHA-256 of a zero byte and the record, a node SHA-256 of a one byte and its two children; the left side of each node holds the
greatest power of two of leaves that is less than all of them. So no record can pass for a node, and the count decides the form.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

ALGORITHM: Final = "rfc6962-sha256"
_HEIGHT: Final = 12
_AT_ONCE: Final = 1 << _HEIGHT
"""Leaves that are folded together while they are warm."""


class Tree:
    """`count` records so far, in their order."""

    def __init__(self) -> None:
        self._full: list[tuple[int, bytes]] = []  # Height and hash of full subtrees, from the left, each higher than the next.
        self._leaves: list[bytes] = []
        self.count = 0

    def add(self, records: Iterable[bytes]) -> None:
        leaves = leaf_hashes(records)
        self.count += len(leaves)
        self._leaves += leaves
        whole = len(self._leaves) - len(self._leaves) % _AT_ONCE
        for at in range(0, whole, _AT_ONCE):
            self._push(_fold(self._leaves[at : at + _AT_ONCE]))
        del self._leaves[:whole]

    def root(self) -> str:
        """64 lower-case hex digits; more records may follow. Of no record at all: SHA-256 of nothing."""
        parts = [part for _height, part in self._full] + ([root_of(self._leaves)] if self._leaves else [])
        if not parts:
            return hashlib.sha256(b"").hexdigest()
        right = parts.pop()
        while parts:
            right = _node(parts.pop(), right)
        return right.hex()

    def _push(self, part: bytes) -> None:
        height = _HEIGHT
        while self._full and self._full[-1][0] == height:
            part = _node(self._full.pop()[1], part)
            height += 1
        self._full.append((height, part))


def leaf_hashes(records: Iterable[bytes]) -> list[bytes]:
    """32 bytes each."""
    sha256 = hashlib.sha256
    return [sha256(b"\x00" + record).digest() for record in records]


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Of the hashes of one leaf or more."""
    if len(leaves) == 1:
        return leaves[0]
    left = _left_of(len(leaves))
    first = _fold(leaves[:left])
    return _node(first, root_of(leaves[left:]))


def _left_of(count: int) -> int:
    """The greatest power of two below `count`, which is two or more."""
    return 1 << ((count - 1).bit_length() - 1)


def _fold(level: Sequence[bytes]) -> bytes:
    """Of a power of two of hashes."""
    sha256 = hashlib.sha256
    while len(level) > 1:
        pairs = iter(level)
        level = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
    return level[0]


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
