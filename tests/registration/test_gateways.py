"""nginx, HAProxy and Envoy ask about devices with certificates: their headers count because of their secret alone."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from devices.models import Connection, DisconnectOrder
from products.services import authorities, brokers
from registration.models import DeviceLogEntry
from tests import cast
from tests.console.x509_parts import NOW, SECOND
from tests.registration import presenting
from tests.registration.hooking import PROXIES, broker
from tests.registration.presenting import NAME, Door, authority, below, device, headers_of, leaf, newest, nobody_came, on_file, pin, sha256

pytestmark = pytest.mark.django_db
METHODS = ("get", "post", "put", "patch", "delete", "options")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    cast.home()
    brokers.forget()
    authorities.forget()
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture(params=PROXIES)
def door(request: pytest.FixtureRequest) -> Door:
    return Door(broker(request.param))


def refused(answer: Any) -> bool:
    """With the request's number, and without a reason."""
    told = json.loads(answer.content)
    assert set(answer.headers) == {"Content-Type", "Content-Length"}
    return (answer.status_code, answer["Content-Type"], told["code"], set(told)) == (
        403,
        "application/json",
        "refused",
        {"code", "requestId"},
    )


def test_a_device_is_told_its_names_and_so_is_what_stands_behind_the_proxy(door: Door) -> None:
    product = presenting.lamp()
    answer = door.ask((leaf(),))
    entry = newest()
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json() == {"productKey": product.key, "deviceName": NAME, "requestId": str(entry.request_id)}
    assert (answer["X-Device-Product-Key"], answer["X-Device-Name"]) == (product.key, NAME)
    assert "Cache-Control" not in answer
    assert (entry.code, entry.facts["broker"], pin().sha256) == ("accepted", door.asking.row.name, sha256(leaf()))
    assert refused(door.ask((leaf(key_name="another"),)))
    entry = newest()
    assert (entry.code, entry.facts["expected"], entry.facts["seen"]) == (
        "certificate_not_pinned",
        sha256(leaf()),
        sha256(leaf(key_name="another")),
    )


def test_the_name_is_told_in_its_stored_form(door: Door) -> None:
    """So that two spellings of one name are one device to a service behind the proxy."""
    kettle = cast.kettle()
    on_file(authority(), kettle)
    presenting.row(kettle, "A4C138000001")
    answer = door.ask((leaf("a4:c1:38:00:00:01"),))
    assert (answer["X-Device-Name"], answer.json()["deviceName"]) == ("A4C138000001", "A4C138000001")


@pytest.mark.parametrize("kind", ["haproxy", "envoy"])
def test_the_chain_comes_along(kind: str) -> None:
    presenting.lamp()
    assert Door(broker(kind)).ask(below()).status_code == 200


