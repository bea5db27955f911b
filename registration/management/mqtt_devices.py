"""Simulated devices that speak MQTT: they register, connect with what they were handed, and stay for a while (N5)."""

import random
import select
import socket
import ssl
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from registration.management import certificate_devices
from registration.management.certificate_devices import Pair
from registration.management.simulation import CLONE, NO_ANSWER, NOT_READABLE, REPEAT, TIMEOUT, Outcome, Row, milliseconds
from registration.mqtt import packets
from registration.mqtt.packets import ACCEPTED, BadPacket, Connect
from registration.protocols.base import Answer, Reply, Request
from registration.protocols.connecting import DeviceCredentials
from registration.protocols.connection_schemes import COMPOSERS

SCHEMES: Final = {"mqtt": 1883, "mqtts": 8883}
"""Of a URL, with the port that goes without saying."""
CONNECTS, CLONE_CONNECTS, WRONG_SECRET, STAYS = "connect", "clone connects", "wrong secret", "stays"
WRONG_CERTIFICATE = "forged"


class MqttServer:
    """Where devices register or connect, plain or with TLS. `ca`: a PEM file to trust instead of the system's."""

    def __init__(self, url: str, *, host: str = "", ca: Path | None = None, insecure: bool = False) -> None:
        """Raises ValueError for a URL that is not mqtt:// or mqtts://, OSError for a file that cannot be read."""
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES or not parts.hostname:
            raise ValueError(f"{url} is not mqtt://host:port or mqtts://host:port.")
        self.address = (parts.hostname, parts.port or SCHEMES[parts.scheme])
        self.host = host or parts.hostname
        self.ca = ca
        self.context = ssl.create_default_context(cafile=ca) if parts.scheme == "mqtts" else None
        if self.context and insecure:
            self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing is kept open."""

    def open(self, pair: Pair | None = None) -> socket.socket:
        """`pair`: what the device presents in the TLS handshake. Raises OSError."""
        context = self.context
        if pair is not None and context is not None:
            context = certificate_devices.context(pair, verify=context.verify_mode, ca=self.ca)
        plain = socket.create_connection(self.address, timeout=TIMEOUT)
        if context is None:
            return plain
        try:
            return context.wrap_socket(plain, server_hostname=self.host)
        except OSError:
            plain.close()
            raise

    def send(self, request: Request) -> Reply:
        """A registration: the CONNACK, and the PUBLISH after it if the device was let in. Raises OSError."""
        with self.open() as connection:
            connection.sendall(request.body)
            try:
                first, rest = _next(connection, b"")
                if packets.read_connack(first) != ACCEPTED:
                    return Reply(first)
                second, _ = _next(connection, rest)
                return Reply(first + second)
            except BadPacket:
                return Reply(b"")


@dataclass(frozen=True, slots=True)
class Device:
    """One physical device. `kind`: one of the words above. `pair`: of one that was handed a certificate."""

    kind: str
    credentials: DeviceCredentials
    pair: Pair | None = None


@dataclass(frozen=True, slots=True)
class Stay:
    """What became of a connection. `connection`: None when it was not let in."""

    outcome: Outcome
    connection: socket.socket | None = field(default=None, repr=False)


def devices_of(outcomes: Sequence[Outcome], product_key: str, *, wrong: int) -> list[Device]:
    """A device for everyone who was let in, once, and `wrong` ones with a secret that is not theirs."""
    let_in = [
        Device(
            CLONE_CONNECTS if one.kind == CLONE else CONNECTS,
            DeviceCredentials(product_key, one.device_name, one.answer.device_secret, one.answer.client_id, one.answer.device_token),
            Pair(one.answer.certificate, one.answer.private_key) if one.answer.certificate else None,
        )
        for one in outcomes
        if one.answer.accepted and one.kind != REPEAT
    ]
    return let_in + [_forged(one) for one in let_in[:wrong]]


def connect_all(
    server: MqttServer, vendor: str, devices: Sequence[Device], *, seconds: float, concurrency: int, level: int = 4
) -> list[Outcome]:
    """Everybody connects; who is let in stays for `seconds`, and then tells whether the broker cut it off."""
    keepalive = min(1200, int(2 * seconds) + 60)
    with ThreadPoolExecutor(concurrency) as pool:
        stays = list(pool.map(lambda device: _connect(server, vendor, device, keepalive, level), devices))
    try:
        return [stay.outcome for stay in stays] + _wait(stays, seconds)
    finally:
        for stay in stays:
            _leave(stay.connection)


def report(outcomes: Sequence[Outcome]) -> list[Row]:
    """One row for each kind and code. Expected is that known devices are let in, and wrong secrets are not; of clones, anything."""
    groups: dict[tuple[str, str, str], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.kind, outcome.answer.code, outcome.answer.message), []).append(outcome)
    return [
        Row(kind, code, message, len(group), *milliseconds(group), _is_expected(kind, code))
        for (kind, code, message), group in groups.items()
    ]


def _is_expected(kind: str, code: str) -> bool:
    if kind == WRONG_CERTIFICATE:
        return code != str(ACCEPTED)  # It may be refused in the handshake, where no answer comes.
    if code in (NO_ANSWER, NOT_READABLE):
        return False
    return (code == str(ACCEPTED)) == (kind == CONNECTS) or kind in (CLONE_CONNECTS, STAYS)


def _connect(server: MqttServer, vendor: str, device: Device, keepalive: int, level: int) -> Stay:
    own = replace(device.credentials, device_secret=certificate_devices.NO_SECRET) if device.pair else device.credentials
    shown = COMPOSERS[vendor](own, datetime.now(UTC), random.SystemRandom().getrandbits(31))
    password = None if device.pair else shown.password.encode()
    packet = packets.connect(Connect(level, shown.client_id, shown.username, password, clean=True, keepalive=keepalive))
    started = time.perf_counter()
    connection: socket.socket | None = None
    try:
        connection = server.open(device.pair)
        connection.sendall(packet)
        code = packets.read_connack(_next(connection, b"")[0])
        connection.setblocking(False)
        answer = Answer(str(code), "" if code == ACCEPTED else "refused")
    except BadPacket as error:
        answer = Answer(NOT_READABLE, error.message)
    except OSError as error:
        answer = Answer(NO_ANSWER, type(error).__name__)
    if answer.code != str(ACCEPTED) and connection is not None:
        connection.close()
        connection = None
    return Stay(Outcome(device.kind, device.credentials.device_name, answer, time.perf_counter() - started), connection)


def _wait(stays: Sequence[Stay], seconds: float) -> list[Outcome]:
    """For each connection whether it lasted, and how long."""
    started = time.perf_counter()
    held = {stay.connection.fileno(): stay for stay in stays if stay.connection}
    ended: list[Outcome] = []
    poll = select.poll()
    for number in held:
        poll.register(number, select.POLLIN)
    while held and (left := started + seconds - time.perf_counter()) > 0:
        for number, _event in poll.poll(left * 1000):
            if _is_cut(held[number].connection):
                poll.unregister(number)
                ended.append(_stayed(held.pop(number), "cut", started))
    return ended + [_stayed(stay, "kept", started) for stay in held.values()]


def _stayed(stay: Stay, code: str, started: float) -> Outcome:
    return Outcome(STAYS, stay.outcome.device_name, Answer(code), time.perf_counter() - started)


def _is_cut(connection: socket.socket | None) -> bool:
    """Whether the server has closed it; what it sends otherwise is thrown away."""
    try:
        return connection is None or not connection.recv(4096)
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True


def _leave(connection: socket.socket | None) -> None:
    if connection is None:
        return
    try:
        connection.sendall(packets.DISCONNECT)
    except OSError:
        pass  # It was cut off; there is nobody to take leave of.
    finally:
        connection.close()


def _next(connection: socket.socket, received: bytes) -> tuple[bytes, bytes]:
    """The next packet and what came after it. Raises BadPacket, OSError."""
    while (found := packets.first_packet(received)) is None:
        piece = connection.recv(4096)
        if not piece:
            raise ConnectionResetError("closed")
        received += piece
    return found


def _forged(device: Device) -> Device:
    if device.pair:
        return replace(device, kind=WRONG_CERTIFICATE, pair=certificate_devices.forged(device.pair))
    return Device(WRONG_SECRET, _with_wrong_secret(device.credentials))


def _with_wrong_secret(credentials: DeviceCredentials) -> DeviceCredentials:
    """Of the same form, so that it is refused for being wrong."""
    if credentials.device_token:
        return replace(credentials, device_token=_other(credentials.device_token))
    return replace(credentials, device_secret=_other(credentials.device_secret))


def _other(secret: str) -> str:
    return ("A" if secret[0] != "A" else "B") + secret[1:]
