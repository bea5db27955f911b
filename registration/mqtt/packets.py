"""The few packets of MQTT 3.1, 3.1.1 and 5 that registering and connecting take, both sides of them.

Sources: MQTT 3.1 (IBM, Eurotech), MQTT 3.1.1 and MQTT 5.0 (OASIS). Of a CONNECT, the will and the properties are checked for their form
and ignored on purpose; everything else that the specifications forbid is refused, with two exceptions for devices that exist:
a client id may be longer than MQTT 3.1's 23 characters (Tencent's Python SDK), and MQTT 3.1's flags of an absent will are not looked at.
"""

from dataclasses import dataclass, field
from typing import Final

from console.words import say
from registration.mqtt.properties import OF_CONNECT, OF_WILL, skip_properties
from registration.mqtt.wire import MAX_PACKET as MAX_PACKET
from registration.mqtt.wire import BadPacket as BadPacket
from registration.mqtt.wire import Reader, binary_bytes, length_bytes, text_bytes, whole, whole_length

CONNECT: Final = 0x10
CONNACK: Final = 0x20
PUBLISH: Final = 0x30
PINGREQ: Final = b"\xc0\x00"
DISCONNECT: Final = b"\xe0\x00"
"""Of all three versions: MQTT 5 takes one without a reason for a normal end."""

NAMES: Final = {3: "MQIsdp", 4: "MQTT", 5: "MQTT"}
"""Protocol level -> protocol name."""
RESERVED, CLEAN, WILL, WILL_QOS, WILL_RETAIN, PASSWORD, USERNAME = 0x01, 0x02, 0x04, 0x18, 0x20, 0x40, 0x80

ACCEPTED, WRONG_VERSION, WRONG_CLIENT_ID, UNAVAILABLE, WRONG_CREDENTIALS, NOT_AUTHORISED = range(6)
"""MQTT 3.1.1's return codes of a CONNACK."""
REASONS: Final = {
    ACCEPTED: 0x00,
    WRONG_VERSION: 0x84,
    WRONG_CLIENT_ID: 0x85,
    UNAVAILABLE: 0x88,
    WRONG_CREDENTIALS: 0x86,
    NOT_AUTHORISED: 0x87,
}
"""The same in MQTT 5's numbers."""


class UnknownVersion(BadPacket):
    """A CONNECT of a version that nobody here speaks; its sender may be told so (return code 1)."""

    default_message = "The packet is not of MQTT 3.1, 3.1.1 or 5."


@dataclass(frozen=True, slots=True)
class Connect:
    """`level`: 3 (MQTT 3.1), 4 (3.1.1) or 5; `keepalive` in seconds; `username` and `password` None where the packet has none."""

    level: int
    client_id: str
    username: str | None
    password: bytes | None = field(repr=False)
    clean: bool = True
    keepalive: int = 60


def packet_length(start: bytes, limit: int = MAX_PACKET) -> int | None:
    """Bytes of the whole CONNECT that begins here; None while more must come to tell. Raises BadPacket: no CONNECT, or too long."""
    if start and start[0] != CONNECT:
        raise BadPacket("The first packet of a connection is a CONNECT; this is another.")
    return whole_length(start, limit)


def read_connect(packet: bytes) -> Connect:
    """Raises BadPacket, and UnknownVersion among them."""
    if len(packet) != packet_length(packet):
        raise BadPacket("The packet is not as long as it says.")
    reader = Reader(packet)
    reader.byte()
    reader.length()
    level = _level(reader)
    flags, keepalive = reader.byte(), reader.number()
    _check_flags(level, flags)
    if level == 5:
        skip_properties(reader, OF_CONNECT)
    client_id = reader.text()
    if flags & WILL:
        _skip_will(reader, level)
    username = reader.text() if flags & USERNAME else None
    password = reader.binary() if flags & PASSWORD else None
    reader.end()
    return Connect(level, client_id, username, password, bool(flags & CLEAN), keepalive)


