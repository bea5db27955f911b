"""RabbitMQ's questions and their traps: what is optional, queues of others, and topics that became routing keys."""

from typing import Any

import pytest
from django.test import Client

from devices.models import Connection
from registration.api.hooks.rabbitmq import mqtt_topic
from registration.models import DeviceLogEntry
from tests.registration.golden_mqtt import CONNECTIONS
from tests.registration.hooking import FORM, Asked, Hooking, broker, connect_question, device_of

pytestmark = pytest.mark.django_db
GOLDEN = next(golden for golden in CONNECTIONS if golden.id == "connect-c4-tls")
CLIENT_ID, USERNAME = GOLDEN.presented.client_id, GOLDEN.presented.username
QUEUE = f"mqtt-subscription-{CLIENT_ID}qos1"


@pytest.fixture
def rabbitmq() -> Hooking:
    return broker("rabbitmq")


def ask(rabbitmq: Hooking, call: str, **fields: str) -> bytes:
    answer = rabbitmq.ask(call, **fields)
    assert answer.status_code == 200, "any other status is an error to RabbitMQ"
    assert answer.headers["Content-Type"].startswith("text/plain")
    return bytes(answer.content)


def test_it_is_asked_by_get_too(rabbitmq: Hooking) -> None:
    device_of(GOLDEN)
    asked = connect_question("rabbitmq", GOLDEN.presented)
    answer = Client().get(f"{rabbitmq.path('user')}?{asked.body.decode()}")
    assert answer.content == b"allow"


@pytest.mark.parametrize("missing", ["password", "vhost", "client_id", "username"])
def test_a_login_needs_all_but_the_virtual_host(rabbitmq: Hooking, missing: str) -> None:
    """A login by certificate has no password, one by AMQP no client id: neither is a device's."""
    device_of(GOLDEN)
    fields = {"username": USERNAME, "password": GOLDEN.presented.password, "vhost": "/", "client_id": CLIENT_ID}
    assert ask(rabbitmq, "user", **{name: text for name, text in fields.items() if name != missing}) == (
        b"allow" if missing == "vhost" else b"deny"
    )


def test_the_virtual_host_is_the_broker_s_own() -> None:
    rabbitmq = broker("rabbitmq", vhost="fleet")
    assert ask(rabbitmq, "vhost", username=USERNAME, vhost="fleet") == b"allow"
    assert ask(rabbitmq, "vhost", username=USERNAME, vhost="/") == b"deny"
    assert ask(rabbitmq, "vhost", username=USERNAME) == b"deny"
    assert ask(rabbitmq, "resource", username=USERNAME, vhost="/", resource="exchange", name="amq.topic", permission="read") == b"deny"
    assert ask(rabbitmq, "vhost", username="administrator", vhost="fleet") == b"deny"


def test_the_virtual_host_s_question_brings_the_address(rabbitmq: Hooking) -> None:
    device_of(GOLDEN)
    rabbitmq.connect(GOLDEN.presented)
    assert Connection.objects.get().address is None
    ask(rabbitmq, "vhost", username=USERNAME, vhost="/", ip="::ffff:198.51.100.23", client_id=CLIENT_ID)
    assert Connection.objects.get().address == "198.51.100.23"


@pytest.mark.parametrize(
    ("facts", "answer"),
    [
        ({}, b"allow"),
        ({"permission": "configure"}, b"allow"),
        ({"permission": "read"}, b"allow"),
        ({"name": QUEUE.replace("qos1", "qos0")}, b"allow"),
        ({"name": f"mqtt-will-{CLIENT_ID}"}, b"allow"),
        ({"name": QUEUE.replace("qos1", "qos2")}, b"deny"),
        ({"name": QUEUE + "qos1"}, b"deny"),
        ({"name": "mqtt-subscription-another|securemode=2|qos1"}, b"deny"),
        ({"name": "orders"}, b"deny"),
        ({"client_id": ""}, b"deny"),
        ({"permission": "delete"}, b"deny"),
        ({"username": "guest"}, b"deny"),
        ({"resource": "exchange", "name": "amq.topic"}, b"allow"),
        ({"resource": "exchange", "name": "amq.topic", "permission": "configure"}, b"deny"),
        ({"resource": "exchange", "name": "amq.direct"}, b"deny"),
        ({"resource": "exchange", "name": ""}, b"deny"),
        ({"resource": "topic", "name": "amq.topic"}, b"deny"),
        ({"resource": ""}, b"deny"),
    ],
)
def test_a_device_has_its_own_queues_and_the_exchange_of_topics(rabbitmq: Hooking, facts: dict[str, str], answer: bytes) -> None:
    asked = {"username": USERNAME, "vhost": "/", "resource": "queue", "name": QUEUE, "permission": "write", "client_id": CLIENT_ID}
    assert ask(rabbitmq, "resource", **asked | facts) == answer


