"""Reading and writing the bytes that all schemes share: strict where a doubt could deceive, tolerant where firmware is known to differ."""

import hmac
import json
from collections.abc import Mapping
from typing import NoReturn

import orjson

from console.words import say
from registration.protocols.base import Malformed

MAX_TEXT = 128
"""Characters of any text field; every vendor's names are shorter, and the log's columns hold this much."""


def plain_text(value: object, field: str, limit: int = MAX_TEXT) -> str:
    """`value` if it is a short, visible text: nothing that a log, a database or a terminal could stumble over. Raises Malformed."""
    if not isinstance(value, str) or not value:
        raise Malformed(say("The field {name} is missing or is not a text.", name=field), field=field)
    if len(value) > limit:
        raise Malformed(say("The field {name} is longer than {most} characters.", name=field, most=limit), field=field)
    if not value.isprintable():
        raise Malformed(say("The field {name} holds characters that cannot be shown.", name=field), field=field)
    return value


def whole_number(value: object, field: str) -> str:
    """The decimal text of a number that came as a number or as text, unchanged in form, 1 to 20 digits. Raises Malformed."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise Malformed(say("The field {name} is missing or is not a whole number.", name=field), field=field)
    return text


def json_object(body: bytes) -> dict[str, object]:
    """The members of a JSON object. A name given twice is refused, since two readers could disagree about it. Raises Malformed."""
    try:
        decoded = json.loads(body.decode("utf-8-sig"), object_pairs_hook=_members_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Malformed("The body is not JSON.", field="body") from None
    if not isinstance(decoded, dict):
        raise Malformed("The body is not a JSON object.", field="body")
    return decoded


def compact_json(members: Mapping[str, object]) -> bytes:
    """JSON without a single blank: Alibaba's C SDK 4.x stores a corrupt secret when there is one after a colon."""
    try:
        return orjson.dumps(members)
    except TypeError:  # A number of more than 64 bits, as only a stranger's reply could hold.
        return json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode()


def same(expected: str, given: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


def _members_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is given twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
