"""The broker of `make run` and of the tests: it lives in the registrar's process and asks the same decision as every other broker.

For a laptop and for tests, not for a fleet: one process, nothing survives its end, no sessions, no retained messages, no wills, no
QoS 2 from devices, MQTT 3.1 and 3.1.1 alone. The registrar splices its devices to a port of the loopback interface, where nobody else
is heard; here the CONNECT is read, the decision is asked in a thread, and only who may come in reaches amqtt (amqtt_core.py says why).
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar
from uuid import uuid4

from django.db import close_old_connections

from devices.models import DisconnectOrder
from devices.services import disconnecting, presence
from products.services.brokers import HookedBroker
from registration.mqtt import packets
from registration.mqtt.packets import Connect
from registration.mqtt.wire import BadPacket
from registration.protocols import native_mqtt
from registration.protocols.base import Malformed
from registration.protocols.connecting import Presented, presented
from registration.servers.amqtt_core import LISTENER, Core, GateReader, GateWriter, is_of_amqtt
from registration.servers.splice import Peer, Peers, Upstream
from registration.services import broker_auth, departure_log, disconnects

log = logging.getLogger(__name__)
T = TypeVar("T")

CONNECT_SECONDS = 10.0
CLIENTS_AT_MOST = 1000
END_SECONDS = 5.0
LOOPBACK = "127.0.0.1"
LOOK_EVERY_SECONDS = 0.25
NEWEST_LEVEL = 4
"""MQTT 3.1.1; a device of MQTT 5 is told that its version is not spoken here."""
REFUSED_WITH = {"unavailable": packets.UNAVAILABLE, "internal": packets.UNAVAILABLE}
NOISY = ("amqtt", "transitions")
"""Libraries that write a line for every step of every client; what matters stands in the device log."""


@dataclass(eq=False, slots=True)
class Client:
    """A device that was let in. `since`: when it was decided, as its connection is recorded. `session`: our name for this connection."""

    client_id: str
    username: str
    address: str
    since: datetime
    reader: GateReader
    writer: asyncio.StreamWriter
    session: str = field(default_factory=lambda: uuid4().hex)
    reason: str = ""
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def end(self, reason: str) -> None:
        """At once, without sending what waits; returns when it is no client any more. `reason`: "kicked" or "takenover"."""
        self.reason = self.reason or reason
        self.writer.transport.abort()
        self.reader.ended.set()
        await self.gone.wait()


class Embedded:
    """One for each process. `executor` runs what waits for the database."""

    def __init__(self, broker: HookedBroker, *, peers: Peers, executor: Executor) -> None:
        """`peers`: whose the registrar's connections to us are."""
        self.broker = broker
        self._peers = peers
        self._executor = executor
        self._clients: dict[str, Client] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> Upstream:
        """Where it is to be found. Whoever was connected when an earlier process ended is not any more."""
        for name in NOISY:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        asyncio.get_running_loop().set_exception_handler(_tell_failure)
        await self._in_thread(self._forget_the_past)
        self._core = Core(self._may)
        await self._core.start()
        self._server = await asyncio.start_server(self._connected, LOOPBACK, 0)
        self._spawn(self._carry_out_orders())
        return Upstream(LOOPBACK, self._server.sockets[0].getsockname()[1], in_process=True)

    async def stop(self) -> None:
        """Ends every connection; what is to be recorded of it has been handed to the recorder then."""
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._core.shutdown()

    async def cut(self, client_id: str, since: datetime) -> bool:
        """Ends the connection of this MQTT client id that was decided then or before. False: there is none."""
        client = self._clients.get(client_id)
        if client is None or client.since > since:
            return False
        await client.end("kicked")
        return True

    # -- One connection ------------------------------------------------------------------------------------------------------------

    def _connected(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._spawn(self._serve(stream, writer))

    async def _serve(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            connect = await _read_connect(stream)
            peer = self._peers.peer(*writer.get_extra_info("peername")[:2])
            if peer is None:
                return  # Somebody on this machine who goes round the registrar.
            address, at = peer.origin.address, _now()
            code, username = await self._decide(connect, peer, at)
            if code == packets.ACCEPTED:
                await self._let_in(replace(connect, username=username), stream, writer, address, at)
            else:
                writer.write(packets.connack(connect.level, code))
        except (BadPacket, OSError, EOFError, TimeoutError):
            pass  # It cost a socket for some seconds.
        except Exception:
            log.exception("A connection to the embedded broker ended unexpectedly.")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _decide(self, connect: Connect, peer: Peer, at: datetime) -> tuple[int, str]:
        """The CONNACK's code in MQTT 3.1.1's numbers, and the user name under which the client's topics are looked at: its own, or the
        native one of the device whose certificate it presented without a name."""
        username = connect.username or ""
        if connect.level > NEWEST_LEVEL:
            return packets.WRONG_VERSION, username
        if not connect.client_id:
            return packets.WRONG_CLIENT_ID, username
        if len(self._clients) >= CLIENTS_AT_MOST:
            return packets.UNAVAILABLE, username
        try:
            credential = presented(connect, peer.certificates)
        except Malformed:
            credential = Presented(connect.client_id, username, "")  # Of no form: the log says what is missing.
        address = peer.origin.address
        verdict = await self._in_thread(lambda: broker_auth.connect(broker=self.broker, presented=credential, address=address, at=at))
        if not verdict.allowed:
            return REFUSED_WITH.get(verdict.code, packets.WRONG_CREDENTIALS), username
        return packets.ACCEPTED, username or native_mqtt.username_of(verdict.product_key, verdict.device_name)

    async def _let_in(
        self, connect: Connect, stream: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str, at: datetime
    ) -> None:
        while older := self._clients.get(connect.client_id):
            await older.end("takenover")
        # As amqtt shall see it: a clean session of MQTT 3.1.1, no will, no password; the reader watches the keepalive.
        first = packets.connect(Connect(NEWEST_LEVEL, connect.client_id, connect.username, None, clean=True, keepalive=0))
        reader = GateReader(stream, first=first, keepalive=connect.keepalive, busy=self._core.is_busy)
        client = Client(connect.client_id, connect.username or "", address, at, reader, writer)
        self._clients[client.client_id] = client
        try:
            await self._in_thread(lambda: self._tell_arrival(client))
            await self._exchange(client)
        finally:
            writer.transport.abort()
            del self._clients[client.client_id]
            client.gone.set()
            await self._in_thread(lambda: self._tell_departure(client))

    async def _exchange(self, client: Client) -> None:
        """amqtt may overlook that a client that leaves at once is gone: whatever it does, some seconds after the end it is over."""
        serving = asyncio.create_task(self._core.external_connected(client.reader, GateWriter(client.writer, client.address), LISTENER))
        serving.add_done_callback(lambda _done: client.reader.ended.set())
        try:
            await client.reader.ended.wait()
            await asyncio.wait([serving], timeout=END_SECONDS)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            await self._core.forget(client.client_id)

    def _may(self, username: str, client_id: str, action: Literal["publish", "subscribe"], topic: str) -> bool:
        return broker_auth.authorize(broker=self.broker, username=username, client_id=client_id, action=action, topic=topic)

    def _tell_arrival(self, client: Client) -> None:
        broker_auth.connected(
            broker=self.broker, mqtt_client_id=client.client_id, session=client.session, address=client.address, at=client.since
        )

    def _tell_departure(self, client: Client) -> None:
        broker_auth.disconnected(
            broker=self.broker,
            mqtt_client_id=client.client_id,
            session=client.session,
            began_at=client.since,
            at=_now(),
            reason=client.reason,
        )

    # -- Orders to cut -------------------------------------------------------------------------------------------------------------

    async def _carry_out_orders(self) -> None:
        while True:
            try:
                for order in await self._in_thread(lambda: disconnecting.orders_due(self.broker.data_center, self.broker.id, _now())):
                    await self._carry_out(order)
            except Exception:
                log.exception("The orders to cut clients off could not be carried out; they are tried again.")
                await asyncio.sleep(1)
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def _carry_out(self, order: DisconnectOrder) -> None:
        """A client that is not here may be between its decision and its first packet: then it is looked for again."""
        at = _now()
        dropped = await self.cut(order.mqtt_client_id, order.connected_at)
        await self._in_thread(lambda: disconnects.settle(order, dropped=dropped, at=at))

    def _forget_the_past(self) -> None:
        center = self.broker.data_center
        for lost in presence.all_lost(center, self.broker.id, at=_now()):
            departure_log.write(lost, database=center.database)

    # -- Threads and tasks ---------------------------------------------------------------------------------------------------------

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, _with_own_connections, work)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _read_connect(stream: asyncio.StreamReader) -> Connect:
    async with asyncio.timeout(CONNECT_SECONDS):
        packet = await stream.readexactly(2)
        while (length := packets.packet_length(packet)) is None:
            packet += await stream.readexactly(1)
        return packets.read_connect(packet + await stream.readexactly(length - len(packet)))


def _tell_failure(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Of all that fails unseen in the loop, what a device can cause at will is not told: it would fill the log."""
    if not is_of_amqtt(context.get("future")):
        loop.default_exception_handler(context)


def _with_own_connections(work: Callable[[], T]) -> T:
    """Database connections that broke are not used again."""
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()


def _now() -> datetime:
    return datetime.now(UTC)
