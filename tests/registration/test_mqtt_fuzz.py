"""One hundred thousand CONNECT packets that somebody tampered with: none is a crash, none costs memory, none is let in (A3, A5)."""

import random
import tracemalloc
from collections import Counter
from collections.abc import Callable

import pytest

from console.errors import DomainError
from registration.mqtt import packets
from registration.mqtt.wire import length_bytes
from registration.protocols.alibaba_mqtt import AlibabaMqtt, is_registration
from registration.protocols.base import Request
from registration.protocols.connecting import presented
from registration.protocols.connection_schemes import read
from tests.cast import NOON
from tests.registration.golden_mqtt import BY_SECRET, BY_TOKEN, PACKETS, REGISTRATIONS

COUNT = 100_000
GROWTH = 2_000_000
"""Bytes that may be held in the end: what the interpreter keeps for itself, and nothing of a packet."""

KEYS = {(golden.product_key, golden.device_name): golden.device_secret for golden in BY_SECRET}
PRODUCT_SECRETS = {(golden.product_key, golden.device_name): golden.product_secret for golden in REGISTRATIONS}
TOKENS = {(golden.product_key, golden.device_name, golden.presented.client_id.partition("|")[0]): golden.token for golden in BY_TOKEN}
GENUINE = {packets.read_connect(packet).password for packet in PACKETS}
"""A mutation that leaves a proof's inputs alone (keepalive, a parameter nobody looks at) is the genuine device still."""

Mutation = Callable[[random.Random, bytearray], None]


def flip(dice: random.Random, packet: bytearray) -> None:
    packet[dice.randrange(len(packet))] ^= 1 << dice.randrange(8)


def overwrite(dice: random.Random, packet: bytearray) -> None:
    at = dice.randrange(len(packet))
    packet[at : at + dice.randrange(1, 9)] = dice.randbytes(dice.randrange(1, 9))


def insert(dice: random.Random, packet: bytearray) -> None:
    at = dice.randrange(len(packet) + 1)
    packet[at:at] = dice.choice(
        [b"\0", b"|", b",", b"=", b"&", b";", b"/", b"\xff", b"authType=regnwl,", b"authType=connwl,"]
    ) * dice.randrange(1, 40)


def cut(dice: random.Random, packet: bytearray) -> None:
    start = dice.randrange(len(packet))
    del packet[start : start + dice.randrange(1, 60)]


def splice(dice: random.Random, packet: bytearray) -> None:
    other = dice.choice(PACKETS)
    packet[dice.randrange(len(packet)) :] = other[dice.randrange(len(other)) :]


def lie_about_a_length(dice: random.Random, packet: bytearray) -> None:
    at = dice.randrange(2, len(packet) - 1)
    packet[at : at + 2] = dice.choice([0, 1, 23, 255, 0x7FFF, 0xFFFF]).to_bytes(2, "big")


def swap_secret_digits(dice: random.Random, packet: bytearray) -> None:
    packet[-1 - dice.randrange(30)] = dice.choice(b"0123456789abcdefABCDEF;.")


MUTATIONS: list[Mutation] = [flip, overwrite, insert, cut, splice, lie_about_a_length, swap_secret_digits]


def mutant(dice: random.Random) -> bytes:
    packet = bytearray(dice.choice(PACKETS))
    for _ in range(dice.randrange(1, 4)):
        dice.choice(MUTATIONS)(dice, packet)
        packet = packet if len(packet) > 40 else bytearray(dice.choice(PACKETS))
    body = bytes(packet[3:])
    return b"\x10" + length_bytes(len(body)) + body if dice.random() < 0.8 else bytes(packet)


def outcome(packet: bytes) -> str:
    """What the servers' pure code makes of a packet: the word of its refusal, or who was let in."""
    try:
        length = packets.packet_length(packet)
        if length != len(packet):
            return "waits"
        connect = packets.read_connect(packet)
        if is_registration(connect):
            registering = AlibabaMqtt().parse(Request("CONNECT", "", "", {}, packet))
            registering.verify(PRODUCT_SECRETS.get((registering.product_key, registering.device_name), "x" * 16), NOON)
            return _let_in(connect.password)
        claim = read(presented(connect))
        if claim.token:
            known = TOKENS.get((claim.product_key, claim.device_name, claim.client_id), "")
            return _let_in(connect.password) if known == claim.token else "bad_token"
        claim.verify(KEYS.get((claim.product_key, claim.device_name), "x" * 32), NOON)
        return _let_in(connect.password)
    except DomainError as error:
        return error.code


def _let_in(password: bytes | None) -> str:
    return "genuine" if password and {password, password.lower(), password.upper()} & GENUINE else "LET IN"


@pytest.mark.timeout(300)
def test_no_tampered_packet_crashes_costs_memory_or_is_let_in() -> None:
    dice = random.Random(20261121)
    for _ in range(2_000):
        outcome(mutant(dice))
    tracemalloc.start()
    try:
        before, _peak = tracemalloc.get_traced_memory()
        outcomes = Counter(outcome(mutant(dice)) for _ in range(COUNT))
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert outcomes["LET IN"] == 0, outcomes
    assert set(outcomes) <= {"waits", "malformed", "bad_signature", "unknown_algorithm", "outside_window", "bad_token", "genuine"}
    assert min(outcomes["malformed"], outcomes["bad_signature"], outcomes["waits"]) > COUNT // 100
    assert after - before < GROWTH and peak - before < 2 * GROWTH


def test_the_untampered_packets_are_let_in() -> None:
    """Or the test above would prove nothing."""
    at_their_time = [golden.packet for golden in BY_SECRET if golden.scheme != "native"]
    others = [golden.packet for golden in (*REGISTRATIONS, *BY_TOKEN)]
    assert {outcome(packet) for packet in (*at_their_time, *others)} == {"genuine"}
