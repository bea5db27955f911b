"""What MQTT packets are made of: whole numbers, texts and byte strings, read strictly and written.

Source: MQTT 3.1.1 and MQTT 5.0 (OASIS), section 1.5 and 2.2 of each.
"""

from typing import Final

from console.errors import DomainError
from console.words import say

MAX_PACKET: Final = 8192
"""Bytes. A CONNECT of any SDK has less than 600."""
LENGTH_BYTES: Final = 4


class BadPacket(DomainError):
    """Bytes that are not the packet that they should be."""

    code = "malformed"
    default_message = "The packet is not of MQTT's form."


class Reader:
    """The bytes of one packet, read from front to back. Every method raises BadPacket when there is less than it needs."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def left(self) -> int:
        return len(self.data) - self.at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise BadPacket("The packet ends in the middle of a field.")
        self.at += count
        return self.data[self.at - count : self.at]

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """Two bytes, the higher first."""
        return int.from_bytes(self.take(2), "big")

    def binary(self) -> bytes:
        """With its length before it, at most 65,535 bytes."""
        return self.take(self.number())

    def text(self) -> str:
        """UTF-8 without U+0000, as the specification demands."""
        try:
            text = self.binary().decode()
        except UnicodeDecodeError:
            raise BadPacket("A text of the packet is not UTF-8.") from None
        if "\0" in text:
            raise BadPacket("A text of the packet holds U+0000.")
        return text

    def length(self) -> int:
        """A number of one to four bytes, seven bits each, the lowest first, in its shortest form."""
        found = read_length(self.data[self.at : self.at + LENGTH_BYTES])
        if found is None:
            raise BadPacket("The packet ends in the middle of a length.")
        value, size = found
        self.at += size
        return value

    def part(self) -> "Reader":
        """The part whose length comes next, as a reader of its own."""
        return Reader(self.take(self.length()))

    def end(self) -> None:
        """Nothing may be left."""
        if self.left:
            raise BadPacket(say("{bytes} bytes follow the packet's last field.", bytes=self.left))


def read_length(data: bytes) -> tuple[int, int] | None:
    """A length and the number of bytes that it takes; None when the bytes end before it does. Raises BadPacket."""
    value = 0
    for position, byte in enumerate(data[:LENGTH_BYTES]):
        value |= (byte & 0x7F) << (7 * position)
        if not byte & 0x80:
            if position and not byte:
                raise BadPacket("A length is written with more bytes than it needs.")
            return value, position + 1
    if len(data) >= LENGTH_BYTES:
        raise BadPacket("A length has more than four bytes.")
    return None


def length_bytes(value: int) -> bytes:
    written = bytearray()
    while True:
        value, low = divmod(value, 128)
        written.append(low | (0x80 if value else 0))
        if not value:
            return bytes(written)


def binary_bytes(data: bytes) -> bytes:
    """Raises ValueError when it is longer than 65,535 bytes."""
    if len(data) > 0xFFFF:
        raise ValueError("A field of an MQTT packet holds at most 65,535 bytes.")
    return len(data).to_bytes(2, "big") + data


def text_bytes(text: str) -> bytes:
    return binary_bytes(text.encode())


def whole(kind_and_flags: int, body: bytes) -> bytes:
    """A packet: first byte, length, body."""
    return bytes([kind_and_flags]) + length_bytes(len(body)) + body


def whole_length(start: bytes, limit: int) -> int | None:
    """Bytes of the packet that begins here, its first byte and its length counted; None while that cannot be told. Raises BadPacket."""
    found = read_length(start[1 : 1 + LENGTH_BYTES]) if start else None
    if found is None:
        return None
    length = 1 + found[1] + found[0]
    if length > limit:
        raise BadPacket(say("The packet is longer than {most} bytes.", most=limit))
    return length
