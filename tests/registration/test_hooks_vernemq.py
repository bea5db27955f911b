"""VerneMQ's traps: always 200, one URL for all hooks, MQTT 3 and 5 answered differently, and nothing for its cache."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from devices.models import Connection
from tests.registration.golden_mqtt import CONNECTIONS
from tests.registration.hooking import JSON, Asked, Hooking, broker, device_of

pytestmark = pytest.mark.django_db
GOLDEN = next(golden for golden in CONNECTIONS if golden.id == "connect-c4-tls")
CLIENT_ID, USERNAME = GOLDEN.presented.client_id, GOLDEN.presented.username
WHO = {"client_id": CLIENT_ID, "mountpoint": "", "username": USERNAME}
OWN, OTHER = "/a1ExpAkj9Hi/dev0001/user/get", "/a1ExpAkj9Hi/dev0002/user/get"
NO = {"result": {"error": "not_allowed"}}


@pytest.fixture
def vernemq() -> Hooking:
    device_of(GOLDEN)
    return broker("vernemq")


def ask(vernemq: Hooking, hook: str, **fields: object) -> Any:
    answer = vernemq.ask(hook, **fields)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, JSON)
    assert "Cache-Control" not in answer.headers
    return json.loads(answer.content)


@pytest.mark.parametrize("hook", ["auth_on_register", "auth_on_register_m5"])
def test_both_versions_of_mqtt_register(vernemq: Hooking, hook: str) -> None:
    fields = WHO | {"peer_addr": "198.51.100.23", "peer_port": 1, "password": GOLDEN.presented.password, "properties": {}}
    assert ask(vernemq, hook, **fields) == {"result": "ok"}
    assert ask(vernemq, hook, **fields | {"password": None}) == NO
    assert ask(vernemq, hook, **fields | {"username": None}) == NO


@pytest.mark.parametrize("hook", ["", "auth_on_register_m6", "on_publish", "next", "AUTH_ON_REGISTER"])
def test_a_hook_that_it_does_not_know_is_a_no_and_never_next(vernemq: Hooking, hook: str) -> None:
    assert ask(vernemq, hook, **WHO, password=GOLDEN.presented.password) == NO


def test_a_call_in_the_path_is_no_url_of_it(vernemq: Hooking) -> None:
    body = json.dumps(WHO | {"password": GOLDEN.presented.password}).encode()
    answer: Any = vernemq.send(Asked("auth_on_register", body, JSON, {"vernemq-hook": "auth_on_register"}))
    assert json.loads(answer.content) == NO


@pytest.mark.parametrize("hook", ["auth_on_publish", "auth_on_publish_m5"])
def test_it_publishes_to_its_own_topics_with_and_without_a_payload(vernemq: Hooking, hook: str) -> None:
    assert ask(vernemq, hook, **WHO, topic=OWN, qos=1, retain=False) == {"result": "ok"}
    assert ask(vernemq, hook, **WHO, topic=OWN, qos=1, retain=False, payload="aGVsbG8=") == {"result": "ok"}
    assert ask(vernemq, hook, **WHO, topic=OTHER, qos=1, retain=False) == NO
    assert ask(vernemq, hook, **WHO, qos=1) == NO


def test_a_payload_longer_than_a_question_may_be_is_a_no(vernemq: Hooking) -> None:
    """That is why the lines to paste say no_payload."""
    assert ask(vernemq, "auth_on_publish", **WHO, topic=OWN, payload="A" * 70_000) == NO


def test_each_topic_of_a_subscription_is_answered_by_itself(vernemq: Hooking) -> None:
    topics = [{"topic": OWN, "qos": 2}, {"topic": OTHER, "qos": 1}, {"topic": "#", "qos": 0}]
    assert ask(vernemq, "auth_on_subscribe", **WHO, topics=topics) == {
        "result": "ok",
        "topics": [{"topic": OWN, "qos": 2}, {"topic": OTHER, "qos": 128}, {"topic": "#", "qos": 128}],
    }
    options = {"no_local": True, "rap": True, "retain_handling": "send_if_new_sub"}
    topics = [topic | options for topic in topics]
    assert ask(vernemq, "auth_on_subscribe_m5", **WHO, topics=topics) == {
        "result": "ok",
        "modifiers": {"topics": [{"topic": OWN, "qos": 2} | options, {"topic": OTHER, "qos": 135}, {"topic": "#", "qos": 135}]},
    }


@pytest.mark.parametrize("topics", [None, [], {}, "x", [OWN], [{"topic": 1, "qos": 0}], [{"topic": OWN, "qos": 0}] * 201])
@pytest.mark.parametrize("hook", ["auth_on_subscribe", "auth_on_subscribe_m5"])
def test_a_subscription_that_is_no_list_of_topics_is_a_no(vernemq: Hooking, hook: str, topics: object) -> None:
    """An empty list would be taken for a yes to everything."""
    assert ask(vernemq, hook, **WHO, topics=topics) == NO


@pytest.mark.parametrize("qos", [3, -1, "1000", None, [], True, 128])
def test_a_quality_of_service_that_is_none_is_refused(vernemq: Hooking, qos: object) -> None:
    answer = ask(vernemq, "auth_on_subscribe", **WHO, topics=[{"topic": OWN, "qos": qos}])
    assert answer["topics"] == [{"topic": OWN, "qos": 128}]


@pytest.mark.parametrize("hook", ["on_client_offline", "on_client_gone"])
def test_both_ways_to_leave_end_the_connection(vernemq: Hooking, hook: str, monkeypatch: pytest.MonkeyPatch) -> None:
    vernemq.connect(GOLDEN.presented)
    now = timezone.now() + timedelta(minutes=1)
    monkeypatch.setattr(timezone, "now", lambda: now)
    assert ask(vernemq, hook, client_id=CLIENT_ID, mountpoint="", reason="normal_disconnect", more=1) == {}
    assert Connection.objects.get().disconnected_at == now


def test_a_client_that_took_its_own_older_connection_s_place_stays(vernemq: Hooking) -> None:
    """VerneMQ asks about the newer one, lets it in, and only then says that the client has gone: the older one of the same name."""
    vernemq.connect(GOLDEN.presented)
    ask(vernemq, "on_client_gone", client_id=CLIENT_ID, mountpoint="")
    assert Connection.objects.get().disconnected_at is None


def test_a_registered_client_s_address_is_noted(vernemq: Hooking) -> None:
    vernemq.connect(GOLDEN.presented)
    assert ask(vernemq, "on_register", client_id=CLIENT_ID, peer_addr="198.51.100.99", username=USERNAME) == {}
    assert Connection.objects.get().address == "198.51.100.99"
