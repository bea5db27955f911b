"""mosquitto-go-auth: the numbers of its access, its two forms, and that a no is never a 500. NanoMQ beside it: the status decides."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from devices.models import Connection
from tests.registration.golden_mqtt import CONNECTIONS
from tests.registration.hooking import ADDRESS, FORM, JSON, Asked, Hooking, broker, connect_question, device_of

pytestmark = pytest.mark.django_db
GOLDEN = next(golden for golden in CONNECTIONS if golden.id == "connect-c4-tls")
CLIENT_ID, USERNAME = GOLDEN.presented.client_id, GOLDEN.presented.username
WHO = {"clientid": CLIENT_ID, "username": USERNAME}
OWN, OTHER = "/a1ExpAkj9Hi/dev0001/user/get", "/a1ExpAkj9Hi/dev0002/user/get"
DOWN = "$thing/down/property/a1ExpAkj9Hi/dev0001"


@pytest.fixture
def mosquitto() -> Hooking:
    device_of(GOLDEN)
    return broker("mosquitto")


@pytest.fixture
def nanomq() -> Hooking:
    device_of(GOLDEN)
    return broker("nanomq")


@pytest.mark.parametrize("form", [True, False])
def test_it_asks_in_json_or_as_a_form(mosquitto: Hooking, form: bool) -> None:
    fields = WHO | {"password": GOLDEN.presented.password}
    asked = Asked("user", urlencode(fields).encode(), FORM) if form else Asked("user", json.dumps(fields).encode(), JSON)
    answer: Any = mosquitto.send(asked)
    assert (answer.status_code, answer.content) == (200, b'{"ok":true,"error":""}')


def test_json_may_come_with_get_or_put(mosquitto: Hooking) -> None:
    asked = connect_question("mosquitto", GOLDEN.presented)
    for method in ("GET", "PUT"):
        answer = Client().generic(method, mosquitto.path("user"), asked.body, content_type=JSON)
        assert answer.status_code == 200


def test_nobody_is_a_superuser(mosquitto: Hooking) -> None:
    assert mosquitto.denies(mosquitto.ask("superuser", username=USERNAME))


@pytest.mark.parametrize(
    ("access", "topic", "allowed"),
    [
        (1, OWN, True), (2, OWN, True), (3, OWN, True), (4, OWN, True),
        (1, OTHER, False), (2, OTHER, False), (3, OTHER, False), (4, OTHER, False),
        (1, DOWN, True), (4, DOWN, True), (2, DOWN, False), (3, DOWN, False),
        (0, OWN, False), (5, OWN, False), (8, OWN, False), (17, OWN, False), (-1, OWN, False), ("", OWN, False), ("read", OWN, False),
        (True, OWN, False), (None, OWN, False), ([1], OWN, False), (1.0, OWN, False),
    ],
)  # fmt: skip
def test_each_number_of_access_is_what_it_means(mosquitto: Hooking, access: Any, topic: str, allowed: bool) -> None:
    """1 is a message delivered, 2 one published, 3 both, 4 a subscription."""
    answer = mosquitto.ask("acl", **WHO, topic=topic, acc=access)
    assert mosquitto.allows(answer) == allowed
    assert answer.status_code in (200, 403), "500 would be an error of the backend"
    if not isinstance(access, bool | list | float | None):
        form: Any = mosquitto.send(Asked("acl", urlencode(WHO | {"topic": topic, "acc": access}).encode(), FORM))
        assert mosquitto.allows(form) == allowed


def test_a_device_there_is_seen_and_never_online(mosquitto: Hooking) -> None:
    mosquitto.connect(GOLDEN.presented)
    device = Connection.objects.select_related("device").get().device
    assert device.last_seen_at and device.last_online_at is None


@pytest.mark.parametrize(("access", "topic", "status"), [
    ("1", OWN, 200), ("2", OWN, 200), ("1", OTHER, 403), ("2", OTHER, 403), ("2", DOWN, 403), ("3", OWN, 403), ("", OWN, 403),
])  # fmt: skip
def test_nanomq_asks_with_one_for_subscribe_and_two_for_publish(nanomq: Hooking, access: str, topic: str, status: int) -> None:
    fields = WHO | {"access": access, "topic": topic, "ipaddress": ADDRESS}
    for asked in (Asked("acl", urlencode(fields).encode(), FORM), Asked("acl", json.dumps(fields).encode(), JSON)):
        answer: Any = nanomq.send(asked)
        assert answer.status_code == status
    assert Client().get(f"{nanomq.path('acl')}?{urlencode(fields)}").status_code == status


@pytest.mark.parametrize(
    ("topics", "allowed"),
    [
        (OWN, True),
        (f"{OWN},{DOWN}", True),
        (f"{OWN},{OTHER}", False),
        (f"{OTHER},{OWN}", False),
        (f"{OWN},", False),
        (f"{OWN},#", False),
        (",", False),
    ],
)
def test_nanomq_names_all_topics_of_a_subscription_in_one_text(nanomq: Hooking, topics: str, allowed: bool) -> None:
    """Taken for one topic, the device's own at the beginning would open all the others."""
    assert nanomq.allows(nanomq.ask("acl", **WHO, access="1", topic=topics)) == allowed


@pytest.mark.parametrize(("golden", "allowed"), [("mqtt-dev_hub-c-new", True), ("connect-c320", False)])
def test_nanomq_s_forms_are_not_encoded(golden: str, allowed: bool) -> None:
    """So an ampersand in a user name ends the field; the lines to paste say JSON."""
    connection = next(one for one in CONNECTIONS if one.id == golden)
    device_of(connection)
    nanomq, presented = broker("nanomq"), connection.presented
    form = f"clientid={presented.client_id}&username={presented.username}&password={presented.password}&ipaddress={ADDRESS}"
    assert nanomq.allows(nanomq.send(Asked("authenticate", form.encode(), FORM))) == allowed
    assert nanomq.allows(nanomq.send(connect_question("nanomq", presented)))


def test_nanomq_s_webhook_tells_who_left(nanomq: Hooking, monkeypatch: pytest.MonkeyPatch) -> None:
    nanomq.connect(GOLDEN.presented)
    assert nanomq.ask("event", action="client_connack", conn_ack="success", **WHO).status_code == 200
    now = timezone.now() + timedelta(minutes=1)
    monkeypatch.setattr(timezone, "now", lambda: now)
    assert nanomq.ask("event", action="message_publish", **WHO).status_code == 200
    assert Connection.objects.get().disconnected_at is None
    assert nanomq.ask("event", action="client_disconnected", reason="normal", **WHO).status_code == 200
    assert Connection.objects.get().disconnected_at == now
