"""How clients are dropped. EMQX and VerneMQ are played by a small server that follows their documented answers; RabbitMQ is real in
test_rabbitmq_cuts.py, and here where it misbehaves."""

import json
import socket
from datetime import UTC, datetime

import pytest

from products.services.brokers import BrokerAccess
from registration.brokers import web
from registration.brokers.base import BrokerUnreachable, Client
from registration.brokers.emqx import Emqx
from registration.brokers.rabbitmq import RabbitMQ
from registration.brokers.registry import dropper
from registration.brokers.vernemq import VerneMQ
from registration.brokers.web import Web
from tests.registration.broker_interface import BrokerInterface

ID = "a1ExpAkj9Hi.dev/1|securemode=2,timestamp=1|"
ENCODED = "a1ExpAkj9Hi.dev%2F1%7Csecuremode%3D2%2Ctimestamp%3D1%7C"
LIST = "GET /api/vhosts/%2F/connections?columns=name,user,connected_at,client_properties.client_id,variable_map.client_id"
SECRET = "the-secret-of-the-interface"


def access(kind: str, url: str) -> BrokerAccess:
    return BrokerAccess(kind, url, "console", SECRET, "", "/")


def test_emqx_drops_a_client() -> None:
    with BrokerInterface({f"DELETE /api/v5/clients/{ENCODED}": (204, b"")}) as broker:
        assert Emqx(access("emqx", broker.url)).drop(ID, "")
        assert broker.asked == [(f"DELETE /api/v5/clients/{ENCODED}", f"console:{SECRET}")]


def test_emqx_tells_who_is_not_there_from_a_wrong_url() -> None:
    gone = json.dumps({"code": "CLIENTID_NOT_FOUND", "message": "Client ID not found"}).encode()
    with BrokerInterface({f"DELETE /api/v5/clients/{ENCODED}": (404, gone)}) as broker:
        assert not Emqx(access("emqx", broker.url)).drop(ID, "")
        with pytest.raises(BrokerUnreachable):
            Emqx(access("emqx", f"{broker.url}/wrong")).drop(ID, "")


def test_vernemq_drops_a_client_and_keeps_its_session() -> None:
    asked = f"GET /api/v1/session/disconnect?client-id={ENCODED}"
    with BrokerInterface({asked: (200, b'{"text":"Done","type":"text"}')}) as broker:
        assert VerneMQ(access("vernemq", broker.url)).drop(ID, "")
        assert broker.asked == [(asked, f"{SECRET}:")]
        with pytest.raises(BrokerUnreachable):
            VerneMQ(access("vernemq", broker.url)).drop("another", "")


def test_rabbitmq_ends_the_connection_that_is_meant() -> None:
    name = "[2001:db8::7]:40123 -> [2001:db8::1]:1883"
    path = "DELETE /api/connections/%5B2001%3Adb8%3A%3A7%5D%3A40123%20-%3E%20%5B2001%3Adb8%3A%3A1%5D%3A1883?disable_stats=true"
    with BrokerInterface({path: (204, b"")}) as broker:
        rabbit = RabbitMQ(access("rabbitmq", broker.url))
        assert rabbit.drop(ID, name)
        assert not rabbit.drop(ID, "192.0.2.7:1 -> 198.51.100.1:1883")


def test_rabbitmq_finds_the_client_in_its_list_where_no_name_is_known() -> None:
    listed = [
        {"name": "one", "connected_at": 1795238879696, "client_properties": {"client_id": ID}, "variable_map": {"client_id": ID}},
        {"name": "two", "connected_at": None, "client_properties": {"client_id": "another"}},
        {"name": "an AMQP client", "connected_at": 1795238879696, "client_properties": {"product": "x"}},
        "nonsense",
    ]
    answers = {LIST: (200, json.dumps(listed).encode()), "DELETE /api/connections/one?disable_stats=true": (204, b"")}
    with BrokerInterface(answers) as broker:
        rabbit = RabbitMQ(access("rabbitmq", broker.url))
        assert rabbit.clients() == [Client(ID, "one", datetime(2026, 11, 21, 5, 27, 59, 696000, UTC)), Client("another", "two", None)]
        assert rabbit.drop(ID, "")
        assert not rabbit.drop("nobody", "")


def test_rabbitmq_without_statistics_tells_names_alone() -> None:
    with BrokerInterface({LIST: (200, b'[{"name": "one", "user": "dev&a1PK"}]')}) as broker:
        assert RabbitMQ(access("rabbitmq", broker.url)).clients() == [Client("", "one", None, "dev&a1PK")]


@pytest.mark.parametrize("answer", [(500, b""), (401, b""), (302, b""), (200, b"<html>"), (200, b"{}")])
def test_an_answer_that_no_documentation_promises_is_an_unreachable_broker(answer: tuple[int, bytes]) -> None:
    with BrokerInterface({LIST: answer}) as broker, pytest.raises(BrokerUnreachable) as refusal:
        RabbitMQ(access("rabbitmq", broker.url)).drop(ID, "")
    assert SECRET not in str(refusal.value) and refusal.value.retryable
    assert [what for what, _login in broker.asked] == [LIST], "A redirect was followed"


def test_a_broker_that_is_not_there_or_silent_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(BrokerUnreachable, match="no answer in time"):
            Emqx(access("emqx", url)).drop(ID, "")
    with pytest.raises(BrokerUnreachable, match="connection refused"):
        Emqx(access("emqx", url)).drop(ID, "")


def test_an_answer_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "MAX_ANSWER", 1000)
    with BrokerInterface({"GET /long": (200, b"x" * 1001)}) as broker, pytest.raises(BrokerUnreachable):
        Web(broker.url, "", "").ask("GET", "/long")


def test_only_a_broker_with_an_interface_and_its_address_has_a_dropper() -> None:
    assert isinstance(dropper(access("rabbitmq", "http://127.0.0.1:15672")), RabbitMQ)
    assert dropper(access("rabbitmq", "")) is None
    assert dropper(access("mosquitto", "http://127.0.0.1:1")) is None
