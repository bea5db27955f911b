"""DER spoiled at random: bytes changed in place, and elements changed with all lengths around them kept right."""

import random
from typing import Any

from tests.console.x509_parts import tlv

Tree = tuple[int, Any]
"""The tag, and the content: bytes, or a list of trees."""
INTERESTING = (
    b"",
    b"\0",
    b"\xff",
    b"\x80",
    b"\x7f",
    b"\0" * 9,
    b"\xff" * 21,
    b"\x30\x80\0\0",
    b"%s%n",
    "设备".encode(),
    b"\xc3\x28",
    b"A" * 300,
)


def parsed(data: bytes) -> list[Tree]:
    """Of whole DER data; what is not constructed stays as it is."""
    found: list[Tree] = []
    at = 0
    while at < len(data):
        tag, first = data[at], data[at + 1]
        size = first & 0x7F if first & 0x80 else 0
        length = int.from_bytes(data[at + 2 : at + 2 + size], "big") if size else first
        begin = at + 2 + size
        content = data[begin : begin + length]
        found.append((tag, parsed(content) if tag & 0x20 else content))
        at = begin + length
    return found


def built(trees: list[Tree]) -> bytes:
    return b"".join(tlv(tag, content if isinstance(content, bytes) else built(content)) for tag, content in trees)


def in_place(draw: random.Random, data: bytes) -> bytes:
    """One to four bytes changed, taken out, put in or doubled."""
    spoiled = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(spoiled))
        how = draw.randrange(5)
        if how == 0:
            spoiled[at] ^= 1 << draw.randrange(8)
        elif how == 1:
            spoiled[at] = draw.choice((0, 1, 0x7F, 0x80, 0x81, 0x84, 0xFF, draw.randrange(256)))
        elif how == 2:
            del spoiled[at : at + draw.randint(1, 8)]
        elif how == 3:
            spoiled[at:at] = draw.randbytes(draw.randint(1, 8))
        else:
            spoiled[at:at] = spoiled[at : at + draw.randint(1, 40)]
        if not spoiled:
            break
    return bytes(spoiled)


def in_structure(draw: random.Random, trees: list[Tree]) -> bytes:
    """One or two elements changed, of a tree that is left as it is."""
    copy = _copied(trees)
    for _ in range(draw.randint(1, 2)):
        _change(draw, copy)
    return built(copy)


def _copied(trees: list[Tree]) -> list[Tree]:
    return [(tag, content if isinstance(content, bytes) else _copied(content)) for tag, content in trees]


def _change(draw: random.Random, trees: list[Tree]) -> None:
    """Walks down to a random list of elements."""
    while True:
        deeper = [content for _tag, content in trees if isinstance(content, list) and content]
        if not deeper or draw.random() < 0.25:
            break
        trees = draw.choice(deeper)
    if not trees:
        return
    at = draw.randrange(len(trees))
    tag, content = trees[at]
    how = draw.randrange(7)
    if how == 0:
        del trees[at]
    elif how == 1:
        trees.insert(at, trees[at])
    elif how == 2:
        other = draw.randrange(len(trees))
        trees[at], trees[other] = trees[other], trees[at]
    elif how == 3:
        trees[at] = (
            draw.choice((1, 2, 3, 4, 5, 6, 0x0C, 0x13, 0x16, 0x17, 0x18, 0x30, 0x31, 0x80, 0xA0, 0xA3, draw.randrange(256))),
            content,
        )
    elif how == 4:
        trees[at] = (tag, draw.choice(INTERESTING))
    elif isinstance(content, bytes) and content:
        trees[at] = (tag, in_place(draw, content))
    else:
        trees[at] = (tag, draw.randbytes(draw.randint(0, 20)))
