"""What RabbitMQ's event exchange says. The headers are those of version 3.10.8, recorded."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registration.brokers.base import BrokerUnreachable
from registration.brokers.rabbitmq import address_in
from registration.brokers.rabbitmq_events import Closed, Events, Opened, client_id_in, read_event

ID = "a1PK.dev:1|securemode=3,signmethod=hmacsha256,timestamp=789|"
CREATED: dict[str, Any] = {
    "client_properties": [],
    "variable_map": f'#{{<<"client_id">> => <<"{ID}">>}}',
    "connected_at": 1795238879696,
    "type": "direct",
    "vhost": "/",
    "user": "dev:1.x&a1PK",
    "peer_host": "{127,0,0,1}",
    "name": "127.0.0.1:36971 -> 127.0.0.1:27570",
    "protocol": "{'MQTT',\"3.1.1\"}",
    "timestamp_in_ms": 1795238879702,
}
CLOSED = {"name": "127.0.0.1:36971 -> 127.0.0.1:27570", "node": "rabbit@a", "timestamp_in_ms": 1795238884039}
AT = datetime(2026, 11, 21, 5, 27, 59, 696000, UTC)


def test_a_client_that_comes_is_told_with_its_client_id_and_address() -> None:
    assert read_event("connection.created", CREATED) == Opened("127.0.0.1:36971 -> 127.0.0.1:27570", ID, "127.0.0.1", AT)


def test_a_connection_that_ends_is_told_by_its_name() -> None:
    event = read_event("connection.closed", CLOSED)
    assert isinstance(event, Closed) and event.session == "127.0.0.1:36971 -> 127.0.0.1:27570"


@pytest.mark.parametrize(
    ("key", "headers"),
    [
        ("connection.created", CREATED | {"variable_map": "#{}"}),
        ("connection.created", CREATED | {"variable_map": None}),
        ("connection.created", {}),
        ("connection.closed", CLOSED | {"name": 5}),
        ("channel.created", CREATED),
    ],
)
def test_what_does_not_concern_mqtt_clients_is_passed_over(key: str, headers: dict[str, Any]) -> None:
    assert read_event(key, headers) is None


@pytest.mark.parametrize(
    ("term", "client_id"),
    [
        ('#{<<"client_id">> => <<"a \\"quoted\\" \\\\ one>>">>,<<"x">> => <<"y">>}', 'a "quoted" \\ one>>'),
        ('#{<<"client_id">> => <<228,189,160>>}', "你"),
        ('#{<<"client_id">> => <<"é"/utf8>>}', "é"),
        (['{<<"product">>,longstr,<<"MQTT client">>}', '{<<"client_id">>,longstr,<<"b">>}'], "b"),
        ("", ""),
    ],
)
def test_a_client_id_is_read_as_erlang_prints_it(term: object, client_id: str) -> None:
    assert client_id_in(term) == client_id


@given(st.text())
def test_no_term_whatsoever_breaks_it(term: str) -> None:
    client_id_in(term)
    client_id_in(f'#{{<<"client_id">> => <<{term}>>}}')
    address_in(term)


@pytest.mark.parametrize(
    ("session", "address"),
    [
        ("192.0.2.7:1 -> 198.51.100.1:1883", "192.0.2.7"),
        ("[2001:db8::7]:1 -> [2001:db8::1]:1883", "2001:db8::7"),
        ("[::ffff:192.0.2.7]:1 -> [::1]:1883", "192.0.2.7"),
        ("a name", None),
    ],
)
def test_the_device_s_address_is_read_from_the_connection_s_name(session: str, address: str | None) -> None:
    assert address_in(session) == address


def test_a_broker_that_is_not_there_is_unreachable_and_the_message_has_no_secret() -> None:
    events = Events("amqp://console:the-secret@127.0.0.1:9/")
    with pytest.raises(BrokerUnreachable) as refusal:
        events.open()
    assert "the-secret" not in str(refusal.value)
    events.close()
