"""What a connected device may send: whole, well-formed packets, and no others."""

import contextlib
import random

import pytest

from registration.mqtt import frames, packets
from registration.mqtt.wire import BadPacket, text_bytes, whole

ID = b"\0\x01"
GOOD = (
    packets.publish(4, "a/b", b"payload"),
    packets.publish(4, "$thing/up", b""),
    whole(0x32, text_bytes("a") + ID + b"payload"),
    whole(0x3B, text_bytes("a") + ID),  # Sent again, to be retained.
    packets.subscribe(4, 1, "a/#", "+/b"),
    whole(0x8A, ID + text_bytes("a") + b"\x02"),  # As MQTT 3.1 sends it again.
    whole(0xA2, ID + text_bytes("a/#")),
    whole(0x40, ID),
    whole(0x62, ID),
    packets.PINGREQ,
    packets.DISCONNECT,
)
BAD = {
    "a topic longer than its packet": b"\x30\x04\0\x09ab",
    "a topic that is empty": whole(0x30, text_bytes("") + b"payload"),
    "a wildcard to publish to": whole(0x30, text_bytes("a/+")),
    "a topic with U+0000": whole(0x30, text_bytes("a\0")),
    "a topic that is no UTF-8": whole(0x30, b"\0\x01\xff"),
    "QoS 1 without a number": whole(0x32, text_bytes("a")),
    "QoS 1 with the number 0": whole(0x32, text_bytes("a") + b"\0\0"),
    "QoS 2": whole(0x34, text_bytes("a") + ID),
    "QoS 3": whole(0x36, text_bytes("a") + ID),
    "no filter": whole(0x82, ID),
    "a filter without its QoS": whole(0x82, ID + text_bytes("a")),
    "a filter with QoS 3": whole(0x82, ID + text_bytes("a") + b"\x03"),
    "a SUBSCRIBE with other flags": whole(0x80, ID + text_bytes("a") + b"\0"),
    "more filters than anybody needs": whole(0x82, ID + (text_bytes("a") + b"\0") * 101),
    "a PUBACK with something in it": whole(0x40, ID + b"x"),
    "a PUBREL with other flags": whole(0x60, ID),
    "a ping with something in it": whole(0xC0, b"x"),
    "a second CONNECT": packets.connect(packets.Connect(4, "a", "b", b"c")),
    "what only a broker sends": packets.connack(4, 0),
    "a reserved kind": b"\0\0",
    "the other reserved kind": b"\xf0\0",
}


@pytest.mark.parametrize("packet", GOOD)
def test_what_devices_send_is_admitted(packet: bytes) -> None:
    frames.check(packet)


@pytest.mark.parametrize("packet", BAD.values(), ids=BAD.keys())
def test_it_refuses_what_no_device_sends(packet: bytes) -> None:
    with pytest.raises(BadPacket):
        frames.check(packet)


def test_bytes_of_all_kinds_are_admitted_or_refused_and_nothing_else() -> None:
    rng = random.Random(5)
    for _ in range(20_000):
        packet = bytearray(rng.choice(GOOD))
        for _ in range(rng.randrange(1, 4)):
            packet[rng.randrange(len(packet))] = rng.randrange(256)
        with contextlib.suppress(BadPacket):
            frames.check(bytes(packet))
