"""The MQTT listener: devices register here, and all others are passed on to a broker or turned away. It is no broker itself.

One event loop reads and writes; what asks the database runs in a few threads, each with its own database connections. A client that is
slow, oversized or malformed costs a socket for some seconds and an entry in the device log, within bounds.
"""

import asyncio
import contextlib
import logging
import resource
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from console.errors import DomainError
from console.shared import living_connections
from products.services import authorities, brokers, data_centers
from registration.mqtt.packets import Connect, with_login
from registration.protocols.alibaba_mqtt import AlibabaMqtt
from registration.protocols.base import Request
from registration.servers.bounds import Bounds
from registration.servers.embedded import Embedded
from registration.servers.entrance import Entrance, Listener
from registration.servers.notes import Notes
from registration.servers.splice import Peers, Upstream
from registration.servers.visit import Caller, Visit
from registration.services import certificate_tickets, turned_away
from registration.services.enrolment import register
from registration.services.turned_away import CertificateNotHandedOn, TooMany

log = logging.getLogger(__name__)

WAITING_PER_THREAD: Final = 64
"""Registrations that may wait for a thread: about as many as it answers within the four seconds that a device waits."""
TELL_SECONDS: Final = 60.0
TRUST_SECONDS: Final = 1.0
"""How often the CA certificates are looked at, at most."""
GRACE_SECONDS: Final = 5.0
SPARE_FILES: Final = 200


@dataclass(frozen=True, slots=True)
class Options:
    """`upstream`: where all but registrations go, None for nowhere, "embedded" for the broker in this process."""

    listeners: tuple[Listener, ...]
    upstream: Upstream | str | None = None
    read_seconds: float = 10.0
    connections: int = 4_000
    waiting_per_address: int = 200
    threads: int = 4
    trusted: tuple[str, ...] = ()