def with_login(packet: bytes, username: str, password: bytes) -> bytes:
    """The same CONNECT with another user name and password, all else (will, properties) as it came. Raises BadPacket as read_connect."""
    level = read_connect(packet).level
    reader = Reader(packet)
    reader.byte()
    reader.length()
    begin = reader.at
    _level(reader)
    flags_at, flags = reader.at, reader.byte()
    reader.number()
    if level == 5:
        reader.part()
    reader.text()
    if flags & WILL:
        _skip_will(reader, level)
    kept = packet[begin:flags_at] + bytes([flags | USERNAME | PASSWORD]) + packet[flags_at + 1 : reader.at]
    return whole(CONNECT, kept + text_bytes(username) + binary_bytes(password))


def _level(reader: Reader) -> int:
    name, level = reader.text(), reader.byte()
    if name not in NAMES.values():
        raise BadPacket("The packet does not name MQTT as its protocol.")
    if NAMES.get(level) != name:
        raise UnknownVersion(say("MQTT's protocol level {level} is not one of 3, 4 and 5.", level=level))
    return level


def _check_flags(level: int, flags: int) -> None:
    if flags & RESERVED:
        raise BadPacket("The reserved flag of the CONNECT is set.")
    if flags & WILL_QOS == WILL_QOS or (level > 3 and not flags & WILL and flags & (WILL_QOS | WILL_RETAIN)):
        raise BadPacket("The will's flags of the CONNECT contradict each other.")
    if level < 5 and flags & PASSWORD and not flags & USERNAME:
        raise BadPacket("The CONNECT has a password and no user name.")


def _skip_will(reader: Reader, level: int) -> None:
    if level == 5:
        skip_properties(reader, OF_WILL)
    reader.text()
    reader.binary()


def connack(level: int, code: int, *, session_present: bool = False) -> bytes:
    """`code`: MQTT 3.1.1's number, 0 to 5; MQTT 5 gets its own for it."""
    if level == 5:
        return whole(CONNACK, bytes([session_present, REASONS[code], 0]))
    return whole(CONNACK, bytes([session_present and level > 3, code]))


def publish(level: int, topic: str, payload: bytes) -> bytes:
    """QoS 0, not retained."""
    return whole(PUBLISH, text_bytes(topic) + (b"\0" if level == 5 else b"") + payload)


def connect(packet: Connect) -> bytes:
    """The device's side: without will and properties."""
    flags = (CLEAN if packet.clean else 0) | (0 if packet.username is None else USERNAME) | (0 if packet.password is None else PASSWORD)
    body = text_bytes(NAMES[packet.level]) + bytes([packet.level, flags]) + packet.keepalive.to_bytes(2, "big")
    body += (b"\0" if packet.level == 5 else b"") + text_bytes(packet.client_id)
    body += b"" if packet.username is None else text_bytes(packet.username)
    body += b"" if packet.password is None else binary_bytes(packet.password)
    return whole(CONNECT, body)


def first_packet(received: bytes, limit: int = MAX_PACKET) -> tuple[bytes, bytes] | None:
    """The device's side: the first packet of what came, and the rest; None while it is not complete. Raises BadPacket."""
    length = whole_length(received, limit)
    return None if length is None or len(received) < length else (received[:length], received[length:])


def read_connack(packet: bytes) -> int:
    """The return code in MQTT 3.1.1's numbers; a reason of MQTT 5 that has none there is 5. Raises BadPacket."""
    if len(packet) < 4 or packet[0] != CONNACK or packet[1] != len(packet) - 2:
        raise BadPacket("The server's first packet is no CONNACK.")
    if len(packet) == 4:
        return packet[3]
    return next((code for code, reason in REASONS.items() if reason == packet[3]), NOT_AUTHORISED)


def read_publish(level: int, packet: bytes) -> tuple[str, bytes]:
    """Topic and payload of a PUBLISH of QoS 0. Raises BadPacket."""
    reader = Reader(packet)
    if reader.byte() != PUBLISH or reader.length() != reader.left:
        raise BadPacket("The packet is no PUBLISH of QoS 0.")
    topic = reader.text()
    if level == 5:
        reader.part()
    return topic, reader.take(reader.left)


def subscribe(level: int, packet_id: int, *filters: str) -> bytes:
    """The device's side: QoS 0 for every filter."""
    wanted = b"".join(text_bytes(one) + b"\0" for one in filters)
    return whole(0x82, packet_id.to_bytes(2, "big") + (length_bytes(0) if level == 5 else b"") + wanted)