@pytest.mark.parametrize(
    ("permission", "key", "answer"),
    [
        ("write", ".a1ExpAkj9Hi.dev0001.user.update", b"allow"),
        ("read", ".a1ExpAkj9Hi.dev0001.#", b"allow"),
        ("read", ".a1ExpAkj9Hi.dev0001.*.get", b"allow"),
        ("read", ".sys.a1ExpAkj9Hi.dev0001.thing.service.#", b"allow"),
        ("write", ".a1ExpAkj9Hi.dev0001.*.get", b"deny"),
        ("read", ".a1ExpAkj9Hi.*.user.get", b"deny"),
        ("read", ".a1ExpAkj9Hi.#", b"deny"),
        ("read", "#", b"deny"),
        ("read", "", b"deny"),
        ("read", ".a1ExpAkj9Hi.dev0002.user.get", b"deny"),
        ("write", ".a1ExpAkj9Hi.dev00012.user.get", b"deny"),
        ("configure", ".a1ExpAkj9Hi.dev0001.user.get", b"deny"),
    ],
)
def test_a_routing_key_is_a_topic_of_the_device_s_own(rabbitmq: Hooking, permission: str, key: str, answer: bytes) -> None:
    fields = {"username": USERNAME, "vhost": "/", "resource": "topic", "name": "amq.topic", "permission": permission, "routing_key": key}
    assert ask(rabbitmq, "topic", **fields, **{"variable_map.client_id": CLIENT_ID}) == answer
    assert ask(rabbitmq, "topic", **fields | {"name": "amq.direct"}) == b"deny"


@pytest.mark.parametrize(
    ("username", "key", "topic"),
    [
        ("dev0001&PK", ".PK.dev0001.user.a", "/PK/dev0001/user/a"),
        ("de.v-0:1&PK", ".PK.de.v-0:1.user.a", "/PK/de.v-0:1/user/a"),
        ("de.v&PK", ".sys.PK.de.v.#", "/sys/PK/de.v/#"),
        ("de.v&PK", ".PK.de.v", "/PK/de.v"),
        ("PK/de.v", "PK.de.v.*.x", "PK/de.v/+/x"),
        ("de.v&PK", ".PK.de.vx.user", "/PK/de/vx/user"),
        ("de.v&PK", ".PK.other.PK.de.v", "/PK/other/PK/de.v"),
        ("de.v&PK", "", ""),
        ("..&PK", ".PK....user", "/PK/../user"),
    ],
)
def test_dots_of_a_device_name_come_back(username: str, key: str, topic: str) -> None:
    assert mqtt_topic(key, username) == topic


def test_a_topic_within_another_s_names_is_not_its_own(rabbitmq: Hooking) -> None:
    fields = {"username": "de.v&PK", "vhost": "/", "resource": "topic", "name": "amq.topic", "permission": "read"}
    assert ask(rabbitmq, "topic", **fields, routing_key=".PK.other.PK.de.v.get") == b"deny"
    assert ask(rabbitmq, "topic", **fields, routing_key=".PK.de.v.get") == b"allow"


def test_a_field_given_twice_is_refused(rabbitmq: Hooking) -> None:
    device_of(GOLDEN)
    asked = connect_question("rabbitmq", GOLDEN.presented)
    answer: Any = rabbitmq.send(Asked("user", asked.body + b"&username=other", FORM))
    assert answer.content == b"deny"
    assert not DeviceLogEntry.objects.exists()
