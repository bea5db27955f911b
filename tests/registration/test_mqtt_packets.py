"""The packets of MQTT 3.1, 3.1.1 and 5, both sides (A3)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registration.mqtt import packets
from registration.mqtt.packets import BadPacket, Connect, UnknownVersion
from registration.mqtt.wire import length_bytes, read_length, text_bytes, whole
from tests.registration.golden_mqtt import CONNECTIONS, PACKETS, REGISTRATIONS

LEVELS = pytest.mark.parametrize("level", [3, 4, 5])
PLAIN = Connect(4, "dev0001.a1", "dev0001&a1", b"secret", clean=True, keepalive=60)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=64)
CONNECTS = st.builds(
    Connect,
    level=st.sampled_from([3, 4, 5]),
    client_id=TEXTS,
    username=TEXTS,
    password=st.none() | st.binary(max_size=64),
    clean=st.booleans(),
    keepalive=st.integers(0, 65535),
)


def variable(flags: int, *payload: bytes, name: str = "MQTT", level: int = 4, properties: bytes = b"") -> bytes:
    return whole(packets.CONNECT, text_bytes(name) + bytes([level, flags, 0, 60]) + properties + b"".join(payload))


@pytest.mark.parametrize("golden", [*REGISTRATIONS, *CONNECTIONS], ids=lambda golden: golden.id)
def test_it_reads_what_real_devices_sent(golden: object) -> None:
    packet = golden.packet  # type: ignore[attr-defined]
    assert packets.packet_length(packet) == len(packet)
    assert packets.connect(packets.read_connect(packet)) == packet


def test_it_takes_the_client_id_of_a_device_that_speaks_mqtt_31_and_has_more_than_23_characters() -> None:
    connect = packets.read_connect(packets.connect(replace(PLAIN, level=3, client_id="L4WG9V9M2M" + "d" * 48)))
    assert (connect.level, len(connect.client_id)) == (3, 58)


@given(connect=CONNECTS)
def test_it_reads_back_every_connect_that_it_writes(connect: Connect) -> None:
    assert packets.read_connect(packets.connect(connect)) == connect


@given(connect=CONNECTS, cut=st.integers(0, 1000))
def test_it_asks_for_more_or_refuses_when_a_packet_is_not_complete(connect: Connect, cut: int) -> None:
    whole_packet = packets.connect(connect)
    start = whole_packet[: cut % len(whole_packet)]
    assert packets.packet_length(start) in (None, len(whole_packet))
    with pytest.raises(BadPacket):
        packets.read_connect(start)


@given(data=st.binary(max_size=300))
def test_it_meets_any_bytes_with_a_connect_or_a_bad_packet(data: bytes) -> None:
    for packet in (data, whole(packets.CONNECT, data), whole(packets.CONNECT, text_bytes("MQTT") + b"\x05" + data)):
        try:
            connect = packets.read_connect(packet)
        except BadPacket:
            continue
        assert packets.read_connect(packets.connect(replace(connect))) == connect


def test_it_waits_for_a_first_byte() -> None:
    assert packets.packet_length(b"") is None
    assert packets.packet_length(b"\x10") is None
    assert packets.packet_length(b"\x10\x80") is None
    assert packets.packet_length(b"\x10\x80\x01") == 131


@pytest.mark.parametrize("start", [b"\x11\x02", b"\x00", b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1", b"\x30\x02", b"PROXY TCP4"])
def test_it_refuses_a_first_packet_that_is_no_connect(start: bytes) -> None:
    with pytest.raises(BadPacket, match="another"):
        packets.packet_length(start)


@pytest.mark.parametrize("start", [b"\x10\xff\xff\xff\xff", b"\x10\x80\x00", b"\x10\xff\xff\xff\x7f", b"\x10\xff\x7f"])
def test_it_refuses_a_length_that_is_none_or_too_much_before_the_packet_is_there(start: bytes) -> None:
    with pytest.raises(BadPacket):
        packets.packet_length(start)


def test_it_takes_a_packet_of_exactly_the_limit() -> None:
    body = b"x" * (packets.MAX_PACKET - 3)
    assert packets.packet_length(whole(packets.CONNECT, body)) == packets.MAX_PACKET
    with pytest.raises(BadPacket, match="longer"):
        packets.packet_length(whole(packets.CONNECT, body + b"x"))


@given(value=st.integers(0, 268_435_455))
def test_it_reads_back_every_length_that_it_writes(value: int) -> None:
    assert read_length(length_bytes(value)) == (value, len(length_bytes(value)))


@pytest.mark.parametrize(
    "packet",
    [
        variable(0xC3, text_bytes("c"), text_bytes("u"), text_bytes("p")),
        variable(0x42, text_bytes("c"), text_bytes("p")),
        variable(0x0A, text_bytes("c")),
        variable(0x22, text_bytes("c")),
        variable(0x1E, text_bytes("c"), text_bytes("topic"), text_bytes("will")),
        variable(0xC2, text_bytes("c"), text_bytes("u")),
        variable(0xC2, text_bytes("c"), text_bytes("u"), text_bytes("p"), b"\0"),
        variable(0x02, b"\0\2\xff\xfe"),
        variable(0x02, b"\0\1\0"),
        variable(0x02, b"\0\3\xed\xa0\x80"),
        variable(0x02, b"\0\5abc"),
        variable(0x02, text_bytes("c"), name="HTTP"),
        whole(packets.CONNECT, b""),
        PACKETS[0] + b"\0",
    ],
    ids=["reserved", "password-alone", "will-qos", "will-retain", "qos-3", "no-password", "trailing", "not-utf8", "nul", "surrogate",
         "short", "other-protocol", "empty", "longer-than-it-says"],
)  # fmt: skip
def test_it_refuses_what_the_specification_forbids(packet: bytes) -> None:
    with pytest.raises(BadPacket):
        packets.read_connect(packet)


@pytest.mark.parametrize(("name", "level"), [("MQTT", 3), ("MQIsdp", 4), ("MQTT", 6), ("MQTT", 0x84), ("MQIsdp", 0x83), ("MQTT", 0)])
def test_it_tells_a_version_that_nobody_speaks_from_nonsense(name: str, level: int) -> None:
    with pytest.raises(UnknownVersion):
        packets.read_connect(variable(2, text_bytes("c"), name=name, level=level))


def test_it_reads_past_a_will() -> None:
    packet = variable(0xC6, text_bytes("c"), text_bytes("last/words"), text_bytes("gone"), text_bytes("u"), text_bytes("p"))
    assert packets.read_connect(packet).password == b"p"


def test_it_reads_past_the_properties_of_mqtt_5() -> None:
    properties = (
        b"\x11\0\0\0\x3c" + b"\x21\0\x0a" + b"\x19\1" + 2 * (b"\x26" + text_bytes("a") + text_bytes("b")) + b"\x16" + text_bytes("x")
    )
    will = b"\x18\0\0\0\1" + b"\x03" + text_bytes("text/plain")
    packet = variable(
        0xC6, text_bytes("c"), length_bytes(len(will)) + will, text_bytes("t"), text_bytes("w"), text_bytes("u"), text_bytes("p"),
        level=5, properties=length_bytes(len(properties)) + properties,
    )  # fmt: skip
    assert packets.read_connect(packet) == Connect(5, "c", "u", b"p", True, 60)


def test_it_takes_a_password_without_a_user_name_of_mqtt_5_alone() -> None:
    assert packets.read_connect(variable(0x42, text_bytes("c"), text_bytes("p"), level=5, properties=b"\0")).username is None


@pytest.mark.parametrize("properties", [b"\x01\x99", b"\x03\x18\0\0", b"\x04\x17\0\x17\0", b"\x7f\x11", b"\x02\x26\0", b"\xff\xff\xff\xff"])
def test_it_refuses_properties_that_are_unknown_doubled_or_cut_off(properties: bytes) -> None:
    with pytest.raises(BadPacket):
        packets.read_connect(variable(2, text_bytes("c"), level=5, properties=properties))


@LEVELS
@pytest.mark.parametrize("code", range(6))
def test_a_device_reads_the_return_code(level: int, code: int) -> None:
    packet = packets.connack(level, code)
    assert packets.read_connack(packet) == code
    assert len(packet) == (5 if level == 5 else 4)


def test_it_answers_as_the_specifications_print_it() -> None:
    assert packets.connack(4, 4) == b"\x20\x02\x00\x04"
    assert packets.connack(3, 0, session_present=True) == b"\x20\x02\x00\x00"
    assert packets.connack(4, 0, session_present=True) == b"\x20\x02\x01\x00"
    assert packets.connack(5, 4) == b"\x20\x03\x00\x86\x00"
    assert packets.publish(4, "a/b", b"hi") == b"\x30\x07\x00\x03a/bhi"
    assert packets.publish(5, "a/b", b"hi") == b"\x30\x08\x00\x03a/b\x00hi"


@LEVELS
@given(topic=TEXTS, payload=st.binary(max_size=300))
def test_a_device_reads_what_is_published(level: int, topic: str, payload: bytes) -> None:
    together = packets.connack(level, 0) + packets.publish(level, topic, payload)
    first, rest = packets.first_packet(together) or (b"", b"")
    assert packets.read_connack(first) == 0
    assert packets.read_publish(level, rest) == (topic, payload)


@given(data=st.binary(max_size=60), level=st.sampled_from([4, 5]))
def test_a_device_meets_any_answer_with_a_value_or_a_bad_packet(data: bytes, level: int) -> None:
    for start in (b"", b"\x20", b"\x30"):
        for read in (packets.first_packet, packets.read_connack, lambda packet: packets.read_publish(level, packet)):
            try:
                read(start + data)
            except BadPacket:
                continue


def test_a_password_has_no_place_in_a_representation() -> None:
    assert "secret" not in repr(PLAIN)


def test_it_writes_no_field_that_its_length_cannot_say() -> None:
    with pytest.raises(ValueError, match="65,535"):
        packets.connect(replace(PLAIN, client_id="x" * 65536))


@given(connect=CONNECTS, username=TEXTS, password=st.binary(max_size=300))
def test_a_login_is_changed_and_nothing_else(connect: Connect, username: str, password: bytes) -> None:
    changed = packets.with_login(packets.connect(connect), username, password)
    assert packets.read_connect(changed) == replace(connect, username=username, password=password)


@LEVELS
def test_will_and_properties_stay_as_they_came(level: int) -> None:
    name = packets.NAMES[level]
    properties = b"\x05\x11\x00\x00\x00\x3c" if level == 5 else b""
    will = (b"\x05\x18\x00\x00\x00\x05" if level == 5 else b"") + text_bytes("a/b") + text_bytes("gone")
    before = variable(0x2C | 0x02, text_bytes("c"), will, name=name, level=level, properties=properties)
    after = variable(0xEC | 0x02, text_bytes("c"), will, text_bytes("u"), text_bytes("p"), name=name, level=level, properties=properties)
    assert packets.with_login(before, "u", b"p") == after
    assert packets.with_login(after, "u", b"p") == after


def test_what_is_no_connect_gets_no_login() -> None:
    with pytest.raises(BadPacket):
        packets.with_login(packets.connect(PLAIN)[:-1], "u", b"p")
