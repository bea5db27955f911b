"""The PROXY protocol, versions 1 and 2: how a proxy in front of us names the device that it speaks for.

Source: "The PROXY protocol, versions 1 & 2" of HAProxy (doc/proxy-protocol.txt). A listener that expects a header expects it from
everybody; one that does not would take it for a broken packet. Plain bytes in and out, no socket.
"""

import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from console.errors import DomainError

SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
"""What version 2 begins with, 12 bytes."""
FIXED_LENGTH: Final = 16
MAX_V1: Final = 107
"""Bytes of the longest line of version 1, its end included."""
MAX_V2: Final = 2048
"""Bytes of addresses and additions that we read; HAProxy's are far shorter."""
TLV_AUTHORITY: Final = 0x02
TCP4, TCP6 = 0x11, 0x21


class BadHeader(DomainError):
    """What came is no header of the PROXY protocol."""

    code = "malformed"
    default_message = "The connection began without a PROXY protocol header, which this listener expects."


@dataclass(frozen=True, slots=True)
class Origin:
    """Whom the proxy speaks for. `address`: empty when it speaks for itself (a health check); `authority`: the host that was called."""

    address: str = ""
    port: int = 0
    authority: str = ""


def rest_of_v2(fixed: bytes) -> int:
    """How many bytes follow these 16. Raises BadHeader."""
    length = int(struct.unpack_from("!H", fixed, 14)[0])
    if len(fixed) != FIXED_LENGTH or not fixed.startswith(SIGNATURE) or fixed[12] >> 4 != 2 or length > MAX_V2:
        raise BadHeader
    return length


def read_v2(fixed: bytes, rest: bytes) -> Origin:
    """`fixed`: the first 16 bytes; `rest`: as many as `rest_of_v2` asks for. Raises BadHeader."""
    command, family = fixed[12] & 0x0F, fixed[13]
    if command > 1:
        raise BadHeader
    size = {TCP4: 4, TCP6: 16}.get(family, 0)
    if command == 0 or not size:
        return Origin()
    if len(rest) < 2 * size + 4:
        raise BadHeader
    kind = IPv4Address if size == 4 else IPv6Address
    port = int(struct.unpack_from("!H", rest, 2 * size)[0])
    return Origin(str(kind(rest[:size])), port, _authority(rest[2 * size + 4 :]))


def read_v1(line: bytes) -> Origin:
    """`line` with its end. Raises BadHeader."""
    words = line.removesuffix(b"\r\n").decode("ascii", "replace").split(" ")
    if words[:2] == ["PROXY", "UNKNOWN"]:
        return Origin()
    if len(words) != 6 or words[0] != "PROXY" or words[1] not in ("TCP4", "TCP6") or not words[4].isdecimal():
        raise BadHeader
    try:
        return Origin(str(ip_address(words[2])), int(words[4]))
    except ValueError:
        raise BadHeader from None


def write_v2(origin: Origin, to: tuple[str, int]) -> bytes:
    """The header that a broker behind us reads. `to`: address and port on which the device reached us."""
    try:
        family, source, target = _packed(origin.address, to[0])
    except (OSError, ValueError):
        return SIGNATURE + b"\x20\x00\x00\x00"
    addresses = source + target + struct.pack("!HH", origin.port, to[1])
    name = origin.authority.encode()[:255]
    addition = struct.pack("!BH", TLV_AUTHORITY, len(name)) + name if name else b""
    return SIGNATURE + bytes([0x21, family]) + struct.pack("!H", len(addresses) + len(addition)) + addresses + addition


def _packed(source: str, target: str) -> tuple[int, bytes, bytes]:
    """Raises OSError for what is no pair of addresses of one family."""
    if ":" in source:
        return TCP6, socket.inet_pton(socket.AF_INET6, source), socket.inet_pton(socket.AF_INET6, _as_v6(target))
    return TCP4, socket.inet_pton(socket.AF_INET, source), socket.inet_pton(socket.AF_INET, target)


def _as_v6(address: str) -> str:
    return address if ":" in address else f"::ffff:{address}"


def _authority(additions: bytes) -> str:
    """The host name among the additions, each of which is a type, a length of two bytes, and so many bytes."""
    at = 0
    while at + 3 <= len(additions):
        kind, length = struct.unpack_from("!BH", additions, at)
        value = additions[at + 3 : at + 3 + length]
        if kind == TLV_AUTHORITY:
            return value.decode("ascii", "replace")
        at += 3 + length
    return ""
