"""RabbitMQ's management plugin: its connections and their end.

Source: the plugin's HTTP API page, and version 3.10.8 as Debian packages it, tried. Two ways lead to a connection there: through the
statistics, which show a new one after up to five seconds, and past them (`disable_stats=true`), which knows it at once but not its MQTT
client id. So a connection is ended by the name that the broker's event told (`session`), past the statistics; the client id is looked
for in the statistics where no name is known.
"""

import contextlib
import ipaddress
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from products.services.brokers import BrokerAccess
from registration.brokers.base import BrokerUnreachable, Client
from registration.brokers.web import Web, encoded

_COLUMNS: Final = "name,user,connected_at,client_properties.client_id,variable_map.client_id"


class RabbitMQ:
    lists_clients = True
    shows_after = timedelta(seconds=6)

    def __init__(self, access: BrokerAccess) -> None:
        self._web = Web(access.management_url, access.management_user, access.management_secret)
        self._vhost = access.vhost

    def drop(self, mqtt_client_id: str, session: str) -> bool:
        names = [session] if session else [client.session for client in self.clients() if client.mqtt_client_id == mqtt_client_id]
        ended = [self._end(name) for name in names]
        return any(ended)

    def clients(self) -> Sequence[Client]:
        answer = self._web.ask("GET", f"/api/vhosts/{encoded(self._vhost)}/connections?columns={_COLUMNS}")
        if answer.status != 200:
            raise self._web.unexpected(answer)
        listed = answer.json()
        if not isinstance(listed, list):
            raise BrokerUnreachable("The broker's list of connections is not a list.")
        return list(_clients(listed))

    def check(self) -> None:
        answer = self._web.ask("GET", "/api/whoami")
        if answer.status != 200:
            raise self._web.unexpected(answer)

    def _end(self, name: str) -> bool:
        answer = self._web.ask("DELETE", f"/api/connections/{encoded(name)}?disable_stats=true")
        if answer.status in {204, 404}:
            return answer.status == 204
        raise self._web.unexpected(answer)


def _clients(listed: list[Any]) -> Iterator[Client]:
    """Those that speak MQTT; where statistics are switched off, every connection, by its name alone.

    A connection's own properties hold the client id, or the variables of its authorisation do.
    """
    for one in listed:
        if not isinstance(one, dict):
            continue
        mqtt_client_id = _client_id(one.get("variable_map")) or _client_id(one.get("client_properties"))
        name, user = one.get("name"), one.get("user")
        if isinstance(name, str) and (mqtt_client_id or "connected_at" not in one):
            username = user if isinstance(user, str) else ""
            yield Client(mqtt_client_id, name, moment(one.get("connected_at")), username, address_in(name))


def _client_id(facts: object) -> str:
    found = facts.get("client_id") if isinstance(facts, dict) else None
    return found if isinstance(found, str) else ""


def moment(milliseconds: object) -> datetime | None:
    """RabbitMQ's times are milliseconds since 1970."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if isinstance(milliseconds, int) else None


def address_in(session: str) -> str | None:
    """Of "192.0.2.7:40123 -> 198.51.100.1:1883", with IPv6 in brackets."""
    host = session.partition(" -> ")[0].rpartition(":")[0].strip("[]")
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(host)
        return str(getattr(address, "ipv4_mapped", None) or address)
    return None
