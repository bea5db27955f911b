"""The admission table through the service, by every scheme (Q4, Q5, A2, A6 to A8, G3, T2, T3), and its log (A14, N2)."""

import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from console.shared import keyring
from devices.models import Authentication, Device, PreImportedDevice
from devices.services import lifecycle
from products.models import Product, ProductSecret
from products.services import data_centers, lookup
from registration.models import DeviceLogEntry, UsedNonce
from registration.protocols.base import Credentials
from registration.services import device_log, enrolment
from registration.services.schemes import schemes
from tests import cast
from tests.registration.knocking import ADDRESS, SECRETS, knock, log_of, request_of, send

pytestmark = [pytest.mark.django_db, pytest.mark.storage]

MAC = "0015A3B4C5D6"
EVERY_PROTOCOL = pytest.mark.parametrize("protocol", ["alibaba", "tencent-new", "tencent-old", "native"])


@pytest.fixture(autouse=True)
def centers() -> None:
    cast.home()
    cast.frankfurt()
    lookup.forget()


def free_product(**switches: object) -> Product:
    return cast.tracker(**switches)


@EVERY_PROTOCOL
def test_it_hands_an_imported_device_its_secret_by_every_protocol(protocol: str) -> None:
    product = free_product()
    row = cast.row(product, "crate-1")
    tried = knock(product, "crate-1", protocol=protocol)
    assert tried.code == "accepted"
    assert tried.answer.device_secret == keyring.unseal(row.sealed_secret, owner=row.secret_owner())
    device = Device.objects.at(cast.home()).get()
    assert (device.device_name, device.registered_at, device.activated_at) == ("crate-1", cast.NOON, None)


@EVERY_PROTOCOL
def test_it_hands_out_the_same_secret_again_until_the_device_is_activated(protocol: str) -> None:
    product = free_product()
    cast.row(product, "crate-1")
    first = knock(product, "crate-1", protocol=protocol).answer.device_secret
    assert knock(product, "crate-1", protocol=protocol).answer.device_secret == first
    device = Device.objects.at(cast.home()).get()
    cast.activate(device, at=cast.NOON)
    refused = knock(product, "crate-1", protocol=protocol)
    assert (refused.code, refused.answer.device_secret) == ("already_activated", "")
    lifecycle.reset(device, by=cast.OPERATOR, at=cast.NOON)
    assert knock(product, "crate-1", protocol=protocol).answer.device_secret == first


def test_it_hands_out_a_new_secret_each_time_where_the_product_says_so() -> None:
    product = free_product(new_secret_each_time=True)
    cast.row(product, "crate-1")
    handed = {knock(product, "crate-1").answer.device_secret for _ in range(3)}
    assert len(handed) == 3 and "" not in handed


def test_it_stores_a_name_one_way_and_answers_with_the_device_s_own_spelling() -> None:
    product = cast.kettle()
    cast.row(product, MAC)
    tried = knock(product, "00:15:a3:b4:c5:d6")
    assert tried.code == "accepted"
    assert json.loads(tried.reply.body)["data"]["deviceName"] == "00:15:a3:b4:c5:d6"
    assert tried.entry.device_name == Device.objects.at(cast.home()).get().device_name
    assert knock(product, MAC).answer.device_secret == tried.answer.device_secret


REFUSALS: list[tuple[str, dict[str, object], str]] = [
    ("product_not_published", {"status": "developing"}, "crate-1"),
    ("dynamic_registration_off", {"dynamic_registration": False}, "crate-1"),
    ("per_product_secret_off", {"per_product_secret": False}, "crate-1"),
    ("not_imported", {}, "stranger"),
    ("bad_device_name", {"auto_create": True, "auto_create_limit": 5}, "with blank"),
    ("bad_device_name", {"auto_create": True, "auto_create_limit": 5}, "8.6E+14"),
    ("wrong_authentication", {}, "static-1"),
    ("wrong_authentication", {}, "x509-1"),
]


@pytest.mark.parametrize(("code", "switches", "name"), REFUSALS)
@EVERY_PROTOCOL
def test_it_refuses_by_the_table(protocol: str, code: str, switches: dict[str, object], name: str) -> None:
    product = free_product(**switches)
    cast.row(product, "crate-1")
    cast.row(product, "static-1", Authentication.STATIC)
    cast.row(product, "x509-1", Authentication.X509)
    tried = knock(product, name, protocol=protocol)
    assert (tried.code, tried.entry.accepted, tried.answer.device_secret) == (code, False, "")
    assert not Device.objects.at(cast.home()).exists()
    assert tried.entry.path and all(step.endswith((".", ":")) for step in tried.entry.path[:-1])


def test_it_refuses_a_disabled_device() -> None:
    product = free_product()
    cast.row(product, "crate-1")
    knock(product, "crate-1")
    lifecycle.disable(Device.objects.at(cast.home()).get(), by=cast.OPERATOR, at=cast.NOON)
    assert knock(product, "crate-1").code == "device_disabled"