def test_nothing_is_connected_there_and_what_is_connected_elsewhere_stays(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    presenting.lamp()
    emqx = broker("emqx")
    assert emqx.allows(emqx.send(presenting.asks(emqx, (leaf(),))))
    monkeypatch.setattr(timezone, "now", lambda: NOW + 60 * SECOND)
    assert door.ask((leaf(),)).status_code == 200
    found = device()
    assert (found.last_online_at, found.last_seen_at) == (NOW, NOW + 60 * SECOND)
    assert Connection.objects.get().is_open and not DisconnectOrder.objects.exists()


# -- The proxy's proof ---------------------------------------------------------------------------------------------------------------------
def test_headers_without_the_secret_are_a_stranger_s(door: Door) -> None:
    presenting.lamp()
    for secret in ("", "x", door.asking.secret[:-1], door.asking.secret.swapcase(), "x" * 4000):
        for path in ("", f"/hooks/{door.asking.kind}/{secret or 'x'}/connect"):
            assert refused(door.ask((leaf(),), secret=secret, path=path))
    assert nobody_came() and not DeviceLogEntry.objects.exists()


def test_the_device_s_own_authorization_is_no_proof_of_the_proxy(door: Door) -> None:
    presenting.lamp()
    assert refused(door.ask((leaf(),), secret="", Authorization=f"Bearer {door.asking.secret}"))
    assert not DeviceLogEntry.objects.exists()
    assert door.ask((leaf(),), Authorization="Bearer of the device").status_code == 200


def test_the_secret_may_stand_in_the_path(door: Door) -> None:
    presenting.lamp()
    assert door.ask((leaf(),), secret="", path=f"/hooks/{door.asking.kind}/{door.asking.secret}/connect").status_code == 200


@pytest.mark.parametrize("other", [*PROXIES, "emqx", "mosquitto"])
def test_a_secret_opens_its_own_kind_alone(door: Door, other: str) -> None:
    presenting.lamp()
    secret = broker(other, cast.frankfurt()).secret
    answer = door.ask((leaf(),), secret=secret)
    assert answer.status_code == (200 if other == door.asking.kind else 403)
    through = Client(headers=headers_of(door.asking.kind, (leaf(),)) | {"X-Proxy-Secret": door.asking.secret})
    assert through.post("/hooks/emqx/authenticate", b"{}", content_type="application/json").content == b'{"result":"deny"}'


def test_a_proxy_that_is_switched_off_is_a_stranger(door: Door) -> None:
    presenting.lamp()
    row = door.asking.row
    brokers.save(row, data_center=row.data_center, name=row.name, kind=row.kind, enabled=False, by=cast.OPERATOR, at=NOW)
    brokers.forget()
    assert refused(door.ask((leaf(),)))


# -- What it asks --------------------------------------------------------------------------------------------------------------------------
def test_a_device_without_a_certificate_is_refused_and_in_the_log(door: Door) -> None:
    presenting.lamp()
    assert refused(door.ask())
    assert (newest().code, newest().protocol) == ("no_certificate", "x509")


@pytest.mark.parametrize("kind", ["nginx", "haproxy"])
def test_a_proxy_that_sets_no_headers_lets_nobody_in(kind: str) -> None:
    presenting.lamp()
    door = Door(broker(kind))
    answer = Client(headers={"X-Proxy-Secret": door.asking.secret}).get(f"/hooks/{kind}/connect")
    assert refused(answer) and newest().code == "malformed"
    assert "did not set the header" in newest().path[-1]


def test_what_haproxy_did_not_accept_is_refused_with_its_number() -> None:
    presenting.lamp()
    door = Door(broker("haproxy"))
    sent = headers_of("haproxy", (leaf(),)) | {"X-SSL-Client-Verify": "10", "X-Proxy-Secret": door.asking.secret}
    assert refused(Client(headers=sent).get("/hooks/haproxy/connect"))
    assert (newest().code, newest().facts["verify"]) == ("proxy_refused_certificate", "10")


def test_what_nginx_leaves_to_us_is_judged_here() -> None:
    presenting.lamp()
    door = Door(broker("nginx"))
    sent = headers_of("nginx", (leaf(),)) | {"X-Proxy-Secret": door.asking.secret}
    sent["X-SSL-Client-Verify"] = "FAILED:unable to verify the first certificate"
    assert Client(headers=sent).get("/hooks/nginx/connect").status_code == 200


def test_the_product_is_named_by_a_header_or_the_query(door: Door) -> None:
    lamp = presenting.lamp()
    on_file(authority(), cast.tracker())
    path = f"/hooks/{door.asking.kind}/connect"
    assert refused(door.ask((leaf(),))) and newest().code == "product_not_named"
    assert door.ask((leaf(),), X_Product_Key=lamp.key).status_code == 200
    assert door.ask((leaf(),), path=f"{path}?a=%20&product_key={lamp.key}").status_code == 200
    assert refused(door.ask((leaf(),), path=f"{path}?product_key=a1Nobody000")) and newest().code == "product_unknown"
    assert door.ask((leaf(),), path=f"{path}?product_key=a1Nobody000", X_Product_Key=lamp.key).status_code == 200
    for query in ("product_key=%ff", f"product_key={lamp.key}&product_key={lamp.key}", "product_key=%00"):
        assert refused(door.ask((leaf(),), path=f"{path}?{query}"))
    assert refused(door.ask((leaf(),), path=f"{path}?key=%ff"))
    assert newest().code == "product_not_named", "the device's own query may be of any form"


@pytest.mark.parametrize("method", METHODS)
def test_it_may_ask_by_the_device_s_own_method_and_path_and_the_body_is_the_device_s(door: Door, method: str) -> None:
    presenting.lamp()
    path = f"/hooks/{door.asking.kind}/connect/telemetry/../v1/%2e%2e/x//é"
    assert door.ask((leaf(),), path=path, method=method).status_code == 200


def test_a_body_is_not_read(door: Door) -> None:
    presenting.lamp()
    sent = headers_of(door.asking.kind, (leaf(),)) | {"X-Proxy-Secret": door.asking.secret}
    answer = Client(headers=sent).post(f"/hooks/{door.asking.kind}/connect", b"{" * 100_000, content_type="application/json")
    assert answer.status_code == 200


def test_a_question_by_head_has_no_body(door: Door) -> None:
    presenting.lamp()
    answer = door.ask((leaf(),), method="head")
    assert (answer.status_code, answer.content, answer["Content-Length"], answer["X-Device-Name"]) == (200, b"", "0", NAME)


def test_an_unknown_call_is_a_no(door: Door) -> None:
    presenting.lamp()
    kind, secret = door.asking.kind, door.asking.secret
    for path in (f"/hooks/{kind}/", f"/hooks/{kind}/{secret}", f"/hooks/{kind}/{secret}/event", f"/hooks/{kind}/x/{secret}/connect"):
        assert refused(door.ask((leaf(),), path=path))


def test_the_address_is_that_of_the_device_where_the_proxy_is_trusted(door: Door, settings: Any) -> None:
    presenting.lamp()
    door.ask((leaf(),), X_Forwarded_For="203.0.113.9")
    assert newest().address == "127.0.0.1"
    settings.NAMEPLATE_TRUSTED_PROXIES = ["127.0.0.1"]
    door.ask((leaf(),), X_Forwarded_For="10.9.9.9, 203.0.113.9")
    assert newest().address == "203.0.113.9"


@pytest.mark.parametrize("header", ["X-SSL-Client-Cert", "X-SSL-Client-DER", "X-Forwarded-Client-Cert"])
def test_a_header_of_another_proxy_says_nothing(door: Door, header: str) -> None:
    """What a client wrote itself, and this proxy does not know to strip."""
    presenting.lamp()
    other = {"X-SSL-Client-Cert": "nginx", "X-SSL-Client-DER": "haproxy", "X-Forwarded-Client-Cert": "envoy"}[header]
    if other != door.asking.kind:
        forged = {header.replace("-", "_"): headers_of(other, (leaf(),))[header]}
        own = () if door.asking.kind == "envoy" else (leaf(key_name="another"),)
        answer = door.ask(own, **forged)
        assert refused(answer) if not own else pin().sha256 == sha256(own[0])
