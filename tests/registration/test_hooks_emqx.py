"""EMQX's traps: anything but 200 is "ignore", and what is not forbidden after the rules may be allowed by default."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from devices.models import Connection, ConnectionEnd
from tests.registration.golden_mqtt import CONNECTIONS
from tests.registration.hooking import ADDRESS, FORM, Asked, Hooking, broker, connect_question, device_of

pytestmark = pytest.mark.django_db
GOLDEN = next(golden for golden in CONNECTIONS if golden.id == "connect-c4-tls")
CLIENT_ID, USERNAME = GOLDEN.presented.client_id, GOLDEN.presented.username
OWN, OTHER = "/a1ExpAkj9Hi/dev0001/user/get", "/a1ExpAkj9Hi/dev0002/user/get"


@pytest.fixture
def emqx() -> Hooking:
    device_of(GOLDEN)
    return broker("emqx")


def covers(pattern: str, topic: str) -> bool:
    """As EMQX matches: a wildcard at the first level does not cover a topic that begins with a dollar sign."""
    wanted, levels = topic.split("/"), pattern.split("/")
    if topic.startswith("$") and levels[0] in ("#", "+"):
        return False
    for place, level in enumerate(levels):
        if level == "#":
            return True
        if place >= len(wanted) or level not in ("+", wanted[place]):
            return False
    return len(levels) == len(wanted)


def decide(acl: list[dict[str, str]], action: str, topic: str) -> str:
    """The first rule that fits; "no match" where none does."""
    for rule in acl:
        if rule["action"] in (action, "all") and covers(rule["topic"], topic):
            return rule["permission"]
    return "no match"


def test_an_allowed_device_gets_its_rules_with_the_answer(emqx: Hooking) -> None:
    answer = emqx.connect(GOLDEN.presented)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    said = json.loads(answer.content)
    assert (said["result"], said["is_superuser"]) == ("allow", False)
    assert set(said) == {"result", "is_superuser", "acl"}, "an expire_at would cut a healthy device"
    assert all(set(rule) == {"permission", "action", "topic"} for rule in said["acl"])


@pytest.mark.parametrize(
    ("action", "topic", "decision"),
    [
        ("publish", OWN, "allow"),
        ("subscribe", OWN, "allow"),
        ("publish", OTHER, "deny"),
        ("subscribe", OTHER, "deny"),
        ("subscribe", "#", "deny"),
        ("subscribe", "$SYS/brokers", "deny"),
        ("publish", "$delayed/5" + OTHER, "deny"),
        ("subscribe", "$share/group" + OTHER, "deny"),
        ("subscribe", "$thing/down/property/a1ExpAkj9Hi/dev0001", "allow"),
        ("subscribe", "$thing/down/property/a1ExpAkj9Hi/dev0002", "deny"),
        ("publish", "anything", "deny"),
    ],
)
def test_its_rules_end_in_no_for_all_that_is_not_its_own(emqx: Hooking, action: str, topic: str, decision: str) -> None:
    acl = json.loads(emqx.connect(GOLDEN.presented).content)["acl"]
    assert decide(acl, action, topic) == decision


@pytest.mark.parametrize("presented", [True, False])
def test_a_refusal_is_a_200_with_deny(emqx: Hooking, presented: bool) -> None:
    body = json.dumps({"clientid": "x", "username": "nobody&nothing", "password": "x"} if presented else {}).encode()
    answer: Any = emqx.send(Asked("authenticate", body, "application/json"))
    assert (answer.status_code, answer.content) == (200, b'{"result":"deny"}')


def test_it_may_ask_with_a_form_or_a_query(emqx: Hooking) -> None:
    form = connect_question("rabbitmq", GOLDEN.presented).body.replace(b"client_id=", b"clientid=")
    assert emqx.allows(emqx.send(Asked("authenticate", form, FORM)))
    assert emqx.allows(Client().get(f"{emqx.path('authenticate')}?{form.decode()}"))


@pytest.mark.parametrize(
    ("action", "topic", "allowed"),
    [
        ("publish", OWN, True),
        ("subscribe", OWN, True),
        ("publish", OTHER, False),
        ("all", OWN, False),
        ("", OWN, False),
        ("publish", "", False),
    ],
)
def test_an_older_one_asks_for_each_topic(emqx: Hooking, action: str, topic: str, allowed: bool) -> None:
    answer = emqx.ask("authorize", clientid=CLIENT_ID, username=USERNAME, action=action, topic=topic)
    assert answer.content == (b'{"result":"allow"}' if allowed else b'{"result":"deny"}')
    assert answer.status_code == 200


def test_its_events_say_where_a_device_is_and_when_it_left(emqx: Hooking, monkeypatch: pytest.MonkeyPatch) -> None:
    came, left = datetime(2026, 11, 20, 12, 0, tzinfo=UTC), datetime(2026, 11, 20, 12, 10, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: came)
    emqx.connect(GOLDEN.presented)
    emqx.ask("event", event="client.connected", clientid=CLIENT_ID, peername="198.51.100.99:1234")
    assert Connection.objects.get().address == "198.51.100.99"
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 20, 13, 0, tzinfo=UTC))
    moments = {"connected_at": int(came.timestamp() * 1000), "disconnected_at": int(left.timestamp() * 1000)}
    emqx.ask("event", event="client.disconnected", clientid=CLIENT_ID, reason="keepalive_timeout", **moments)
    connection = Connection.objects.get()
    assert (connection.disconnected_at, connection.ended) == (left, ConnectionEnd.LEFT)


def test_the_end_of_an_older_connection_leaves_the_newer_one(emqx: Hooking, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)
    emqx.connect(GOLDEN.presented)
    before = int(now.timestamp() * 1000) - 600_000
    emqx.ask("event", event="client.disconnected", clientid=CLIENT_ID, reason="takenover", connected_at=before)
    assert Connection.objects.get().disconnected_at is None


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"event": "client.connected"},
        {"event": "message.publish", "clientid": "x"},
        {"event": "client.disconnected", "clientid": "x", "connected_at": "soon"},
        {"event": "client.disconnected", "clientid": "x", "connected_at": 10**40},
    ],
)
def test_an_event_that_says_nothing_changes_nothing(emqx: Hooking, fields: dict[str, object]) -> None:
    emqx.connect(GOLDEN.presented)
    assert emqx.ask("event", **fields).content == b'{"result":"ok"}'
    connection = Connection.objects.get()
    assert (connection.disconnected_at, connection.address) == (None, ADDRESS)
