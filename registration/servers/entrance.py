"""A listening socket: each connection is counted before anything is read of it, then its PROXY header, then TLS, then the visit."""

import asyncio
import logging
import socket
import ssl
from dataclasses import dataclass
from typing import Final

from console.errors import DomainError
from console.shared.addresses import is_trusted, split_bind
from registration.servers import handshakes, proxy_header
from registration.servers.bounds import Bounds, Place
from registration.servers.proxy_header import FIXED_LENGTH, MAX_V1, SIGNATURE, BadHeader, Origin
from registration.servers.tls import ServerTls
from registration.servers.visit import Caller, House, Visit
from registration.services.turned_away import TooMany, TooSlow, UntrustedProxy

log = logging.getLogger(__name__)

BACKLOG: Final = 1024
ACCEPTED_AT_ONCE: Final = 64
REST_SECONDS: Final = 0.5
"""How long nobody is let in after the system had no room for one more (file descriptors)."""
TLS_END_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Listener:
    """`bind`: address and port; `proxies`: the trusted ones, if a PROXY header is expected here, else None."""

    bind: str
    tls: ServerTls | None = None
    proxies: tuple[str, ...] | None = None


class Entrance:
    def __init__(self, listener: Listener, *, house: House, bounds: Bounds, read_seconds: float) -> None:
        self.listener = listener
        self.house = house
        self.bounds = bounds
        self.read_seconds = read_seconds
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Raises OSError and ValueError for an address that cannot be served."""
        address = split_bind(self.listener.bind)
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        both = address[0] == "::" and socket.has_dualstack_ipv6()
        self.socket = socket.create_server(address, family=family, backlog=BACKLOG, dualstack_ipv6=both)
        self.socket.setblocking(False)
        asyncio.get_running_loop().add_reader(self.socket, self._accept)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.socket)
        self.socket.close()
        for task in self._tasks:
            task.cancel()

    def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                connection, peer = self.socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                log.exception("The MQTT listener %s cannot take another connection.", self.listener.bind)
                loop.remove_reader(self.socket)
                loop.call_later(REST_SECONDS, self._go_on)
                return
            self._receive(connection, Origin(*_plain(peer)))

    def _go_on(self) -> None:
        if self.socket.fileno() >= 0:
            asyncio.get_running_loop().add_reader(self.socket, self._accept)

    def _receive(self, connection: socket.socket, origin: Origin) -> None:
        connection.setblocking(False)
        place = self.bounds.place()
        if place is None:
            connection.close()
            self.house.turn_away(TooMany(), Caller(origin, ("", 0)))
            return
        task = asyncio.get_running_loop().create_task(self._let_in(connection, origin, place))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _let_in(self, connection: socket.socket, origin: Origin, place: Place) -> None:
        """Until a visit begins, the place is ours to give back."""
        caller = Caller(origin, ("", 0))
        begun = False
        try:
            caller = Caller(origin, _plain(connection.getsockname()))
            deadline = asyncio.get_running_loop().time() + self.read_seconds
            async with asyncio.timeout_at(deadline):
                caller = await self._announced(connection, caller)
            if not place.wait(caller.origin.address):
                raise TooMany
            await self._begin(connection, caller, place, deadline)
            begun = True
        except TimeoutError:
            self.house.turn_away(TooSlow(), caller)
        except DomainError as error:
            self.house.turn_away(error, caller)
        except ssl.SSLError as error:
            self.house.turn_away(handshakes.refusal(error), caller)
        except (OSError, EOFError):
            pass  # It went away before it said anything: a health check, a port scan.
        finally:
            if not begun:
                place.leave()
                connection.close()

    async def _announced(self, connection: socket.socket, caller: Caller) -> Caller:
        """The caller as a trusted proxy names it. Raises UntrustedProxy, BadHeader, EOFError, OSError."""
        if self.listener.proxies is None:
            return caller
        if not is_trusted(caller.origin.address, self.listener.proxies):
            raise UntrustedProxy
        told = await _read_header(connection)
        return Caller(told if told.address else caller.origin, caller.to, told.authority)

    async def _begin(self, connection: socket.socket, caller: Caller, place: Place, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        tls = self.listener.tls

        def visit() -> Visit:
            return Visit(self.house, place, caller, deadline, tls)

        if tls is None:
            await loop.connect_accepted_socket(visit, connection)
            return
        try:
            await loop.connect_accepted_socket(
                visit,
                connection,
                ssl=tls.context,
                ssl_handshake_timeout=max(0.1, deadline - loop.time()),
                ssl_shutdown_timeout=TLS_END_SECONDS,
            )
        except ConnectionAbortedError:  # How the loop says that the handshake took too long.
            raise TooSlow from None


async def _read_header(connection: socket.socket) -> Origin:
    """Not one byte more than the header: what follows may be TLS. Raises BadHeader, EOFError, OSError."""
    start = await _exactly(connection, len(SIGNATURE))
    if start == SIGNATURE:
        fixed = start + await _exactly(connection, FIXED_LENGTH - len(start))
        return proxy_header.read_v2(fixed, await _exactly(connection, proxy_header.rest_of_v2(fixed)))
    if not start.startswith(b"PROXY "):
        raise BadHeader
    while not start.endswith(b"\r\n"):
        if len(start) >= MAX_V1:
            raise BadHeader
        start += await _exactly(connection, 1)
    return proxy_header.read_v1(start)


async def _exactly(connection: socket.socket, count: int) -> bytes:
    loop = asyncio.get_running_loop()
    received = b""
    while len(received) < count:
        piece = await loop.sock_recv(connection, count - len(received))
        if not piece:
            raise EOFError
        received += piece
    return received


def _plain(address: object) -> tuple[str, int]:
    """Address and port, without what IPv6 adds; an IPv4 address in IPv6's clothes as itself."""
    if not isinstance(address, tuple):
        return "", 0
    return str(address[0]).removeprefix("::ffff:"), int(address[1])
