"""MAC addresses: any usual spelling in, one spelling stored (12 upper-case hex digits), and the blocks they come from.

Source: IEEE registration authority figures (MA-L 24, MA-M 28, MA-S 36 prefix bits); first octet: bit 0 group, bit 1 local.
"""

import re
from dataclasses import dataclass

from console.errors import Invalid
from console.words import Sentence, say

_SPELLINGS = re.compile(
    r"[0-9A-Fa-f]{12}|[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}"
)
STORED = re.compile(r"(?!0{12})[0-9A-F][02468ACE][0-9A-F]{10}")
"""The addresses that `normalise` leaves as they are."""
_SEPARATORS = str.maketrans("", "", ":-.")
_HEX = re.compile(r"[0-9A-Fa-f]*")

PREFIX_BITS = {"MA-L": 24, "MA-M": 28, "MA-S": 36}
HIGHEST = (1 << 48) - 1


class BadMac(Invalid):
    """A text that is no assignable MAC address."""

    code = "bad_mac"
    default_message = "This is not a MAC address."


@dataclass(frozen=True, slots=True)
class Block:
    """Addresses from `first` to `last`, both included, as integers below 2**48."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1

    def overlaps(self, other: "Block") -> bool:
        return self.first <= other.last and other.first <= self.last

    def within(self, other: "Block") -> bool:
        return other.first <= self.first and self.last <= other.last

    def aligned(self, stride: int) -> "Block":
        """Cut to whole devices of `stride` addresses each, every one starting at a multiple of it. Raises BadMac if none fits."""
        first, end = -(-self.first // stride) * stride, (self.last + 1) // stride * stride
        if first >= end:
            raise BadMac(say("The range does not hold a single device of {stride} addresses.", stride=stride), field="last")
        return Block(first, end - 1)


def normalise(text: str) -> str:
    """12 upper-case hex digits of a unicast address that is neither all zeros nor all ones. Raises BadMac with the reason."""
    stripped = text.strip()
    if not _SPELLINGS.fullmatch(stripped):
        raise BadMac(_why_not(stripped), field="DeviceName")
    mac = stripped.translate(_SEPARATORS).upper()
    if mac in ("0" * 12, "F" * 12):
        raise BadMac("The MAC address is all zeros or all ones.", field="DeviceName")
    if int(mac[:2], 16) & 1:
        raise BadMac("The MAC address is a group (multicast) address: the second digit must be even.", field="DeviceName")
    return mac


def _why_not(text: str) -> Sentence:
    digits = text.translate(_SEPARATORS)
    if not digits:
        return say("A MAC address is missing.")
    if not _HEX.fullmatch(digits):
        return say("A MAC address has only the digits 0-9 and A-F.")
    if len(digits) != 12:
        return say("A MAC address has 12 hex digits; this one has {digits}.", digits=len(digits))
    return say("A MAC address is written AABBCCDDEEFF, AA:BB:CC:DD:EE:FF, AA-BB-CC-DD-EE-FF or AABB.CCDD.EEFF.")


def from_number(number: int) -> str:
    return f"{number:012X}"


def to_number(mac: str) -> int:
    return int(mac, 16)


def registered_block(kind: str, prefix: str) -> Block:
    """The block of a registered prefix: 6 hex digits for MA-L, 7 for MA-M, 9 for MA-S, in any spelling. Raises BadMac."""
    digits = prefix.strip().translate(_SEPARATORS).upper()
    wanted = PREFIX_BITS[kind] // 4
    if len(digits) != wanted or not _HEX.fullmatch(digits):
        raise BadMac(say("The prefix of an {kind} block has {digits} hex digits.", kind=kind, digits=wanted), field="prefix")
    if int(digits[1], 16) & 3:
        raise BadMac("A registered prefix has 0, 4, 8 or C as its second digit.", field="prefix")
    return Block(int(digits.ljust(12, "0"), 16), int(digits.ljust(12, "F"), 16))


def prefix_of(kind: str, prefix: str) -> str:
    """A registered prefix as it is stored: upper-case hex digits; empty for a private range."""
    return prefix.strip().translate(_SEPARATORS).upper() if kind in PREFIX_BITS else ""


def private_block(first: str, last: str) -> Block:
    """A block of locally administered addresses (second digit 2, 6, A or E). Raises BadMac."""
    block = Block(to_number(normalise(first)), to_number(normalise(last)))
    if any(not (number >> 40) & 2 for number in (block.first, block.last)):
        raise BadMac("A private address has 2, 6, A or E as its second digit.", field="first")
    if block.first > block.last:
        raise BadMac("The range ends before it starts.", field="last")
    if block.first >> 40 != block.last >> 40:
        raise BadMac("A private range stays within one first octet.", field="last")
    return block


def as_stored_mac(text: str) -> str:
    """The beginning of a stored MAC address that the text spells, whole or in part; empty where it is none."""
    try:
        return normalise(text)
    except BadMac:
        digits = re.sub(r"[:.\-]", "", text)
        looks_like_one = _PARTIAL.fullmatch(text) or re.fullmatch(r"[0-9A-Fa-f]{2,12}", text)
        return digits.upper() if looks_like_one else ""


_PARTIAL = re.compile(r"(?:[0-9A-Fa-f]{2}[:-]){1,5}[0-9A-Fa-f]{0,2}|[0-9A-Fa-f]{4}\.(?:[0-9A-Fa-f]{0,4}\.?){0,2}")
