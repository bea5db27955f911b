"""Packets that are almost right, by the thousand, at the running registrar: no crash, no hang, no growth, nobody admitted."""

import random
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devices.models import Device
from registration.models import DeviceLogEntry
from registration.servers.proxy_header import Origin, write_v2
from tests import cast
from tests.processes import Registrar
from tests.registration.golden_mqtt import PACKETS
from tests.registration.mqtt_knocking import knock, packet_of

pytestmark = pytest.mark.slow
TIMES = 1500
SEED = 20261121


@pytest.fixture(autouse=True)
def home(transactional_db: None) -> None:
    cast.home()


def mutated(packet: bytes, chance: random.Random) -> bytes:
    changed = bytearray(packet)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(changed))
        kind = chance.randrange(4)
        if kind == 0:
            changed[at] = chance.randrange(256)
        elif kind == 1:
            del changed[at : at + chance.randrange(1, 9)]
        elif kind == 2:
            changed[at:at] = chance.randbytes(chance.randrange(1, 9))
        else:
            changed[at:at] = changed[: chance.randrange(1, 30)]
        if not changed:
            break
    return bytes(changed)


def packets_of(chance: random.Random) -> Iterator[bytes]:
    for _ in range(TIMES):
        yield mutated(chance.choice(PACKETS), chance)


def sent(own: Registrar, packet: bytes) -> bytes:
    """What comes back to the end; who waits for more bytes is told that there are none."""
    with own.connect(timeout=10) as connection:
        try:
            connection.sendall(packet)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(4096), b""))
        except OSError:  # It was let go before it had said everything.
            return b""


def memory(own: Registrar) -> int:
    """KiB that the process holds."""
    lines = Path(f"/proc/{own.process.popen.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def test_it_survives_connects_that_are_almost_right(start_registrar: Callable[..., Registrar]) -> None:
    own = start_registrar(NAMEPLATE_MQTT_READ_SECONDS="1")
    chance = random.Random(SEED)
    before = 0
    for number, packet in enumerate(packets_of(chance)):
        answer = sent(own, packet)
        assert not answer or (answer[0] == 0x20 and answer[3] != 0), (packet, answer)
        if number == TIMES // 3:
            before = memory(own)
    assert memory(own) < before + 8192
    _still_well(own)


def test_it_survives_proxy_headers_that_are_almost_right(start_registrar: Callable[..., Registrar]) -> None:
    own = start_registrar(NAMEPLATE_MQTT_READ_SECONDS="1", NAMEPLATE_MQTT_PROXY_PROTOCOL="on", NAMEPLATE_TRUSTED_PROXIES="127.0.0.1")
    chance = random.Random(SEED)
    header = write_v2(Origin("203.0.113.9", 4711, "frankfurt.devices.test"), ("192.0.2.1", 1883))
    for _ in range(TIMES // 3):
        begin = mutated(chance.choice((header, b"PROXY TCP4 203.0.113.9 192.0.2.1 4711 1883\r\n")), chance)
        answer = sent(own, begin + chance.choice(PACKETS))
        assert not answer or answer[3] != 0
    _still_well(own, header)


def _still_well(own: Registrar, header: bytes = b"") -> None:
    assert own.process.popen.poll() is None
    assert "Traceback" not in own.process.output(), own.process.output()[-3000:]
    assert not Device.objects.at(cast.home()).exists()
    assert not DeviceLogEntry.objects.filter(code="internal").exists()
    cast.row(cast.lamp(), "crate-1")
    assert knock(own.connect(), header + packet_of("a1LampKey01", "crate-1")).answer.accepted