def test_it_lets_a_device_register_once_where_the_product_says_so() -> None:
    product = free_product(reregistration="once")
    cast.row(product, "crate-1")
    assert [knock(product, "crate-1").code for _ in range(2)] == ["accepted", "already_registered"]


def test_it_creates_unknown_devices_up_to_the_limit() -> None:
    product = free_product(auto_create=True, auto_create_limit=2)
    assert [knock(product, f"new-{number}").code for number in range(3)] == ["accepted", "accepted", "auto_create_limit"]
    assert knock(product, "new-0").code == "accepted"


def test_the_host_that_a_device_calls_decides_the_data_center() -> None:
    product = free_product()
    cast.row(product, "crate-1")
    knock(product, "crate-1", host="frankfurt.devices.test")
    knock(product, "crate-1", host="nobody-knows.devices.test")
    assert [Device.objects.at(center).count() for center in (cast.home(), cast.frankfurt())] == [1, 1]
    assert (log_of(cast.home()), log_of(cast.frankfurt())) == (["accepted"], ["accepted"])


@EVERY_PROTOCOL
def test_a_stranger_cannot_tell_which_products_exist(protocol: str) -> None:
    product = free_product()
    hidden = Credentials("QQQQQQQQQQ", "x" * 24, "crate-1")
    wrong = send(protocol, request_of(protocol, Credentials(product.key, "x" * 24, "crate-1")))
    unknown = send(protocol, request_of(protocol, hidden))
    Product.objects.update(status="developing")
    lookup.forget()
    unpublished = knock(product, "crate-1", protocol=protocol)
    assert [one.code for one in (wrong, unknown, unpublished)] == ["bad_signature", "product_unknown", "product_not_published"]
    told = {one.reply.body.replace(str(one.entry.request_id).encode(), b"") for one in (wrong, unknown, unpublished)}
    assert len(told) == 1
    assert len({one.reply.status for one in (wrong, unknown, unpublished)}) == 1


@EVERY_PROTOCOL
def test_strangers_attempts_cost_the_same_looks_into_the_database(protocol: str, django_assert_num_queries: Any, settings: Any) -> None:
    settings.NAMEPLATE_PRODUCT_CACHE_SECONDS = 60
    product = free_product()
    data_centers.serving("shanghai.devices.test")
    for key in (product.key, "QQQQQQQQQQ"):
        lookup.forget()
        for queries in (3, 3, 3):  # Product, secrets, log entry; whether the process has seen the ProductKey before or not.
            request = request_of(protocol, Credentials(key, "x" * 24, "crate-1"))
            with django_assert_num_queries(queries):
                enrolment.register(protocol=schemes()[protocol], request=request, peer_address=ADDRESS, at=cast.NOON)


def test_it_takes_a_secret_that_was_added_a_moment_ago(settings: Any) -> None:
    settings.NAMEPLATE_PRODUCT_CACHE_SECONDS = 60
    product = free_product()
    cast.row(product, "crate-1")
    assert knock(product, "crate-1", secret="TheNewSecretOf24Letters0").code == "bad_signature"
    fresh = ProductSecret(product=product, made_at=cast.NOON)
    fresh.sealed = keyring.seal("TheNewSecretOf24Letters0", owner=fresh.owner())
    fresh.save()
    assert knock(product, "crate-1", secret="TheNewSecretOf24Letters0").code == "accepted"
    assert knock(product, "crate-1").code == "accepted", "the older secret is live too (N7)"


def test_it_refuses_a_repeated_nonce_of_its_own_scheme_and_only_there() -> None:
    product = cast.meter()
    cast.row(product, "490154203237518")
    request = request_of("native", Credentials(product.key, SECRETS[product.key], "490154203237518"))
    assert [send("native", request, at=cast.NOON + timedelta(seconds=late)).code for late in (0, 1)] == ["accepted", "nonce_used"]
    assert UsedNonce.objects.count() == 1
    tracker = free_product()
    cast.row(tracker, "crate-1")
    for protocol in ("alibaba", "tencent-new", "tencent-old"):
        again = request_of(protocol, Credentials(tracker.key, SECRETS[tracker.key], "crate-1"))
        assert [send(protocol, again, product_secret=SECRETS[tracker.key]).code for _ in range(2)] == ["accepted", "accepted"]


def test_a_wrong_proof_uses_no_nonce_up() -> None:
    product = cast.meter()
    assert knock(product, "490154203237518", secret="not the secret").code == "bad_signature"
    assert not UsedNonce.objects.exists()


