"""The middle of the embedded broker: amqtt's subscriptions and message flows, behind a gate, without its listeners and sessions.

amqtt 0.12 alone will not do for strangers: before it asks who somebody is, it deletes or overwrites the session of the client id that
they name; a dead client stays connected, since the keepalive's end does nothing; lengths inside a packet are believed, up to 256 MB; a
last will is published under any topic; and `$` topics, which Tencent's devices need, end the connection. So the gate (embedded.py)
decides first and hands over whole packets alone, and this module replaces what is left.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import amqtt
from amqtt.adapters import ReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import Action

from registration.mqtt import frames
from registration.mqtt.wire import BadPacket, whole_length

LISTENER = "default"
_HOME = str(Path(amqtt.__file__).parent)
MESSAGE_AT_MOST = 256 * 1024
"""Bytes of a packet; Alibaba's platform takes 256 KB."""

WAITING_AT_MOST = 1000
"""Messages on their way through the broker; who sends more waits."""

WRITE_SECONDS = 10.0
LATE = 1.5
"""A client is gone when it was silent for this many keepalives (MQTT 3.1.1, 3.1.2.10)."""

Authorize = Callable[[str, str, Literal["publish", "subscribe"], str], bool]
"""(username, client id, "publish" or "subscribe", topic) -> whether it may."""


class Core(Broker):  # type: ignore[misc]  # (amqtt has no types)
    """amqtt, reachable through `external_connected` alone: it opens no port."""

    def __init__(self, authorize: Authorize) -> None:
        super().__init__({"listeners": {LISTENER: {"type": "external"}}, "plugins": {}})
        self.authorize = authorize

    def is_busy(self) -> bool:
        """amqtt itself looks at what is done only when the next message comes."""
        while self._tasks_queue and self._tasks_queue[0].done():
            task = self._tasks_queue.popleft()
            task.cancelled() or task.exception()
        return bool(self._broadcast_queue.qsize() + len(self._tasks_queue) > WAITING_AT_MOST)

    async def forget(self, client_id: str) -> None:
        await self._delete_session(client_id)

    async def _authenticate(self, session: Any, listener: Any) -> bool:
        return True  # The gate has asked.

    async def _topic_filtering(self, session: Any, topic: str, action: Any) -> bool:
        """Without an await, so that nobody subscribes while amqtt walks over the subscriptions."""
        wanted: Literal["publish", "subscribe"] = "publish" if action == Action.PUBLISH else "subscribe"
        return self.authorize(session.username or "", session.client_id or "", wanted, topic)

    async def _handle_message_delivery(self, client_session: Any, handler: Any, wait_deliver: Any) -> bool:
        message = wait_deliver.result()
        if message is not None and await self._topic_filtering(client_session, message.topic, Action.PUBLISH):
            await self._broadcast_message(client_session, message.topic, message.data)
        return True

    async def retain_message(self, source_session: Any, topic_name: Any, data: Any, qos: Any = None) -> None:
        """Nothing is retained: memory would grow with every topic that a device thinks of."""


class GateReader(ReaderAdapter):  # type: ignore[misc]
    """Gives amqtt the packets of one client, each checked. `keepalive` in seconds, 0: none. `ended` is set when no more will come."""

    def __init__(self, stream: asyncio.StreamReader, *, first: bytes, keepalive: int, busy: Callable[[], bool]) -> None:
        """`first`: the CONNECT as amqtt shall see it."""
        self.ended = asyncio.Event()
        self._stream = stream
        self._silence = keepalive * LATE or None
        self._busy = busy
        self._packet = first
        self._at = 0

    async def read(self, n: int = -1) -> bytes:
        """`n` bytes of the packet that is being read, or of the next one. Raises IncompleteReadError at the end of all."""
        if n and self._at == len(self._packet):
            await self._next()
        part = self._packet[self._at : self._at + n]
        if len(part) != n:
            self._end()
        self._at += n
        return part

    def feed_eof(self) -> None:
        self._stream.feed_eof()

    async def _next(self) -> None:
        await asyncio.sleep(0)  # One that sends without a pause leaves the others their turn.
        try:
            async with asyncio.timeout(self._silence):
                self._packet = await _packet(self._stream)
        except (OSError, EOFError, BadPacket):
            self._end()
        while self._packet[0] >> 4 == frames.PUBLISH and self._busy():
            await asyncio.sleep(0.01)  # amqtt says nowhere when a message is through.
            if self.ended.is_set():
                self._end()
        self._at = 0

    def _end(self) -> None:
        self.ended.set()
        raise asyncio.IncompleteReadError(b"", None)


class GateWriter(StreamWriterAdapter):  # type: ignore[misc]
    """Writes to one client, who is let go if they do not read."""

    def __init__(self, writer: asyncio.StreamWriter, address: str) -> None:
        super().__init__(writer)
        self.is_closed = False
        self._address = address

    def get_peer_info(self) -> tuple[str, int]:
        return self._address, 0

    def write(self, data: bytes) -> None:
        if not self.is_closed and not self._writer.transport.is_closing():
            self._writer.write(data)

    async def drain(self) -> None:
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await self._writer.drain()
        except OSError:  # TimeoutError is one.
            self._writer.transport.abort()

    async def close(self) -> None:
        """What was written is sent first, within the writer's seconds."""
        if self.is_closed:
            return
        self.is_closed = True
        self._writer.close()
        with contextlib.suppress(OSError):
            async with asyncio.timeout(WRITE_SECONDS):
                await self._writer.wait_closed()


def is_of_amqtt(task: object) -> bool:
    """Whether what failed is one of its own tasks: it starts one for every packet and never looks at it again."""
    coroutine = task.get_coro() if isinstance(task, asyncio.Task) else None
    code = getattr(coroutine, "cr_code", None)
    return code is not None and code.co_filename.startswith(_HOME)


async def _packet(stream: asyncio.StreamReader) -> bytes:
    """The next packet, whole. Raises BadPacket, or IncompleteReadError at the end."""
    packet = await stream.readexactly(2)
    while (length := whole_length(packet, MESSAGE_AT_MOST)) is None:
        packet += await stream.readexactly(1)
    packet += await stream.readexactly(length - len(packet))
    frames.check(packet)
    return packet
