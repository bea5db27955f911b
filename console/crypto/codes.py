"""Random codes: secrets, keys and names from an alphabet, made in bulk, safe in a spreadsheet.

A spreadsheet eats what looks like a number (digits, or digits with one e) and runs what starts with = + - @:
such draws are thrown away, so that no device is flashed with 8.6E+14.
"""

import os
import re
from base64 import b64encode
from collections.abc import Callable, Iterator

RandomBytes = Callable[[int], bytes]

DIGITS = "0123456789"
LOWER = "abcdefghijklmnopqrstuvwxyz"
UPPER = LOWER.upper()
BASE62 = DIGITS + UPPER + LOWER
BASE36_UPPER = DIGITS + UPPER
HEX = "0123456789abcdef"

_MANGLED = re.compile(r"[=+\-@\t\r]|\d+(?:[eE]\d*)?\Z|[eE]\d+\Z|\s|\Z")


def is_spreadsheet_safe(text: str) -> bool:
    """Whether a spreadsheet shows `text` as it is: not a formula, not a number, not empty."""
    return _MANGLED.match(text) is None


def texts(count: int, length: int, alphabet: str, random: RandomBytes = os.urandom) -> list[str]:
    """`count` independent codes, each of `length` characters drawn evenly from `alphabet` (at most 256), all spreadsheet-safe."""
    found: list[str] = []
    while len(found) < count:
        found += [text for text in any_texts(count - len(found), length, alphabet, random) if is_spreadsheet_safe(text)]
    return found


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