class Registrar:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.upstream: Upstream | None = None
        self.peers = Peers()
        self.bounds = Bounds(
            connections=_with_files(options.connections), waiting_per_address=options.waiting_per_address, trusted=options.trusted
        )
        self._threads = ThreadPoolExecutor(options.threads, thread_name_prefix="registrar")
        self._deciding = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._visits: set[Visit] = set()
        self._trusting = True
        self._embedded: Embedded | None = None

    async def run(self, *, ready: Callable[[], None]) -> None:
        """Until SIGTERM or SIGINT; `ready` is called when the ports answer. Raises OSError or ValueError for one that cannot be served."""
        loop = asyncio.get_running_loop()
        self._notes = Notes(self._write_note, loop.time)
        await self._open_upstream()
        await self._trust()
        entrances = [
            Entrance(one, house=self, bounds=self.bounds, read_seconds=self.options.read_seconds) for one in self.options.listeners
        ]
        for entrance in entrances:
            entrance.open()
        asked = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, asked.set)
        ready()
        regular = [loop.create_task(self._tell()), loop.create_task(self._keep_trust())]
        await asked.wait()
        for task in regular:
            task.cancel()
        await self._end(entrances)

    def decide(self, packet: bytes, level: int, caller: Caller) -> asyncio.Future[bytes]:
        return self._in_thread(lambda: _registered(packet, level, caller))

    async def introduce(self, packet: bytes, connect: Connect, certificates: tuple[bytes, ...]) -> bytes:
        return await self._in_thread(lambda: _with_ticket(packet, connect, certificates))

    def turn_away(self, error: DomainError, caller: Caller) -> None:
        self._notes.note(error, caller.host, caller.origin.address)

    def begun(self, visit: Visit) -> None:
        self._visits.add(visit)

    def over(self, visit: Visit) -> None:
        self._visits.discard(visit)

    def _in_thread(self, work: Callable[[], bytes]) -> asyncio.Future[bytes]:
        if self._deciding >= self.options.threads * WAITING_PER_THREAD:
            raise TooMany("More registrations are waiting than can be answered in time.")
        self._deciding += 1
        self._idle.clear()
        answer = asyncio.get_running_loop().run_in_executor(self._threads, work)
        answer.add_done_callback(self._decided)
        return answer

    def _decided(self, answer: asyncio.Future[bytes]) -> None:
        self._deciding -= 1
        if not self._deciding:
            self._idle.set()
        error = None if answer.cancelled() else answer.exception()
        if error is not None and not isinstance(error, DomainError):
            log.error("An MQTT registration could not be decided.", exc_info=error)

    def _write_note(self, error: DomainError, host: str, address: str, left_out: int) -> None:
        with contextlib.suppress(RuntimeError):  # The threads have ended; so does everything.
            self._threads.submit(_noted, error, host, address, left_out)

    async def _open_upstream(self) -> None:
        if not isinstance(self.options.upstream, str):
            self.upstream = self.options.upstream
            return
        loop = asyncio.get_running_loop()
        broker = await loop.run_in_executor(self._threads, lambda: brokers.embedded(data_centers.serving("")))
        self._embedded = Embedded(broker, peers=self.peers, executor=self._threads)
        self.upstream = await self._embedded.start()

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(TELL_SECONDS)
            self._notes.tell()

    async def _keep_trust(self) -> None:
        while True:
            await asyncio.sleep(max(TRUST_SECONDS, settings.NAMEPLATE_PRODUCT_CACHE_SECONDS))
            await self._trust()

    async def _trust(self) -> None:
        """The listeners ask for certificates of the CAs that are on file now. What goes wrong is told once, and tried again."""
        wanted = [one.tls for one in self.options.listeners if one.tls is not None]
        if not wanted:
            return
        try:
            authorities = await asyncio.get_running_loop().run_in_executor(self._threads, _authorities)
            for tls in wanted:
                tls.trust(authorities)
            self._trusting = True
        except (DatabaseError, InterfaceError, OSError) as error:  # ssl.SSLError is an OSError.
            if self._trusting:
                log.warning("The CA certificates of devices could not be loaded; the listeners keep those that they have: %s", error)
            self._trusting = False

    async def _end(self, entrances: list[Entrance]) -> None:
        """Nobody comes in any more; who is being decided about gets its answer."""
        for entrance in entrances:
            entrance.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await self._idle.wait()
        for visit in list(self._visits):
            visit.leave()
        if self._embedded is not None:
            await self._embedded.stop()
        await asyncio.sleep(0)
        self._notes.tell()
        self._threads.shutdown(wait=self._deciding == 0, cancel_futures=True)


def _registered(packet: bytes, level: int, caller: Caller) -> bytes:
    """In a thread, whose database connections that broke are not used again."""
    living_connections.look_after()
    request = Request("CONNECT", "", caller.host, {}, packet)
    return register(protocol=AlibabaMqtt(level), request=request, peer_address=caller.origin.address, at=timezone.now()).body


def _with_ticket(packet: bytes, connect: Connect, certificates: tuple[bytes, ...]) -> bytes:
    """Raises Unavailable."""
    living_connections.look_after()
    try:
        login = certificate_tickets.issue(
            username=connect.username or "", password=connect.password or b"", certificates=certificates, at=timezone.now()
        )
    except (DatabaseError, InterfaceError) as error:
        log.warning("A device's certificate could not be handed on to the broker, the database did not answer: %s", error)
        raise CertificateNotHandedOn from error
    return with_login(packet, login.username, login.password)


def _authorities() -> tuple[bytes, ...]:
    living_connections.look_after()
    return authorities.certificates_on_file()


def _noted(error: DomainError, host: str, address: str, left_out: int) -> None:
    living_connections.look_after()
    turned_away.note(error=error, host=host, address=address, left_out=left_out, at=timezone.now())


def _with_files(connections: int) -> int:
    """So many connections as there are file descriptors for, of which the system's soft limit is raised as far as it goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * connections + SPARE_FILES
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if limit > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    possible = max(1, (max(limit, soft) - SPARE_FILES) // 2)
    if possible < connections:
        log.warning("There are file descriptors for %d MQTT connections only, not for %d (ulimit -n).", possible, connections)
    return min(connections, possible)
