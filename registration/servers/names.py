"""Which MQTT client is behind a connection's name at the broker: told when it opens, needed when it closes or shall be cut off."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from registration.brokers.base import Client, Dropper

LISTED_BY_THEN: Final = timedelta(minutes=1)
REMEMBERED: Final = 1000
"""Connections that we ended, for orders that have not heard of it."""


@dataclass(frozen=True, slots=True)
class Known:
    mqtt_client_id: str
    began_at: datetime | None


class Names:
    """Filled by the broker's events and its list, used by two threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_session: dict[str, Known] = {}
        self._by_client: dict[str, str] = {}
        self._cut: set[str] = set()
        self._ended_by_us: deque[str] = deque(maxlen=REMEMBERED)

    def opened(self, session: str, mqtt_client_id: str, at: datetime | None) -> None:
        with self._lock:
            self._by_session[session] = Known(mqtt_client_id, at)
            self._by_client[mqtt_client_id] = session
            self._cut.discard(session)

    def closed(self, session: str) -> tuple[Known | None, bool]:
        """Who it was, and whether we have cut it off."""
        with self._lock:
            known = self._by_session.pop(session, None)
            if known is not None and self._by_client.get(known.mqtt_client_id) == session:
                del self._by_client[known.mqtt_client_id]
            was_cut = session in self._cut
            if was_cut:
                self._ended_by_us.append(session)
            self._cut.discard(session)
            return known, was_cut

    def session_of(self, mqtt_client_id: str) -> str:
        with self._lock:
            return self._by_client.get(mqtt_client_id, "")

    def cut(self, session: str) -> None:
        """We are about to end it; its `closed` may be told before the broker has answered us."""
        with self._lock:
            if session in self._by_session:
                self._cut.add(session)

    def was_cut(self, session: str) -> bool:
        """Whether it ended after we had asked for it: a broker that hung may do it when we no longer wait for its answer."""
        with self._lock:
            return session in self._ended_by_us

    def listed(self, clients: Sequence[Client], at: datetime) -> None:
        """The broker's list, for those who came or left while nobody listened."""
        sessions = {client.session for client in clients}
        with self._lock:
            known = list(self._by_session.items())
        for session, one in known:
            if session not in sessions and (one.began_at is None or one.began_at < at - LISTED_BY_THEN):
                self.closed(session)
        heard = {session for session, _one in known}
        for client in clients:
            if client.mqtt_client_id and client.session not in heard:
                self.opened(client.session, client.mqtt_client_id, client.connected_at)

    def __len__(self) -> int:
        return len(self._by_session)


class NamingDropper:
    """A dropper that knows from `names` which connection is meant, and says there what it cuts."""

    def __init__(self, inner: Dropper, names: Names) -> None:
        self._inner = inner
        self._names = names

    @property
    def lists_clients(self) -> bool:
        return self._inner.lists_clients

    @property
    def shows_after(self) -> timedelta:
        return self._inner.shows_after

    def drop(self, mqtt_client_id: str, session: str) -> bool:
        session = session or self._names.session_of(mqtt_client_id)
        self._names.cut(session)
        return self._inner.drop(mqtt_client_id, session) or self._names.was_cut(session)

    def clients(self) -> Sequence[Client]:
        clients = self._inner.clients()
        self._names.listed(clients, datetime.now(UTC))
        return clients

    def check(self) -> None:
        self._inner.check()
