"""DER walked strictly (X.690, 8 and 10): one spelling for each value. What a lenient reader forgives, two readers understand differently.

Only what every element has in common is checked here; what certificates consist of is the business of reading.py.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from console.crypto.certificates.errors import NotDer, TrailingBytes
from console.words import say

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID, SEQUENCE = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x30
CONSTRUCTED: Final = 0x20
MAX_DEPTH: Final = 32
_ALWAYS_CONSTRUCTED: Final = frozenset({0x10, 0x11})
_UNIVERSAL_LAST: Final = 0x1E


class Element(NamedTuple):
    """`data[start:end]` is all of it, `data[inner:end]` its content."""

    tag: int
    start: int
    inner: int
    end: int


def element(data: bytes, at: int, end: int) -> Element:
    """The element that begins at `at` and is over by `end`. Raises NotDer."""
    if end - at < 2:
        raise _cut_short(at)
    tag, first = data[at], data[at + 1]
    if tag & 0x1F == 0x1F:
        raise NotDer(say("At byte {at} there is a tag of a form that no certificate has.", at=at))
    if first == 0x80:
        raise NotDer(say("The length at byte {at} is indefinite: this is BER, and a certificate is DER.", at=at))
    inner = at + 2 + (first & 0x7F if first & 0x80 else 0)
    if inner > end:
        raise _cut_short(at)
    length = int.from_bytes(data[at + 2 : inner], "big") if first & 0x80 else first
    if first & 0x80 and (data[at + 2] == 0 or length < 0x80):
        raise NotDer(say("The length at byte {at} is not written in its shortest form: this is BER, and a certificate is DER.", at=at))
    if inner + length > end:
        raise _cut_short(at)
    return Element(tag, at, inner, inner + length)


def children(data: bytes, parent: Element) -> Iterator[Element]:
    """Raises NotDer."""
    at = parent.inner
    while at < parent.end:
        child = element(data, at, parent.end)
        yield child
        at = child.end


def sequences(data: bytes) -> Iterator[bytes]:
    """Each of the sequences that the data consist of. Raises NotDer, or TrailingBytes where something else follows the first."""
    at = 0
    while at < len(data):
        if data[at] != SEQUENCE:
            if at:
                raise TrailingBytes(say("{count:,} bytes follow after the end of the certificate.", count=len(data) - at))
            raise NotDer("The file is neither PEM nor DER: it does not begin as a certificate does.")
        found = element(data, at, len(data))
        yield data[at : found.end]
        at = found.end


def check(data: bytes) -> Element:
    """The one element that `data` is, all of its elements checked. Raises NotDer or TrailingBytes."""
    whole = element(data, 0, len(data))
    if whole.end != len(data):
        raise TrailingBytes(say("{count:,} bytes follow after the end of the certificate.", count=len(data) - whole.end))
    waiting = [(whole, 0)]
    while waiting:
        one, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise NotDer("Its elements are nested deeper than in any certificate.")
        _check_form(data, one)
        if one.tag & CONSTRUCTED:
            waiting += [(child, depth + 1) for child in children(data, one)]
    return whole


def _check_form(data: bytes, one: Element) -> None:
    number = one.tag & 0x1F
    if one.tag >> 6 or not 0 < number <= _UNIVERSAL_LAST:
        if not one.tag >> 6:
            raise NotDer(say("At byte {at} there is a tag of a form that no certificate has.", at=one.start))
        return
    if bool(one.tag & CONSTRUCTED) != (number in _ALWAYS_CONSTRUCTED):
        raise NotDer(say("The value at byte {at} is put together from parts as only BER allows.", at=one.start))
    if not _is_minimal(one.tag, data[one.inner : one.end]):
        raise NotDer(say("The value at byte {at} is not in the one form that DER has for it.", at=one.start))


def _is_minimal(tag: int, value: bytes) -> bool:
    if tag == BOOLEAN:
        return value in (b"\x00", b"\xff")
    if tag == INTEGER:
        return len(value) == 1 or (
            len(value) > 1 and not (value[0] == 0 and value[1] < 0x80) and not (value[0] == 0xFF and value[1] > 0x7F)
        )
    if tag == BIT_STRING:
        return bool(value) and value[0] < 8 and (value[0] == 0 or (len(value) > 1 and not value[-1] & ((1 << value[0]) - 1)))
    if tag == NULL:
        return not value
    if tag == OID:
        return bool(value) and value[-1] < 0x80 and value[0] != 0x80
    return True


def _cut_short(at: int) -> NotDer:
    return NotDer(say("The data end within the value that begins at byte {at}.", at=at))
