"""Tens of thousands of broken questions of every broker: no crash, no answer that the broker does not know, and nobody gets in."""

import json
import random
import re
import resource
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import RequestFactory

from devices.models import Connection, Device
from registration.api.hooks.door import hook
from registration.services import recorder
from tests.registration.golden import load
from tests.registration.golden_mqtt import CONNECTIONS
from tests.registration.hooking import DENIALS, HOOKED, Asked, Hooking, broker, connect_question, device_of

pytestmark = pytest.mark.django_db
EACH = 20_000
MOST_GROWTH = 40 * 1024
"""Kilobytes of memory, interpreter's noise included."""
SEED = 20261120
GOLDEN = next(golden for golden in CONNECTIONS if golden.id == "connect-c4-tls")
OWN_TOPIC = re.compile(r"(/|%2F|[.])(?:a1ExpAkj9Hi|L4WG9V9M2M)(/|%2F|[.])(?:dev[.]0(?:%3A|:)0[12]|dev_1)")
PIECES = [
    b"\0", b"\xff\xfe", b"%00", b"%zz", b"&", b"=", b"{", b"}", b"[", b"]", b'"', b"\\", b"\\ud800", b"\\u0000", b"null", b"true",
    b"1e999", b"NaN", b"-0", b"9" * 400, b"#", b"+", b"/", b".", b"|", b";", b"&&", b"%26", b"username", b"password", b"client_id",
    b"clientid", "ü€\U0001f600".encode(), b"," * 50, b"[" * 200, b'{"a":' * 50,
]  # fmt: skip


def questions(asking: Hooking) -> list[Asked]:
    """A connection with a password that nobody has, and every recorded question, asked for somebody else's device."""
    presented = GOLDEN.presented
    wrong = type(presented)(presented.client_id, presented.username, "zq" * 32)
    found = [connect_question(asking.kind, wrong)]
    for vector in load("hooks"):
        if vector["kind"] == asking.kind:
            body = OWN_TOPIC.sub(r"\1Z9zzzzzzzzz\2QQQQQQQQ", vector["body"])
            found.append(Asked(vector["call"], body.encode(), vector["content_type"], vector.get("headers", {})))
    return found


def mutated(asked: Asked, rng: random.Random) -> bytes:
    body = bytearray(asked.body)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        place, kind = rng.randrange(len(body) + 1), rng.randrange(7)
        if kind == 0 and body:
            body[place % len(body)] = rng.randrange(256)
        elif kind == 1:
            del body[place : place + rng.randrange(1, 30)]
        elif kind == 2:
            body[place:place] = rng.choice(PIECES)
        elif kind == 3:
            body[place:place] = body[place // 2 : place]
        elif kind == 4:
            del body[place:]
        elif kind == 5:
            body[place : place + 8] = rng.randbytes(8)
        elif kind == 6 and body:
            body[place % len(body)] ^= 1 << rng.randrange(8)
    return bytes(body)


def asks(asking: Hooking, rng: random.Random) -> Iterator[tuple[Asked, Any]]:
    """Each mutated question with a request that carries it, and some with a broken path or type."""
    known, factory = questions(asking), RequestFactory()
    for _ in range(EACH):
        asked = rng.choice(known)
        content_type = rng.choice((asked.content_type, asked.content_type, asked.content_type, "", "multipart/form-data", "text/plain"))
        headers = (
            dict(asked.headers) if rng.random() < 0.95 else {"vernemq-hook": rng.choice(["", "on_x", "auth_on_register_m5", "é" * 99])}
        )
        body = mutated(asked, rng)
        if rng.random() < 0.1:
            yield asked, factory.get(asking.path(asked.call), QUERY_STRING=body.decode("latin-1"), headers=headers)
        else:
            yield asked, factory.generic(rng.choice(["POST", "POST", "PUT"]), asking.path(asked.call), body, content_type, headers=headers)


def decides(asked: Asked) -> bool:
    """Whether a yes would let somebody in; events and the exchange's questions are answered with a yes or a thank you."""
    return asked.call not in ("event", "vhost", "resource") and not asked.headers.get("vernemq-hook", "").startswith("on_")


@pytest.mark.parametrize("kind", HOOKED)
def test_nobody_gets_in_by_a_broken_question(kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    device_of(GOLDEN)
    asking, rng = broker(kind), random.Random(SEED)
    assert asking.allows(asking.connect(GOLDEN.presented)), "unbroken, it gets in"
    Connection.objects.all().delete()
    monkeypatch.setattr(recorder, "put", lambda record: None)
    before, admitted = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, []
    for asked, request in asks(asking, rng):
        answer = hook(request, request.path.removeprefix("/hooks/"))
        assert answer.status_code in ({200, DENIALS[kind][0]}), (answer.status_code, asked)
        if kind in ("emqx", "vernemq"):
            said = json.loads(answer.content)
            topics = said.get("topics") or said.get("modifiers", {}).get("topics") or []
            allowed = said.get("result") in ("allow", "ok") and (not topics or any(one["qos"] < 100 for one in topics))
        else:
            allowed = asking.allows(answer)
        if allowed and decides(asked):
            admitted.append((asked, request.META.get("wsgi.input")))
    assert not admitted
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_GROWTH
    assert "Traceback" not in caplog.text
    assert Device.objects.count() == 1


@pytest.mark.parametrize("kind", HOOKED)
def test_a_path_of_any_form_is_answered(kind: str) -> None:
    asking, rng = broker(kind), random.Random(SEED)
    factory = RequestFactory()
    for _ in range(500):
        pieces = ["/", kind, asking.secret, "user", "event", "..", "%2e", "é", " ", "//", "x" * 300, "\0"]
        rest = "".join(rng.choices(pieces, k=rng.randrange(6)))
        headers = {"Authorization": rng.choice(["", "Bearer", "Bearer x", "é"])}
        request = factory.generic("POST", "/hooks/x", b"{}", "application/json", headers=headers)
        answer = hook(request, rest)
        assert answer.status_code in (200, 403, 404)
