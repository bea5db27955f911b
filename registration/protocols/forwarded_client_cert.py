"""Envoy's x-forwarded-client-cert taken apart: elements between commas, pairs between semicolons, values that may be quoted.

A quoted value holds commas, semicolons and equal signs as they are, and a quotation mark behind a backslash (Envoy, HTTP header
manipulation). Every other use of quotation marks is refused: two readers would cut it differently.
"""

import re
from typing import Final

from console.words import say
from registration.protocols.base import Malformed

_PAIR: Final = re.compile(r'\s*([A-Za-z]{1,32})=(?:"((?:[^"\\]|\\.)*+)"|([^",;]*+))\s*', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_REPEATED: Final = frozenset({"dns", "uri"})
"""Keys that may come more than once in an element; nothing here reads them."""


def last_element(text: str, name: str) -> dict[str, str]:
    """The pairs of the last element by key in lower case. `name`: of the header, for the error. Raises Malformed."""
    pairs: dict[str, str] = {}
    at, ends = 0, False
    while not ends:
        found = _PAIR.match(text, at)
        if not found or text[found.end() : found.end() + 1] not in ("", ";", ","):
            raise _bad(name)
        key, quoted, plain = found[1].lower(), found[2], found[3]
        if key in pairs and key not in _REPEATED:
            raise _bad(name)
        pairs[key] = plain if quoted is None else _ESCAPED.sub(r"\1", quoted)
        at = found.end() + 1
        ends = at > len(text)
        if not ends and text[at - 1] == ",":
            pairs = {}
    return pairs


def _bad(name: str) -> Malformed:
    return Malformed(say("The header {name} is not of Envoy's form.", name=name), field=name)
