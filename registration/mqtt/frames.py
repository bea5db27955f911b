"""What a connected device sends after its CONNECT: each packet is well-formed, or it is not let in.

For the embedded broker, whose own parser believes the lengths inside a packet and would read on into the next one.
Source: MQTT 3.1.1 (OASIS), sections 3.3 to 3.14. Not admitted although it stands there: publishing with QoS 2, which neither vendor's
platform takes from a device, and with which one device could keep 65,535 messages waiting here.
"""

from typing import Final

from registration.mqtt.wire import BadPacket, Reader

PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT = 3, 4, 5, 6, 7, 8, 10, 12, 14
ANSWERS: Final = {PUBACK: 0, PUBREC: 0, PUBREL: 2, PUBCOMP: 0}
"""Packets that hold a packet id and nothing else, with the flags that they must have."""
DUP: Final = 8
"""MQTT 3.1 sets it on more packets than 3.1.1 does."""
FILTERS_AT_MOST: Final = 100


def check(packet: bytes) -> None:
    """`packet`: whole, its length included. Raises BadPacket."""
    kind, flags = packet[0] >> 4, packet[0] & 0x0F
    reader = Reader(packet)
    reader.byte()
    reader.length()
    if kind == PUBLISH:
        _check_publish(flags, reader)
    elif kind in (SUBSCRIBE, UNSUBSCRIBE):
        _check_filters(flags, reader, with_qos=kind == SUBSCRIBE)
    elif kind in ANSWERS:
        _demand(flags & ~DUP == ANSWERS[kind] and reader.number() > 0)
        reader.end()
    else:
        _demand(kind in (PINGREQ, DISCONNECT) and flags == 0)
        reader.end()


def _check_publish(flags: int, reader: Reader) -> None:
    qos = flags >> 1 & 3
    topic = reader.text()
    _demand(bool(topic) and "#" not in topic and "+" not in topic)
    _demand(qos == 0 or (qos == 1 and reader.number() > 0))


def _check_filters(flags: int, reader: Reader, *, with_qos: bool) -> None:
    _demand(flags & ~DUP == 2 and reader.number() > 0 and reader.left > 0)
    count = 0
    while reader.left:
        count += 1
        _demand(bool(reader.text()) and count <= FILTERS_AT_MOST and (not with_qos or reader.byte() <= 2))


def _demand(fine: bool) -> None:
    if not fine:
        raise BadPacket("The packet is none that a connected client may send.")
