"""A device of Alibaba's MQTT registration in a test: by bytes, over a real socket."""

import socket
import time
from dataclasses import dataclass
from itertools import count

from registration.models import DeviceLogEntry
from registration.mqtt import packets
from registration.mqtt.packets import Connect
from registration.protocols.alibaba_mqtt import AlibabaMqtt
from registration.protocols.base import Answer, Credentials, Reply
from tests import cast
from tests.registration.knocking import SECRETS

_nonces = count(1217904395)
SECRETS_OF_MQTT = SECRETS | {"a1LampKey01": "LampSecret123456"}


@dataclass(frozen=True)
class Told:
    """`answer` as the device understands it, of the bytes `received`."""

    answer: Answer
    received: bytes

    @property
    def code(self) -> str:
        return self.answer.code


def packet_of(product_key: str, device_name: str, *, level: int = 4, auth_type: str = "register", secret: str = "") -> bytes:
    """A CONNECT that registers."""
    credentials = Credentials(product_key, secret or SECRETS_OF_MQTT[product_key], device_name)
    return AlibabaMqtt(level, auth_type).compose(credentials, host="", at=cast.NOON, nonce=next(_nonces)).body


def connecting(level: int = 4, client_id: str = "crate-1") -> bytes:
    """A CONNECT that is no registration."""
    return packets.connect(Connect(level, client_id, "crate-1&a1LampKey01", b"0" * 40))


def received(connection: socket.socket, *, until_end: bool = False) -> bytes:
    """What comes: CONNACK and, if it accepts, PUBLISH; or all of it to the end of the connection."""
    got = b""
    while until_end or not _complete(got):
        piece = connection.recv(4096)
        if not piece:
            break
        got += piece
    return got


def knock(connection: socket.socket, packet: bytes, *, level: int = 4) -> Told:
    with connection:
        connection.sendall(packet)
        got = received(connection)
    return Told(AlibabaMqtt(level).read(Reply(got), ""), got)


def log_entry(*, saying: str = "", device_name: str = "", seconds: float = 5) -> DeviceLogEntry:
    """The one whose path says so, or of this name, when it has been written. A server that several tests share may still write of
    a connection that the test before has left."""
    end = time.monotonic() + seconds
    while True:
        entries = list(DeviceLogEntry.objects.filter(device_name=device_name) if device_name else DeviceLogEntry.objects.all())
        found = [entry for entry in entries if saying in " ".join(entry.path)]
        if found or time.monotonic() > end:
            break
        time.sleep(0.05)
    assert len(found) == 1, [(entry.code, entry.device_name, entry.path) for entry in entries]
    return found[0]


def _complete(got: bytes) -> bool:
    first = packets.first_packet(got)
    if first is None:
        return False
    return packets.read_connack(first[0]) != 0 or packets.first_packet(first[1]) is not None
