"""What all hooks have in common: the vectors get in, strangers do not, and whatever goes wrong is the broker's own no."""

import logging
import urllib.error
import urllib.request
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from console.logs import HookSecrets
from devices.models import Connection, Device
from products.services import brokers
from registration.api.hooks import asking
from registration.api.hooks.asking import MAX_HOOK_BYTES
from registration.models import DeviceLogEntry
from registration.protocols.connecting import Presented
from registration.services import broker_auth
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.processes import Server
from tests.registration.golden import load
from tests.registration.golden_mqtt import CONNECTIONS, GoldenConnection
from tests.registration.hooking import ADDRESS, DENIALS, HOOKED, JSON, Asked, Hooking, broker, connect_question, device_of

pytestmark = pytest.mark.django_db
each_kind = pytest.mark.parametrize("kind", HOOKED)
each_golden = pytest.mark.parametrize("golden", CONNECTIONS, ids=lambda golden: golden.id)
GOLDEN = next(golden for golden in CONNECTIONS if golden.id == "connect-c4-tls")


@pytest.fixture(autouse=True)
def fresh() -> None:
    brokers.forget()


def at(monkeypatch: pytest.MonkeyPatch, golden: GoldenConnection) -> None:
    monkeypatch.setattr(timezone, "now", lambda: golden.at)


