"""A device connects with a certificate of its own: who it is taken for, what is stored, and what the log says."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from devices.models import Connection, Device, DeviceCertificate
from products.models import AuthorityState, BrokerKind, CertificatePolicy
from products.services import authorities, lookup
from registration.models import DeviceLogEntry
from registration.protocols.connecting import DeviceCredentials, Presented
from registration.protocols.connection_schemes import COMPOSERS
from registration.services import broker_auth, recorder
from registration.services.broker_auth import Verdict
from registration.services.device_log import Attempt
from tests import cast
from tests.console import x509_untrusted
from tests.console.x509_parts import DAY, NOW, certificate, dn, integer, key, validity
from tests.registration import connecting, presenting
from tests.registration.connecting import with_row_s_secret
from tests.registration.presenting import NAME, authority, below, device, leaf, newest, nobody_came, on_file, pin, presented, sha256

pytestmark = pytest.mark.django_db
NATIVE = f"a1LampKey01/{NAME}"


@pytest.fixture(autouse=True)
def fresh() -> None:
    cast.home()
    authorities.forget()


def connect(what: Presented, *, kind: str = "emqx", at: Any = NOW) -> Verdict:
    return connecting.connect(what, kind=kind, at=at)


# -- Let in --------------------------------------------------------------------------------------------------------------------------------
def test_a_device_without_a_fingerprint_is_pinned_and_another_certificate_of_the_same_ca_is_refused() -> None:
    product, other = presenting.lamp(), leaf(key_name="another", serial=5)
    verdict = connect(presented(username=NATIVE))
    assert (verdict.allowed, verdict.product_key, verdict.device_name, verdict.stored_name) == (True, product.key, NAME, NAME)
    assert (device().activated_at, device().authentication, pin().sha256) == (NOW, "x509", sha256(leaf()))
    entry = newest()
    assert (entry.code, entry.protocol, entry.device_name, str(entry.request_id)) == ("accepted", "x509", NAME, verdict.request_id)
    assert (entry.facts["certificate"], entry.facts["serial_number"], entry.facts["match"]) == (sha256(leaf()), "1234", "first")
    assert Connection.objects.get().mqtt_client_id == "crate"

    again = connect(presented(other, username=NATIVE))
    assert (again.allowed, again.code, again.stored_name) == (False, "certificate_not_pinned", "")
    entry = newest()
    assert (entry.facts["expected"], entry.facts["seen"]) == (sha256(leaf()), sha256(other))
    assert sha256(leaf()) in str(entry.path[-1]) and sha256(other) in str(entry.path[-1])
    assert pin().sha256 == sha256(leaf())
    assert connect(presented(username=NATIVE)).allowed and newest().facts["match"] == "current"


@pytest.mark.parametrize(("wire", "key_"), [("alibaba", "a1LampKey01"), ("tencent", "L4WG9V9M2M"), ("native", "a1LampKey01")])
def test_each_vendor_s_user_name_says_who_connects(wire: str, key_: str) -> None:
    product = cast.tracker() if wire == "tencent" else cast.lamp()
    on_file(authority(), product)
    presenting.row(product)
    text = COMPOSERS[wire](DeviceCredentials(key_, NAME, "MDEyMzQ1Njc4OWFiY2RlZg=="), NOW, 1)
    assert connect(presented(username=text.username, client_id=text.client_id)).allowed
    assert newest().facts["match"] == "first"


def test_an_intermediate_certificate_may_come_along() -> None:
    presenting.lamp()
    assert connect(presented(*below(), username=NATIVE)).allowed
    assert connect(presented(below()[0], username=NATIVE)).code == "certificate_issuer_unknown"


def test_who_is_known_already_costs_a_few_statements_and_no_write(monkeypatch: pytest.MonkeyPatch) -> None:
    presenting.lamp()
    assert connect(presented(username=NATIVE)).allowed
    asking = connecting.broker(cast.home(), "emqx")
    monkeypatch.setattr(recorder, "put", lambda record: None)
    with CaptureQueriesContext(database) as queries:
        assert broker_auth.connect(broker=asking, presented=presented(username=NATIVE), address="", at=NOW).allowed
    statements = [query["sql"] for query in queries]
    assert len(statements) <= 4, statements
    assert all(sql.lstrip().startswith("SELECT") for sql in statements)


# -- Who it is -----------------------------------------------------------------------------------------------------------------------------
def test_without_a_user_name_the_ca_says_the_product_and_the_certificate_the_device() -> None:
    presenting.lamp()
    verdict = connect(presented())
    assert (verdict.allowed, verdict.product_key, verdict.device_name) == (True, "a1LampKey01", NAME)
    assert "serves one product" in newest().path[0]


def test_a_name_of_another_spelling_is_the_same_device_in_its_stored_form() -> None:
    kettle = cast.kettle()
    on_file(authority(), kettle)
    presenting.row(kettle, "A4C138000001")
    verdict = connect(presented(leaf("a4:c1:38:00:00:01")))
    assert (verdict.allowed, verdict.device_name, verdict.stored_name) == (True, "a4:c1:38:00:00:01", "A4C138000001")
    assert connect(presented(leaf("a4:c1:38:00:00:01"), username="a1ExpAkj9Hi/A4-C1-38-00-00-01")).allowed
    assert device("A4C138000001").activated_at == NOW


def test_a_ca_that_serves_several_products_or_none_does_not_say_which() -> None:
    lamp, tracker = presenting.lamp(), cast.tracker()
    on_file(authority(), tracker)
    assert connect(presented()).code == "product_not_named"
    assert "bind the CA to one product" in newest().path[-1]
    assert connect(presented(certificate(issuer=dn("nobody"), signer=key()))).code == "product_not_named"
    assert connect(presented(product_key=lamp.key)).allowed, "a proxy may name it"
    assert connect(presented(product_key="a1Nobody000")).code == "product_unknown"


def test_the_nearest_ca_on_file_says_it_and_an_active_one_before_others() -> None:
    lamp, tracker = presenting.lamp(), cast.tracker()
    on_file(authority(), tracker)
    leaf_below, middle = below()
    assert connect(presented(leaf_below, middle)).code == "product_not_named"
    on_file(middle, lamp)
    assert connect(presented(leaf_below, middle)).allowed
    renewed = authority("middle", of="CA", serial=integer(78))
    on_file(renewed, tracker, state=AuthorityState.INACTIVE)
    assert connect(presented(leaf_below, middle)).allowed, "one that is switched off confuses nobody"
    on_file(authority("middle", of="CA", serial=integer(79)), tracker)
    assert connect(presented(leaf_below, middle)).code == "product_not_named"


def test_issuers_in_a_circle_end() -> None:
    presenting.lamp()
    circle = [authority("one", of="two"), authority("two", of="one")]
    made = certificate(issuer=dn("one"), signer=key("one"))
    assert connect(presented(made, *circle)).code == "product_not_named"


@pytest.mark.parametrize(
    ("identity", "made", "code"),
    [
        ("serial_number", leaf(), "certificate_name_missing"),
        ("alternative_name", leaf(), "certificate_name_missing"),
        ("common_name", leaf("x"), "bad_device_name"),
        ("common_name", leaf("nobody-knows"), "device_unknown"),
    ],
)
def test_the_name_is_where_the_product_has_it(identity: str, made: bytes, code: str) -> None:
    product = presenting.lamp()
    CertificatePolicy.objects.create(product=product, identity=identity)
    authorities.forget()
    assert connect(presented(made)).code == code
    assert nobody_came()


def test_the_user_name_and_the_certificate_must_name_the_same_device() -> None:
    product = presenting.lamp()
    presenting.row(product, "other-device")
    assert connect(presented(username="a1LampKey01/other-device")).code == "certificate_other_name"
    assert connect(presented(leaf("x"), username=NATIVE)).code == "certificate_other_name"
    assert nobody_came()


# -- Password or certificate ---------------------------------------------------------------------------------------------------------------
def test_a_device_with_a_secret_goes_on_by_it_although_it_presents_a_certificate_too() -> None:
    product = cast.lamp()
    on_file(authority(), product)
    thing = with_row_s_secret(cast.row(product, NAME))
    text = thing.presents(NOW)
    own = Presented(text.client_id, text.username, text.password, (leaf(),))
    assert connect(own).allowed and newest().protocol == "alibaba"
    assert not DeviceCertificate.objects.exists()
    wrong = Presented(text.client_id, text.username, "0" * 64, (leaf(),))
    assert connect(wrong).code == "bad_credential"
    assert connect(Presented(text.client_id, text.username, text.password, (b"no certificate",))).allowed


def test_a_device_with_a_certificate_may_send_any_password() -> None:
    presenting.lamp()
    assert connect(presented(username=NATIVE, password="whatever")).allowed
    assert connect(presented(password="whatever")).allowed, "without a user name nothing else could prove it"
    assert "whatever" not in str(list(DeviceLogEntry.objects.values("path", "facts")))


@pytest.mark.parametrize(("creates", "code"), [(True, "accepted"), (False, "device_unknown")])
def test_a_name_that_nobody_imported_may_come_by_its_certificate_whatever_password_it_sends(creates: bool, code: str) -> None:
    on_file(authority(), cast.lamp(auto_create=creates, auto_create_limit=1))
    text = COMPOSERS["alibaba"](DeviceCredentials("a1LampKey01", NAME, "nobody's secret"), NOW, 1)
    assert connect(Presented(text.client_id, text.username, text.password, (leaf(),))).code == code
    assert Device.objects.filter(authentication="x509").exists() == creates


def test_a_certificate_is_no_proof_of_a_device_with_a_secret() -> None:
    product = cast.lamp()
    on_file(authority(), product)
    cast.row(product, NAME)
    assert connect(presented(username=NATIVE)).code == "wrong_authentication"
    assert nobody_came()


def test_without_a_certificate_nothing_has_changed() -> None:
    product = presenting.lamp()
    thing = with_row_s_secret(cast.row(product, "lamp-2"))
    assert connect(thing.presents(NOW)).allowed
    assert connect(Presented("crate", NATIVE, "")).code == "malformed"
    assert connect(Presented("crate", "", "")).code == "malformed"


# -- Refused -------------------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("made", "code"),
    [
        ((certificate(dates=validity(NOW - 9 * DAY, NOW - DAY)),), "certificate_expired"),
        ((certificate(dates=validity(NOW + DAY, NOW + 9 * DAY)),), "certificate_not_yet_valid"),
        ((certificate(signer=key("rogue")),), "certificate_bad_signature"),
        ((certificate(issuer=dn("device"), signer=key()),), "certificate_issuer_unknown"),
        ((authority(),), "certificate_is_ca"),
        ((b"",), "certificate_unreadable"),
        ((leaf()[:-1],), "certificate_unreadable"),
        (tuple([leaf()] * 11), "too_many_certificates"),
    ],
)
def test_what_is_wrong_with_it_is_in_the_log_alone(made: tuple[bytes, ...], code: str) -> None:
    presenting.lamp()
    verdict = connect(presented(*made, username=NATIVE))
    assert (verdict.allowed, verdict.code, newest().code) == (False, code, code)
    assert nobody_came()


@pytest.mark.parametrize("state", [AuthorityState.INACTIVE, AuthorityState.VERIFIED])
def test_a_ca_that_is_not_active_lets_nobody_in(state: str) -> None:
    product = cast.lamp()
    on_file(authority(), product, state=state)
    presenting.row(product)
    for username in (NATIVE, ""):
        assert connect(presented(username=username)).code == "certificate_ca_inactive"


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ({"username": "a1Nobody000/device"}, "product_unknown"),
        ({"username": "of no form"}, "malformed"),
        ({"username": "a1LampKey01/de\nvice"}, "malformed"),
        ({"username": "a1LampKey01/" + "x" * 250}, "malformed"),
        ({"username": "a1LampKey01/x"}, "bad_device_name"),
        ({"username": NATIVE, "client_id": "\x00"}, "malformed"),
        ({"username": NATIVE, "client_id": "x" * 513}, "malformed"),
        ({"product_key": "\x7f"}, "malformed"),
    ],
)
def test_texts_that_mean_nothing_are_refused(what: dict[str, str], code: str) -> None:
    presenting.lamp()
    assert connect(presented(**what)).code == code
    assert nobody_came()


def test_a_disabled_device_and_one_whose_client_id_another_has_are_refused() -> None:
    product = presenting.lamp()
    presenting.row(product, "other-device")
    assert connect(presented(username=NATIVE)).allowed
    assert connect(presented(leaf("other-device"), username="a1LampKey01/other-device")).code == "client_id_taken"
    Device.objects.update(enabled=False)
    assert connect(presented(username=NATIVE)).code == "device_disabled"


@pytest.mark.parametrize("kind", [BrokerKind.VERNEMQ, BrokerKind.RABBITMQ])
def test_a_broker_that_asks_by_user_name_later_needs_one(kind: str) -> None:
    presenting.lamp()
    assert connect(presented(), kind=kind).code == "product_not_named"
    assert "asks about topics" in newest().path[-1]
    assert connect(presented(username=NATIVE), kind=kind).allowed


def test_a_failure_is_a_no(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    presenting.lamp()

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(authorities, "accepted", broken)
    assert connect(presented(username=NATIVE)).code == "internal"
    assert "out of order" in caplog.text


# -- Foreseen ------------------------------------------------------------------------------------------------------------------------------
def foreseen(what: Presented) -> tuple[str, Attempt]:
    attempt = Attempt(NOW, uuid4(), "", "", cast.home())
    return broker_auth.foresee_certificate(attempt, cast.home(), what), attempt


def test_what_would_be_decided_is_foreseen_and_nothing_is_written() -> None:
    presenting.lamp()
    code, attempt = foreseen(presented(username=NATIVE))
    assert (code, attempt.facts["match"], nobody_came()) == ("accepted", "first", True)
    assert not DeviceLogEntry.objects.exists() and not DeviceCertificate.objects.exists()
    said = list(attempt.path)
    assert connect(presented(username=NATIVE)).allowed
    assert newest().path == said
    code, attempt = foreseen(presented(leaf(key_name="another"), username=NATIVE))
    assert (code, attempt.facts["expected"]) == ("certificate_not_pinned", sha256(leaf()))


def test_its_reasons_are_those_of_every_untrusted_kind() -> None:
    """One of each kind of defect, with the code of its own reason."""
    presenting.lamp()
    for name in x509_untrusted.KINDS:
        one = x509_untrusted.KINDS.first_of(name)
        if not one.anchors:
            code, attempt = foreseen(presented(*one.presented, username=NATIVE))
            assert code == one.reason.code, (name, attempt.path)


def test_a_year_later_the_same_certificate_is_refused_though_it_is_pinned() -> None:
    presenting.lamp()
    lookup.forget()
    assert connect(presented(username=NATIVE)).allowed
    assert connect(presented(username=NATIVE), at=NOW + timedelta(days=365)).code == "certificate_expired"
    assert pin().sha256 == sha256(leaf())
