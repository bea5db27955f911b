"""Who comes to RabbitMQ and who leaves, from its event exchange (plugin rabbitmq_event_exchange) over AMQP.

Source: the plugin's page, and version 3.10.8, tried. `connection.created` has the connection's name, when it began, and in `variable_map`
the MQTT client id, as Erlang prints a term; `connection.closed` has the name alone.
"""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from kombu.connection import Connection

from console.words import say
from registration.brokers.base import BrokerUnreachable
from registration.brokers.rabbitmq import address_in, moment

EXCHANGE: Final = "amq.rabbitmq.event"
CONNECT_SECONDS: Final = 5
HEARTBEAT_SECONDS: Final = 10
WAITING_AT_MOST: Final = 200_000
"""Events that the broker keeps for us; beyond it forgets the oldest, and the next reconciliation finds what they said."""

_CLIENT_ID: Final = re.compile(r'<<"client_id">>(?: ?=> ?|,longstr,)<<(?:"((?:[^"\\]|\\.)*)"(?:/utf8)?|([\d,]*))>>', re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", "v": "\v", "b": "\b", "f": "\f", "e": "\x1b", "d": "\x7f", "s": " "}


@dataclass(frozen=True, slots=True)
class Opened:
    """A client came in. `session`: the connection's name; `address`: the device's, None where the name does not tell it."""

    session: str
    mqtt_client_id: str
    address: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    """A connection of any protocol ended; who it was is known from its `Opened`."""

    session: str
    at: datetime


Event = Opened | Closed


def read_event(routing_key: str, headers: Mapping[str, Any]) -> Event | None:
    """None for what does not concern MQTT clients."""
    session, at = headers.get("name"), moment(headers.get("timestamp_in_ms"))
    if not isinstance(session, str) or at is None:
        return None
    if routing_key == "connection.closed":
        return Closed(session, at)
    mqtt_client_id = client_id_in(headers.get("variable_map")) or client_id_in(headers.get("client_properties"))
    if routing_key != "connection.created" or not mqtt_client_id:
        return None
    return Opened(session, mqtt_client_id, address_in(session), moment(headers.get("connected_at")) or at)


def client_id_in(term: object) -> str:
    """The client id in what Erlang printed: `#{<<"client_id">> => <<"a">>}`, or a list of `{<<"client_id">>,longstr,<<"a">>}`."""
    text = " ".join(str(one) for one in term) if isinstance(term, list) else str(term)
    found = _CLIENT_ID.search(text)
    if found is None:
        return ""
    if found[1] is not None:
        return _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[1]), found[1])
    return bytes(int(number) & 255 for number in found[2].split(",") if number).decode("utf-8", "replace")


class Events:
    """A subscription of our own, which the broker forgets when we go."""

    def __init__(self, url: str) -> None:
        """`url`: amqp://user:secret@host:port/vhost, with the virtual host that has the event exchange."""
        # Untyped: what we use of it is told in kombu's documentation alone.
        self._connection: Any = cast("Any", Connection)(url, connect_timeout=CONNECT_SECONDS, heartbeat=HEARTBEAT_SECONDS)
        self._waiting: list[Event] = []

    def open(self) -> None:
        """Everything that happens from now on is told. Raises BrokerUnreachable."""
        try:
            self._connection.connect()
            channel = self._connection.channel()
            queue = channel.queue_declare("", exclusive=True, auto_delete=True, arguments={"x-max-length": WAITING_AT_MOST}).queue
            for key in ("connection.created", "connection.closed"):
                channel.queue_bind(queue, EXCHANGE, key)
            channel.basic_consume(queue, no_ack=True, callback=self._take)
        except self._errors() as error:
            raise BrokerUnreachable(say("The broker's events cannot be had: {reason}.", reason=_words(error))) from error

    def wait(self, seconds: float) -> list[Event]:
        """What was told, after at most so many seconds. Raises BrokerUnreachable."""
        try:
            with contextlib.suppress(TimeoutError):
                self._connection.drain_events(timeout=seconds)
                while len(self._waiting) < 500:
                    self._connection.drain_events(timeout=0.001)
            self._connection.heartbeat_check()
        except self._errors() as error:
            raise BrokerUnreachable(say("The broker's events ended: {reason}.", reason=_words(error))) from error
        told, self._waiting = self._waiting, []
        return told

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._connection.collect(socket_timeout=1)

    def _take(self, message: Any) -> None:
        event = read_event(message.delivery_info["routing_key"], message.properties.get("application_headers") or {})
        if event is not None:
            self._waiting.append(event)

    def _errors(self) -> tuple[type[Exception], ...]:
        return (*self._connection.connection_errors, *self._connection.channel_errors, OSError)


def _words(error: Exception) -> str:
    """The first line of what the library says; it never holds the URL."""
    return (str(error).splitlines() or [""])[0][:200].rstrip(".") or type(error).__name__
