"""Who may connect (A5, A6, A9, A12, A13, Q2, Q5, T4): through the one decision that every broker asks for."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from devices.models import Authentication, ClientIdentity, Connection, Device
from devices.services import client_ids, connections, lifecycle
from products.models import Product
from products.services import lookup
from registration.models import DeviceEvent, DeviceLogEntry
from registration.protocols.connecting import DeviceCredentials, Presented
from registration.services import broker_auth
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices.clones import device
from tests.registration.connecting import ADDRESS, Thing, broker, connect, entry, given, issued, with_row_s_secret
from tests.registration.golden_mqtt import CONNECTIONS, GoldenConnection
from tests.registration.knocking import knock

pytestmark = [pytest.mark.django_db, pytest.mark.storage]
NAME = "lamp-0001"
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def centers() -> None:
    cast.home()
    cast.frankfurt()
    lookup.forget()


@pytest.fixture
def lamp() -> Product:
    return cast.lamp(preregistration_free=True)


@pytest.fixture
def static(lamp: Product) -> Thing:
    return with_row_s_secret(cast.row(lamp, NAME, Authentication.STATIC, nickname="Hall", sn="SN-7"))


@pytest.mark.parametrize("golden", CONNECTIONS, ids=lambda golden: golden.id)
def test_it_admits_what_real_sdks_sent(golden: GoldenConnection) -> None:
    given(golden)
    verdict = connect(golden.presented, at=golden.at)
    assert (verdict.allowed, verdict.code) == (True, "accepted")
    assert (verdict.product_key, verdict.device_name) == (golden.product_key, golden.device_name)
    here = Device.objects.at(cast.home()).get()
    assert (here.activated_at, here.state) == (golden.at, "online")
    logged = entry(verdict)
    assert (logged.protocol, logged.accepted, logged.address) == (golden.scheme, True, ADDRESS)
    assert golden.presented.password not in str(logged.path) + str(logged.facts)


@pytest.mark.parametrize("golden", CONNECTIONS, ids=lambda golden: golden.id)
def test_it_refuses_the_same_with_one_letter_changed(golden: GoldenConnection) -> None:
    given(golden)
    password = golden.presented.password
    for place in (0, len(password) // 2):
        forged = password[:place] + ("0" if password[place] != "0" else "1") + password[place + 1 :]
        assert not connect(replace(golden.presented, password=forged), at=golden.at).allowed
    assert not Device.objects.exclude(activated_at=None).exists()
    assert not Connection.objects.exists()


@pytest.mark.parametrize("wire", ["alibaba", "native"])
def test_a_static_device_appears_where_it_connects_with_nickname_and_sn(lamp: Product, wire: str) -> None:
    row = cast.row(lamp, NAME, Authentication.STATIC, nickname="Hall", sn="SN-7")
    verdict = connect(with_row_s_secret(row, wire))
    here = device(lamp, NAME)
    assert (here.nickname, here.sn, here.activated_at, here.state) == ("Hall", "SN-7", NOON, "online")
    assert entry(verdict).path[-1] == "It appears in this data center's device list, activated."
    assert not Device.objects.at(cast.frankfurt()).exists()


def test_a_row_s_secret_opens_a_second_data_center_too(lamp: Product) -> None:
    row = cast.row(lamp, NAME, nickname="Hall", sn="SN-7")
    assert knock(lamp, NAME).code == "accepted"
    thing = with_row_s_secret(row)
    for center in (cast.home(), cast.frankfurt()):
        assert connect(thing, center=center).allowed
        here = device(lamp, NAME, center)
        assert (here.nickname, here.sn, here.state) == ("Hall", "SN-7", "online")


def test_the_first_connection_closes_registration_until_a_reset(lamp: Product) -> None:
    row = cast.row(lamp, NAME)
    secret = knock(lamp, NAME).answer.device_secret
    thing = with_row_s_secret(row).with_secret(secret)
    assert knock(lamp, NAME).code == "accepted", "a lost reply does no harm"
    assert connect(thing).allowed
    assert knock(lamp, NAME).code == "already_activated"
    lifecycle.reset(device(lamp, NAME), by=OPERATOR, at=NOON)
    assert device(lamp, NAME).state == "inactive"
    assert knock(lamp, NAME).answer.device_secret == secret
    assert connect(thing).allowed
    assert knock(lamp, NAME).code == "already_activated"


def test_a_deleted_device_s_secret_opens_nothing_and_its_successor_s_does(lamp: Product) -> None:
    old = with_row_s_secret(cast.row(lamp, NAME))
    assert connect(old).allowed
    lifecycle.delete(device(lamp, NAME), by=OPERATOR, at=NOON)
    assert connect(old).code == "bad_credential"
    assert connect(old.with_secret(knock(lamp, NAME).answer.device_secret)).allowed


@pytest.mark.parametrize("wire", ["alibaba", "native"])
def test_it_refuses_a_wrong_secret_an_unknown_device_and_an_unknown_product_alike(lamp: Product, wire: str) -> None:
    row = cast.row(lamp, NAME, Authentication.STATIC)
    right = with_row_s_secret(row, wire)
    other = with_row_s_secret(cast.row(lamp, "lamp-0002", Authentication.STATIC), wire)
    assert connect(with_row_s_secret(row, wire)).allowed
    never_came = other.with_secret("f" * 32)
    stranger = Thing(wire, replace(right.credentials, device_name="lamp-0003"))
    nobodys = Thing(wire, replace(right.credentials, product_key="a1Nobody"))
    spelled_badly = Thing(wire, replace(right.credentials, device_name="x"))
    codes, work = [], []
    for thing in (right.with_secret("f" * 32), never_came, stranger, nobodys, spelled_badly):
        connect(thing)  # Product caches are filled, as after a moment of a stranger's tries.
        asking = broker(cast.home())
        with CaptureQueriesContext(
            connection,
        ) as asked:
            verdict = broker_auth.connect(broker=asking, presented=thing.presents(), address=ADDRESS, at=NOON)
        assert not verdict.allowed
        codes.append(verdict.code)
        work.append(len([query for query in asked if query["sql"].startswith("SELECT") or "LEFT JOIN" in query["sql"]]))
    assert codes == ["bad_credential", "bad_credential", "device_unknown", "product_unknown", "bad_device_name"]
    assert len(set(work)) == 1
    assert not Connection.objects.exclude(device__device_name=NAME).exists()


def test_it_refuses_a_static_name_with_another_s_secret(lamp: Product, static: Thing) -> None:
    other = with_row_s_secret(cast.row(lamp, "lamp-0002", Authentication.STATIC))
    assert connect(static.with_secret(other.credentials.device_secret)).code == "bad_credential"
    assert not Device.objects.exists()


def test_it_refuses_a_certificate_s_device_that_brings_a_secret(lamp: Product) -> None:
    row = cast.row(lamp, NAME, Authentication.X509)
    for thing in (Thing("alibaba", DeviceCredentials(lamp.key, NAME, "f" * 32)), with_row_s_secret(row) if row.sealed_secret else None):
        assert thing is None or connect(thing).code == "wrong_authentication"


def test_it_refuses_a_disabled_device(lamp: Product, static: Thing) -> None:
    connect(static)
    lifecycle.disable(device(lamp, NAME), by=OPERATOR, at=NOON)
    assert connect(static).code == "device_disabled"
    lifecycle.enable(device(lamp, NAME), by=OPERATOR, at=NOON)
    assert connect(static).allowed


def test_a_withdrawn_product_s_devices_connect_on(lamp: Product, static: Thing) -> None:
    Product.objects.update(status="developing", dynamic_registration=False, per_product_secret=False, preregistration_free=False)
    lookup.forget()
    assert connect(static).allowed


def test_five_physical_devices_get_in_and_the_sixth_does_not(lamp: Product) -> None:
    things = [issued(lamp, NAME) for _ in range(6)]
    verdicts = [connect(thing) for thing in things]
    assert [verdict.code for verdict in verdicts] == ["accepted"] * 5 + ["client_limit"]
    assert entry(verdicts[0]).client_id == things[0].credentials.client_id
    assert connect(things[0], at=NOON + SECOND).allowed
    assert device(lamp, NAME).client_ids_active == 5


def test_it_refuses_a_forbidden_identity_and_a_cleared_one(lamp: Product) -> None:
    kept, other = issued(lamp, NAME), issued(lamp, NAME)
    assert connect(kept).allowed and connect(other).allowed
    client_ids.switch(device(lamp, NAME), keep=kept.credentials.client_id, by=OPERATOR, at=NOON)
    refused = connect(other)
    assert refused.code == "client_forbidden"
    assert (entry(refused).client_id, entry(refused).accepted) == (other.credentials.client_id, False)
    assert connect(kept).allowed
    client_ids.clear(device(lamp, NAME), by=OPERATOR, at=NOON)
    assert [connect(thing).code for thing in (kept, other)] == ["client_forbidden"] * 2


def test_it_refuses_a_token_of_another_identity_or_under_another_name(lamp: Product) -> None:
    mine, other = issued(lamp, NAME), issued(lamp, "lamp-0002")
    credentials = mine.credentials
    for swapped, code in (
        (replace(credentials, device_token=other.credentials.device_token), "bad_credential"),
        (replace(credentials, client_id=other.credentials.client_id), "client_unknown"),
        (replace(credentials, device_name="lamp-0002"), "client_unknown"),
        (replace(credentials, device_name="lamp-0003"), "device_unknown"),
        (replace(credentials, device_token=credentials.device_token.swapcase()), "bad_credential"),
    ):
        assert connect(Thing("alibaba", swapped)).code == code
    assert not ClientIdentity.objects.exclude(first_connected_at=None).exists()


def test_it_refuses_a_registration_as_a_connection(lamp: Product) -> None:
    presented = Presented("x|securemode=2,authType=register,random=1,signmethod=hmacsha256|", f"{NAME}&{lamp.key}", "0" * 64)
    assert connect(presented).code == "malformed"


def test_a_known_device_costs_one_statement_and_nothing_is_written_before_the_answer(
    static: Thing, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    connect(static)
    asking, presented = broker(cast.home()), static.presents()
    recorded: list[object] = []
    monkeypatch.setattr(broker_auth.recorder, "put", recorded.append)
    with django_assert_num_queries(1):
        assert broker_auth.connect(broker=asking, presented=presented, address=ADDRESS, at=NOON).allowed
    assert len(recorded) == 2


def test_it_fails_closed(static: Thing, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    connect(static)
    for broken, code in ((OperationalError("gone"), "unavailable"), (ZeroDivisionError("oops"), "internal")):

        def fail(error: Exception = broken, **asked: object) -> None:
            raise error

        monkeypatch.setattr(connections, "look_up", fail)
        verdict = connect(static)
        assert (verdict.allowed, verdict.code) == (False, code)
        assert verdict.request_id in caplog.text


def test_a_log_that_cannot_be_written_does_not_change_the_answer(
    static: Thing, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*records: object) -> None:
        raise OperationalError("disk full")

    monkeypatch.setattr("registration.services.record_writing.write", fail)
    assert connect(static).allowed
    assert "disk full" in caplog.text


def test_the_log_keeps_what_should_have_been_signed_and_no_secret(static: Thing) -> None:
    secret = "SecretThatWasGuessed"
    forged = static.with_secret(secret)
    logged = entry(connect(forged))
    assert "deviceName" + NAME in str(logged.facts["signed_text"])
    everything = str([logged.path, logged.facts])
    assert secret not in everything and forged.presents().password not in everything
    assert logged.path == [
        "The product is known.",
        "The DeviceName is in the pre-import list.",
        "The password was not made with this device's own secret.",
    ]


def test_coming_and_going_is_told_by_the_broker(lamp: Product, static: Thing) -> None:
    connect(static)
    here = broker(cast.home())
    mqtt_client_id = static.presents().client_id
    broker_auth.connected(broker=here, mqtt_client_id=mqtt_client_id, session="s-1", address="203.0.113.9", at=NOON + SECOND)
    assert (Connection.objects.get().session, Connection.objects.get().address) == ("s-1", "203.0.113.9")
    broker_auth.disconnected(broker=here, mqtt_client_id=mqtt_client_id, at=NOON + 5 * SECOND, session="s-1", reason="keepalive\ntimeout")
    assert device(lamp, NAME).state == "offline"
    logged = DeviceLogEntry.objects.get(event=DeviceEvent.DISCONNECTION)
    assert (logged.code, logged.accepted, logged.device_name, logged.product_key) == ("ended", True, NAME, lamp.key)
    assert (logged.at, logged.facts["reason"]) == (NOON + 5 * SECOND, "keepalivetimeout")
    broker_auth.disconnected(broker=here, mqtt_client_id=mqtt_client_id, at=NOON + 6 * SECOND)
    assert DeviceLogEntry.objects.filter(event=DeviceEvent.DISCONNECTION).count() == 1


def test_the_end_of_a_client_id_s_connection_is_found_by_the_client_id(lamp: Product) -> None:
    thing = issued(lamp, NAME)
    connect(thing)
    broker_auth.disconnected(broker=broker(cast.home()), mqtt_client_id=thing.presents().client_id, at=NOON + SECOND, reason="kicked")
    logged = DeviceLogEntry.objects.get(event=DeviceEvent.DISCONNECTION)
    assert (logged.client_id, logged.path) == (thing.credentials.client_id, ["It was cut off."])


def test_a_broker_that_tells_no_departures_leaves_a_device_seen(lamp: Product, static: Thing) -> None:
    connect(static, kind="mosquitto")
    assert device(lamp, NAME).state == "seen"


def test_what_a_broker_tells_of_a_client_nobody_knows_changes_nothing() -> None:
    here = broker(cast.home())
    for hostile in ("", "unknown", "x" * 70_000, "\0", "\ud800"):
        broker_auth.connected(broker=here, mqtt_client_id=hostile, session=hostile, address=hostile, at=NOON)
        broker_auth.disconnected(broker=here, mqtt_client_id=hostile, at=NOON, session=hostile, reason=hostile)
    assert not Connection.objects.exists() and not DeviceLogEntry.objects.exists()


@pytest.mark.parametrize(
    ("username", "allowed"),
    [
        (f"{NAME}&a1LampKey01", True),
        (f"a1LampKey01/{NAME}", True),
        ("lamp-0002&a1LampKey01", False),
        ("", False),
        ("\ud800&\0", False),
    ],
)
def test_a_device_s_topics_are_its_own_by_the_names_in_its_user_name(username: str, allowed: bool, django_assert_num_queries: Any) -> None:
    here = broker(cast.home())
    with django_assert_num_queries(0):
        for action in ("publish", "subscribe"):
            asked = {"broker": here, "username": username, "client_id": "any", "action": action}
            assert broker_auth.authorize(**asked, topic=f"/sys/a1LampKey01/{NAME}/thing/event") is allowed
            assert not broker_auth.authorize(**asked, topic="#")