@each_kind
@each_golden
def test_every_sdk_s_connect_gets_in_through_every_hook(kind: str, golden: GoldenConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    device_of(golden)
    asking_broker = broker(kind)
    at(monkeypatch, golden)
    answer = asking_broker.connect(golden.presented)
    assert asking_broker.allows(answer), (answer.content, DeviceLogEntry.objects.latest("id").path)
    device = Device.objects.get(device_name=golden.device_name)
    assert device.activated_at == golden.at
    connection = Connection.objects.get()
    assert (connection.device, connection.broker_id, connection.mqtt_client_id) == (
        device,
        asking_broker.row.pk,
        golden.presented.client_id,
    )
    known = {"emqx", "vernemq", "nanomq"}
    assert connection.address == (ADDRESS if kind in known else None)


@each_kind
@each_golden
def test_it_refuses_another_password(kind: str, golden: GoldenConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    device_of(golden)
    asking_broker = broker(kind)
    at(monkeypatch, golden)
    wrong = ("0" if golden.presented.password[0] != "0" else "1") + golden.presented.password[1:]
    answer = asking_broker.connect(Presented(golden.presented.client_id, golden.presented.username, wrong))
    assert asking_broker.denies(answer), answer.content
    assert not Connection.objects.exists()
    assert wrong not in str(list(DeviceLogEntry.objects.values("path", "facts")))


@each_kind
def test_an_unknown_secret_hears_the_kind_s_own_no_whatever_it_asks(kind: str) -> None:
    device_of(GOLDEN)
    asking_broker = broker(kind)
    asked = connect_question(kind, GOLDEN.presented)
    for secret in ("", "x", asking_broker.secret[:-1], asking_broker.secret.swapcase(), "é" * 32, "x" * 4000):
        for call in (asked.call, "resource", "event", "nothing"):
            answer = asking_broker.send(Asked(call, asked.body, asked.content_type, asked.headers), secret=secret)
            assert (answer.status_code, answer.content) == DENIALS[kind], (secret, call)
    assert not DeviceLogEntry.objects.exists()


@each_kind
@pytest.mark.parametrize("other", HOOKED)
def test_a_secret_opens_the_hooks_of_its_own_kind_alone(kind: str, other: str) -> None:
    device_of(GOLDEN)
    asked = connect_question(kind, GOLDEN.presented)
    secret = broker(other).secret
    asking_broker = broker(kind, cast.frankfurt())
    assert asking_broker.allows(asking_broker.send(asked, secret=secret)) == (kind == other)


@each_kind
def test_the_secret_may_come_as_a_bearer_token(kind: str) -> None:
    device_of(GOLDEN)
    asking_broker = broker(kind)
    asked = connect_question(kind, GOLDEN.presented)
    for word, allowed in (("Bearer", True), ("bearer", True), ("Basic", False)):
        headers = asked.headers | {"Authorization": f"{word} {asking_broker.secret}"}
        answer = asking_broker.send(Asked(asked.call, asked.body, asked.content_type, headers), secret="")
        assert asking_broker.allows(answer) == allowed


@each_kind
def test_a_broker_that_is_switched_off_or_has_a_new_secret_is_a_stranger(kind: str) -> None:
    device_of(GOLDEN)
    asking_broker = broker(kind)
    new = brokers.renew_hook_secret(asking_broker.row, by=OPERATOR, at=NOON)
    brokers.forget()
    assert asking_broker.denies(asking_broker.connect(GOLDEN.presented))
    renewed = Hooking(asking_broker.row, new)
    assert renewed.allows(renewed.connect(GOLDEN.presented))
    type(asking_broker.row).objects.update(enabled=False)
    brokers.forget()
    assert renewed.denies(renewed.connect(GOLDEN.presented))


@each_kind
def test_a_failure_of_ours_is_a_no(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    device_of(GOLDEN)
    asking_broker = broker(kind)

    def broken(**facts: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(broker_auth, "connect", broken)
    assert asking_broker.denies(asking_broker.connect(GOLDEN.presented))
    monkeypatch.setattr(brokers, "by_hook_secret", broken)
    assert asking_broker.denies(asking_broker.connect(GOLDEN.presented))


@each_kind
@pytest.mark.parametrize("method", ["delete", "patch", "head", "options"])
def test_another_method_is_a_no(kind: str, method: str) -> None:
    asking_broker = broker(kind)
    asked = connect_question(kind, GOLDEN.presented)
    answer = getattr(Client(headers=asked.headers), method)(asking_broker.path(asked.call))
    assert answer.status_code == DENIALS[kind][0]


@each_kind
def test_a_body_that_is_too_long_is_a_no(kind: str) -> None:
    device_of(GOLDEN)
    asking_broker = broker(kind)
    asked = connect_question(kind, GOLDEN.presented)
    start, filler = (asked.body, b" ") if asked.content_type == JSON else (asked.body + b"&more=", b"x")
    for size, allowed in ((MAX_HOOK_BYTES, True), (MAX_HOOK_BYTES + 1, False)):
        answer = asking_broker.send(Asked(asked.call, start.ljust(size, filler), asked.content_type, asked.headers))
        assert asking_broker.allows(answer) == allowed, size


@each_kind
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"username":1}', b'{"username":"a","username":"b"}', b"[" * 9000]
)
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", "", "text/plain"])
def test_a_body_that_cannot_be_read_is_a_no(kind: str, body: bytes, content_type: str) -> None:
    asking_broker = broker(kind)
    asked = connect_question(kind, GOLDEN.presented)
    assert asking_broker.denies(asking_broker.send(Asked(asked.call, body, content_type, asked.headers)))


@each_kind
def test_no_answer_may_be_kept_by_a_cache_or_sets_a_cookie(kind: str) -> None:
    device_of(GOLDEN)
    asking_broker = broker(kind)
    for answer in (asking_broker.connect(GOLDEN.presented), asking_broker.send(connect_question(kind, GOLDEN.presented), secret="x")):
        assert set(answer.headers) == {"Content-Type", "Content-Length"}
        assert not answer.cookies


@each_kind
def test_no_log_holds_the_secret_or_a_password(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    device_of(GOLDEN)
    asking_broker = broker(kind)
    caplog.set_level(logging.DEBUG)
    asking_broker.connect(GOLDEN.presented)
    asking_broker.connect(Presented(GOLDEN.presented.client_id, GOLDEN.presented.username, "wrong password"))
    asked = connect_question(kind, GOLDEN.presented)
    asking_broker.send(Asked("nothing", asked.body, asked.content_type))
    asking_broker.send(Asked(asked.call, b"{" + asked.body, "application/json", asked.headers))
    Client().get(f"/hooks/unknown/{asking_broker.secret}/user")
    for secret in (asking_broker.secret, GOLDEN.presented.password, "wrong password"):
        assert secret not in caplog.text


@pytest.mark.parametrize("kind", ["mosquitto", "nanomq"])
def test_the_running_server_s_log_has_no_secret(running_server: Server, kind: str) -> None:
    """Django logs the path of every answer from 400 on, and these kinds hear no with 403."""
    asking_broker = broker(kind)
    asked = connect_question(kind, GOLDEN.presented)
    for call in (asked.call, "nothing", "%ff"):
        request = urllib.request.Request(
            f"{running_server.url}{asking_broker.path(call)}", asked.body, {"Content-Type": asked.content_type}
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        assert (refused.value.code, refused.value.read()) == DENIALS[kind]
    assert "Forbidden: /hooks/" not in running_server.process.output()
    assert asking_broker.secret not in running_server.process.output()


def test_a_line_of_another_part_has_the_path_without_its_secret() -> None:
    record = logging.LogRecord("gunicorn.error", logging.ERROR, "", 0, "Error handling request %s %s", ("POST", ""), None)
    record.args = ("POST", "/hooks/emqx/8Jf-2mVQ0aZ_pX1rT5uW9yB3cD6eG7hK/authenticate?x=1")
    assert HookSecrets().filter(record)
    assert record.getMessage() == "Error handling request POST /hooks/emqx/•••/authenticate?•••"


@pytest.mark.parametrize("vector", load("hooks"), ids=lambda vector: vector["id"])
def test_a_recorded_question_is_answered_byte_for_byte(vector: dict[str, Any]) -> None:
    asking_broker = broker(vector["kind"])
    asked = Asked(vector["call"], vector["body"].encode(), vector["content_type"], vector.get("headers", {}))
    answer = asking_broker.send(asked)
    assert (answer.status_code, answer.content.decode()) == (vector["status"], vector["answer"])


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("198.51.100.23", "198.51.100.23"),
        ("198.51.100.23:53412", "198.51.100.23"),
        ("::ffff:198.51.100.23", "198.51.100.23"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]:53412", "2001:db8::7"),
        ("", ""),
        ("undefined", ""),
        ("%a", ""),
    ],
)
def test_an_address_is_read_in_every_broker_s_writing(text: str, address: str) -> None:
    assert asking.address_of(text) == address


def test_the_hooks_are_no_part_of_the_api_s_description(tmp_path: Any) -> None:
    call_command("spectacular", file=str(tmp_path / "schema"), format="openapi-json")
    assert "/hooks/" not in (tmp_path / "schema").read_text()