def test_the_log_holds_the_path_of_the_decision_in_words() -> None:
    product = free_product()
    cast.row(product, "crate-1")
    entry = knock(product, "crate-1", protocol="alibaba").entry
    assert entry.path[:3] == ["The product is known.", "The product is published.", "The proof was made with the product's secret."]
    assert "Dynamic registration is on." in entry.path
    assert (entry.product_id, entry.product_key, entry.protocol, entry.address) == (product.pk, product.key, "alibaba", ADDRESS)
    assert (entry.event, entry.at, entry.data_center) == ("registration", cast.NOON, cast.home())
    assert "tencent" in entry.facts["other_protocol"]


def test_the_log_names_the_text_that_should_have_been_signed() -> None:
    product = free_product()
    tried = knock(product, "crate-1", protocol="tencent-old", secret="another secret")
    assert tried.entry.facts["signed_text"].startswith("deviceName=crate-1&nonce=")
    assert tried.entry.path[-1] == "The signature was not made with this product's secret."


@pytest.mark.parametrize("outcome", ["accepted", "bad_signature", "malformed", "product_unknown", "internal"])
@EVERY_PROTOCOL
def test_no_secret_and_no_signature_is_ever_written(
    protocol: str, outcome: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    product = free_product()
    row = cast.row(product, "crate-1")
    device_secret = keyring.unseal(row.sealed_secret, owner=row.secret_owner())
    secret = SECRETS[product.key]
    key = "QQQQQQQQQQ" if outcome == "product_unknown" else product.key
    name = secret if outcome == "bad_signature" else "crate-1"  # Firmware that mixes its settings up.
    request = request_of(protocol, Credentials(key, "x" * 24 if outcome == "bad_signature" else secret, name))
    if outcome == "malformed":
        request = replace(request, body=request.body + b"&=" + secret.encode(), headers={})
    if outcome == "internal":
        monkeypatch.setattr(enrolment.admission, "admit", _explode)
    proof = _proof_of(request.body, request.headers)
    tried = send(protocol, request, product_secret=secret)
    assert tried.code == outcome
    written = caplog.text + json.dumps(list(DeviceLogEntry.objects.values()), default=str)
    for hidden in (secret, device_secret, proof):
        assert hidden and hidden not in written


def _explode(**values: Any) -> None:
    raise RuntimeError("something broke")


def _proof_of(body: bytes, headers: Any) -> str:
    if b"sign=" in body:
        return body.decode().partition("sign=")[2].partition("&")[0]
    return str(headers.get("x-tc-signature") or json.loads(body.partition(b"&=")[0]).get("signature", "none in the body"))


@EVERY_PROTOCOL
def test_an_unforeseen_error_is_told_to_the_server_s_log_alone(
    protocol: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrolment.admission, "admit", _explode)
    product = free_product()
    tried = knock(product, "crate-1", protocol=protocol)
    assert tried.code == "internal" and b"broke" not in tried.reply.body
    assert "something broke" in caplog.text and str(tried.entry.request_id) in caplog.text


def test_a_secret_that_cannot_be_opened_is_the_server_s_fault_and_stands_in_its_log(caplog: pytest.LogCaptureFixture) -> None:
    product = free_product()
    row = cast.row(product, "crate-1")
    PreImportedDevice.objects.filter(pk=row.pk).update(sealed_secret=b"broken" + bytes(row.sealed_secret)[6:])
    tried = knock(product, "crate-1")
    assert tried.code == "internal"
    assert str(tried.entry.request_id) in caplog.text


def test_a_database_that_does_not_answer_makes_the_door_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(**values: Any) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(enrolment.admission, "admit", gone)
    tried = knock(cast.meter(), "490154203237518")
    assert (tried.code, tried.reply.status) == ("unavailable", 503)


def test_a_log_that_cannot_be_written_does_not_change_the_answer(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    product = free_product()
    cast.row(product, "crate-1")

    def broken(*values: Any, **more: Any) -> None:
        raise OperationalError("disk full")

    monkeypatch.setattr(device_log, "entry", broken)
    request = request_of("native", Credentials(product.key, SECRETS[product.key], "crate-1"))
    reply = enrolment.register(protocol=schemes()["native"], request=request, peer_address=ADDRESS, at=cast.NOON)
    assert reply.status == 200 and "disk full" in caplog.text
    assert not DeviceLogEntry.objects.exists()


def test_it_refuses_a_body_that_no_device_sends() -> None:
    request = request_of("tencent-old", Credentials("L4WG9V9M2M", "x" * 24, "crate-1"))
    tried = send("tencent-old", replace(request, body=request.body[:-1] + b" " * 9000 + b"}"))
    assert tried.code == "malformed" and "8192" in tried.entry.path[-1]


def test_an_address_that_is_none_is_left_out() -> None:
    request = request_of("alibaba", Credentials("a1ExpAkj9Hi", "x", "crate-1"))
    enrolment.register(protocol=schemes()["alibaba"], request=request, peer_address="unix:", at=cast.NOON)
    assert DeviceLogEntry.objects.get().address is None
