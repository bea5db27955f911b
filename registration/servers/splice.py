"""A connection that is passed on to the broker behind us, byte by byte in both directions."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from registration.servers.proxy_header import Origin, write_v2

CONNECT_SECONDS: Final = 5.0
ABORT_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Upstream:
    """The broker behind us. `proxy_header`: whether it wants to be told for whom we speak (PROXY protocol v2). `in_process`: it reads
    from our Peers what we know of a device, its certificate too; another one is handed a ticket for that."""

    host: str
    port: int
    proxy_header: bool = False
    in_process: bool = False


@dataclass(frozen=True, slots=True)
class Peer:
    """Whose a spliced connection is. `certificates`: what the device proved itself with, as DER, its own first; empty without one."""

    origin: Origin
    certificates: tuple[bytes, ...] = ()


class Peers:
    """Whose a spliced connection is: for a broker in this process, which sees only our own end of it."""

    def __init__(self) -> None:
        self._peers: dict[tuple[str, int], Peer] = {}

    def __len__(self) -> int:
        return len(self._peers)

    def peer(self, host: str, port: int) -> Peer | None:
        """`host`, `port`: the address from which the broker sees the connection come."""
        return self._peers.get((host, port))

    def add(self, end: tuple[str, int], peer: Peer) -> None:
        self._peers[end] = peer

    def forget(self, end: tuple[str, int]) -> None:
        self._peers.pop(end, None)


class Side(asyncio.Protocol):
    """One of the two ends. What cannot be written to the other is not read here."""

    def __init__(self, ended: Callable[[], None]) -> None:
        self.ended = ended
        self.transport: asyncio.Transport | None = None
        self.other: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self.other.write(data)

    def pause_writing(self) -> None:
        if self.other is not None and not self.other.is_closing():
            self.other.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and not self.other.is_closing():
            self.other.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if self.other is not None:
            hang_up(self.other)
        self.ended()


async def splice(
    device: asyncio.Transport,
    received: bytes,
    upstream: Upstream,
    *,
    peer: Peer,
    to: tuple[str, int],
    peers: Peers,
    ended: Callable[[], None],
) -> None:
    """Connects the device, whose first bytes are `received`, with the broker. `to`: where it reached us; `ended`: when its own end is gone.

    Raises OSError or TimeoutError, and then nothing was changed; the caller has stopped reading from the device before.
    """
    end: tuple[str, int] = ("", 0)

    def forget() -> None:
        peers.forget(end)

    loop = asyncio.get_running_loop()
    async with asyncio.timeout(CONNECT_SECONDS):
        transport, broker = await loop.create_connection(lambda: Side(forget), upstream.host, upstream.port)
    if device.is_closing():
        transport.abort()
        return
    end = transport.get_extra_info("sockname")[:2]
    peers.add(end, peer)
    own = Side(ended)
    own.connection_made(device)
    own.other, broker.other = transport, device
    device.set_protocol(own)
    transport.write((write_v2(peer.origin, to) if upstream.proxy_header else b"") + received)
    device.resume_reading()


def hang_up(transport: asyncio.Transport) -> None:
    """Closes when everything is written; a peer that does not read is not waited for."""
    transport.close()
    asyncio.get_running_loop().call_later(ABORT_SECONDS, transport.abort)
