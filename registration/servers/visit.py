"""One MQTT connection: a CONNECT is read, and then it is answered, passed on, or turned away."""

import asyncio
from dataclasses import dataclass, replace
from typing import Final, cast
from typing import Protocol as Interface

from console.errors import DomainError
from registration.mqtt.packets import (
    ACCEPTED,
    DISCONNECT,
    NOT_AUTHORISED,
    UNAVAILABLE,
    WRONG_VERSION,
    BadPacket,
    Connect,
    UnknownVersion,
    connack,
    first_packet,
    packet_length,
    read_connack,
    read_connect,
)
from registration.protocols.alibaba_mqtt import is_registration
from registration.servers.bounds import Place
from registration.servers.proxy_header import Origin
from registration.servers.splice import Peer, Peers, Upstream, hang_up, splice
from registration.servers.tls import ServerTls, certificates_of
from registration.services.turned_away import BrokerAway, NoBroker, TooMany, TooSlow

LINGER_SECONDS: Final = 15.0
"""So long a registered device has to close by itself, as the vendor's service gives it."""
INTRODUCTION_SECONDS: Final = 10.0
MAX_SURPLUS: Final = 4096
"""Bytes that are read and thrown away after the CONNECT; a device of ours sends at most a DISCONNECT."""


class House(Interface):
    """What a visit needs of the server."""

    upstream: Upstream | None
    peers: Peers

    def decide(self, packet: bytes, level: int, caller: "Caller") -> "asyncio.Future[bytes]":
        """The answer to a registration of MQTT's protocol `level`. Raises TooMany when too many are waiting for theirs."""
        ...

    async def introduce(self, packet: bytes, connect: Connect, certificates: tuple[bytes, ...]) -> bytes:
        """The CONNECT as a broker outside of this process shall have it, for the device that proved itself with these. Raises TooMany,
        and the database's errors."""
        ...

    def turn_away(self, error: DomainError, caller: "Caller") -> None: ...

    def begun(self, visit: "Visit") -> None: ...

    def over(self, visit: "Visit") -> None: ...


@dataclass(frozen=True, slots=True)
class Caller:
    """`origin`: the device, as far as we know; `to`: address and port on which it reached us; `host`: the name that it called, if any."""

    origin: Origin
    to: tuple[str, int]
    host: str = ""


class Visit(asyncio.Protocol):
    def __init__(self, house: House, place: Place, caller: Caller, deadline: float, tls: ServerTls | None) -> None:
        """`deadline`: the loop's time by which the CONNECT must be here; `tls`: what the connection speaks, if it does."""
        self.house = house
        self.place = place
        self.caller = caller
        self.deadline = deadline
        self.tls = tls
        self.transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None
        self._received = b""
        self._heard = False
        self._undecided = False
        self._finished = False
        self._surplus = 0
        self._task: asyncio.Task[None] | None = None
        self._certificates: tuple[bytes, ...] = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        ssl_object = transport.get_extra_info("ssl_object")
        host = self.tls.host(ssl_object) if self.tls else ""
        self._certificates = certificates_of(ssl_object)
        self.caller = replace(self.caller, host=host or self.caller.host)
        self._timer = asyncio.get_running_loop().call_at(self.deadline, self._turn_away, TooSlow())
        self.house.begun(self)

    def data_received(self, data: bytes) -> None:
        if self._heard:
            self._surplus += len(data)
            if self._surplus > MAX_SURPLUS or (data.startswith(DISCONNECT) and not self._undecided):
                self.leave()
            return
        self._received += data
        try:
            length = packet_length(self._received)
        except BadPacket as error:
            self._turn_away(error)
            return
        if length is not None and len(self._received) >= length:
            self._arrived(self._received[:length])

    def eof_received(self) -> bool:
        """A client that has said all it had to say may still read its answer (not over TLS, which knows no half of an end)."""
        self._finished = True
        return self._undecided and self.tls is None

    def connection_lost(self, error: Exception | None) -> None:
        self._quiet()
        self.place.leave()
        self.house.over(self)

    def leave(self) -> None:
        self._quiet()
        hang_up(self.transport)

    def _arrived(self, packet: bytes) -> None:
        self._heard = True
        self._quiet()
        self.place.arrived()
        try:
            connect = read_connect(packet)
        except BadPacket as error:
            self._turn_away(error, connack(4, WRONG_VERSION) if isinstance(error, UnknownVersion) else b"")
            return
        if is_registration(connect):
            self._register(packet, connect)
        elif self.house.upstream is None:
            self._turn_away(NoBroker(), connack(connect.level, NOT_AUTHORISED))
        else:
            self.transport.pause_reading()
            self._task = asyncio.get_running_loop().create_task(self._pass_on(self.house.upstream, packet, connect))

    def _register(self, packet: bytes, connect: Connect) -> None:
        try:
            self.house.decide(packet, connect.level, self.caller).add_done_callback(self._answer)
            self._undecided = True
        except TooMany as error:
            self._turn_away(error, connack(connect.level, UNAVAILABLE))

    def _answer(self, decided: "asyncio.Future[bytes]") -> None:
        """CONNACK and PUBLISH go out in one write: a device that must wait for the second between two reads may give up."""
        self._undecided = False
        if self.transport.is_closing():
            return
        answer = b"" if decided.cancelled() or decided.exception() else decided.result()
        self.transport.write(answer)
        if _accepts(answer) and not self._finished:
            self._timer = asyncio.get_running_loop().call_later(LINGER_SECONDS, self.leave)
        else:
            self.leave()

    async def _pass_on(self, upstream: Upstream, packet: bytes, connect: Connect) -> None:
        caller, first = self.caller, packet
        try:
            if self._certificates and not upstream.in_process:
                async with asyncio.timeout(INTRODUCTION_SECONDS):
                    first = await self.house.introduce(packet, connect, self._certificates)
            await splice(
                self.transport,
                first + self._received[len(packet) :],
                upstream,
                peer=Peer(caller.origin, self._certificates),
                to=caller.to,
                peers=self.house.peers,
                ended=lambda: self.connection_lost(None),
            )
        except OSError:  # TimeoutError is one.
            self._turn_away(BrokerAway(), connack(connect.level, UNAVAILABLE))
        except DomainError as error:
            self._turn_away(error, connack(connect.level, UNAVAILABLE))

    def _turn_away(self, error: DomainError, answer: bytes = b"") -> None:
        """Whoever said nothing intelligible gets nothing."""
        if self.transport.is_closing():
            return
        self.house.turn_away(error, self.caller)
        if answer:
            self.transport.write(answer)
        self.leave()

    def _quiet(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _accepts(answer: bytes) -> bool:
    first = first_packet(answer)
    return first is not None and read_connack(first[0]) == ACCEPTED
