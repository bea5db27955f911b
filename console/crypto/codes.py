"""Random codes: secrets, keys and names from an alphabet, made in bulk, safe in a spreadsheet.

A spreadsheet eats what looks like a number (digits, or digits with one e) and runs what starts with = + - @:
such draws are thrown away, so that no device is flashed with 8.6E+14.
"""

import os
import re
import struct
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

RandomBytes = Callable[[int], bytes]

DIGITS = "0123456789"
LOWER = "abcdefghijklmnopqrstuvwxyz"
UPPER = LOWER.upper()
BASE62 = DIGITS + UPPER + LOWER
BASE36_UPPER = DIGITS + UPPER
HEX = "0123456789abcdef"

_MANGLED = re.compile(r"[=+\-@\t\r]|\d+(?:[eE]\d*)?\Z|[eE]\d+\Z|\s|\Z")
_LIKE_A_NUMBER = bytes(ord("0") if chr(byte) in "0123456789eE" else ord("x") for byte in range(256))


def is_spreadsheet_safe(text: str) -> bool:
    """Whether a spreadsheet shows `text` as it is: not a formula, not a number, not empty."""
    return _MANGLED.match(text) is None


def _safe(texts: list[str], length: int) -> list[str]:
    """Those of `texts`, each `length` characters long, that are spreadsheet-safe. What is no number needs no closer look: where all are
    letters and digits, and nowhere so many digits and e stand together, there is none."""
    joined = "".join(texts).encode()
    if joined.isalnum() and b"0" * length not in joined.translate(_LIKE_A_NUMBER):
        return texts
    return [text for text in texts if is_spreadsheet_safe(text)]


def texts(count: int, length: int, alphabet: str, random: RandomBytes = os.urandom) -> list[str]:
    """`count` independent codes, each of `length` characters drawn evenly from `alphabet` (at most 256), all spreadsheet-safe."""
    found: list[str] = []
    while len(found) < count:
        found += _safe(list(any_texts(count - len(found), length, alphabet, random)), length)
    return found


class Part(NamedTuple):
    """All codes in order, cut into `of` equal parts: those from number `first` to before number `end`."""

    first: int
    end: int
    of: int


WHOLE = Part(0, 1, 1)


def ordered_texts(count: int, length: int, alphabet: str, part: Part, random: RandomBytes = os.urandom) -> list[str]:
    """As `texts`, but in ascending order and from one part of all codes: parts drawn one after the other ascend together.

    The alphabet is in ascending order itself, and a code has more than four characters.
    """
    pairs = _pairs(alphabet)
    size = len(pairs)
    low, high = size * size * part.first // part.of, size * size * part.end // part.of
    found: list[str] = []
    while len(found) < count:
        missing = count - len(found)
        heads = (low + (drawn * (high - low) >> 64) for (drawn,) in struct.iter_unpack(">Q", random(8 * missing)))
        tails = any_texts(missing, length - 4, alphabet, random)
        found += _safe([pairs[head // size] + pairs[head % size] + tail for head, tail in zip(heads, tails, strict=True)], length)
    return sorted(found)


@lru_cache
def _pairs(alphabet: str) -> list[str]:
    """All codes of two characters, in order."""
    return [first + second for first in alphabet for second in alphabet]


def text(length: int, alphabet: str, random: RandomBytes = os.urandom) -> str:
    return texts(1, length, alphabet, random)[0]


def base64_keys(count: int, size: int, random: RandomBytes = os.urandom) -> list[str]:
    """`count` keys of `size` random bytes as standard base64 with padding, none of which starts with +."""
    found: list[str] = []
    while len(found) < count:
        drawn = random(size * (count - len(found)))
        keys = (b64encode(drawn[at : at + size]).decode() for at in range(0, len(drawn), size))
        found += [key for key in keys if is_spreadsheet_safe(key)]
    return found


def any_texts(count: int, length: int, alphabet: str, random: RandomBytes) -> Iterator[str]:
    """As `texts`, also those that a spreadsheet would change.

    One draw for all: bytes that would favour a part of the alphabet are dropped, the others translated at once.
    """
    even = 256 - 256 % len(alphabet)
    table = bytes(ord(alphabet[byte % len(alphabet)]) for byte in range(256))
    unfair = bytes(range(even, 256))
    wanted, drawn = count * length, b""
    while len(drawn) < wanted:
        drawn += random((wanted - len(drawn)) * 256 // even + 16).translate(table, unfair)
    all_text = drawn.decode("ascii")
    return (all_text[at : at + length] for at in range(0, wanted, length))
