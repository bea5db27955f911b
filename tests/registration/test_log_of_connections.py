"""The device log with connections: found by event, ClientID and device, read well, exported within bounds (A14)."""

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from console.models import AuditEntry
from devices.models import ClientIdentity
from products.models import Broker, Product
from products.services import brokers
from registration.decision_codes import DecisionCode
from registration.models import DeviceEvent, DeviceLogEntry
from registration.protocols.connecting import DeviceCredentials
from registration.protocols.connection_schemes import COMPOSERS
from registration.services import broker_auth, log_export
from tests import cast
from tests.cast import NOON
from tests.devices.clones import clone, device

pytestmark = pytest.mark.django_db
LIST = "admin:registration_devicelogentry_changelist"
EXPORT = "admin:registration_devicelogentry_export"
NAME = "A4C138000001"


@pytest.fixture
def kettle() -> Product:
    cast.home()
    return cast.kettle(preregistration_free=True)


@pytest.fixture
def identity(kettle: Product) -> ClientIdentity:
    return clone(kettle, NAME)


@pytest.fixture
def came_and_left(kettle: Product, identity: ClientIdentity) -> None:
    """One connection that ended after five minutes, and one with a wrong DeviceToken; both through the broker's question."""
    row = brokers.save(Broker(), data_center=cast.home(), name="EMQX 1", kind="emqx", by=cast.OPERATOR, at=NOON)
    hooked = brokers.hooked(row)
    forged = DeviceCredentials(kettle.key, NAME, client_id=identity.client_id, device_token="x" * 32)
    presented = COMPOSERS["alibaba"](forged, NOON, 0)
    broker_auth.connect(broker=hooked, presented=presented, address="198.51.100.9", at=NOON + timedelta(minutes=1))
    entry(
        kettle, event=DeviceEvent.CONNECTION, client_id=identity.client_id, at=NOON + timedelta(minutes=2), path=["The product is known."]
    )
    entry(
        kettle,
        event=DeviceEvent.DISCONNECTION,
        code=DecisionCode.ENDED,
        client_id=identity.client_id,
        at=NOON + timedelta(minutes=7),
        path=["The device left, or its connection broke."],
        facts={"reason": "tcp_closed", "mqtt_client_id": "abc|x|"},
    )
    entry(kettle, device_name="A4C138000002", event=DeviceEvent.CONNECTION, at=NOON + timedelta(minutes=8))


def entry(product: Product, **facts: Any) -> DeviceLogEntry:
    known = {
        "protocol": "mqtt",
        "code": DecisionCode.ACCEPTED,
        "accepted": True,
        "device_name": NAME,
        "product_key": product.key,
        "at": NOON,
        "request_id": uuid4(),
    }
    return DeviceLogEntry.objects.create(data_center=cast.home(), product=product, **known | facts)


def person(*permissions: str) -> Client:
    user = get_user_model().objects.create_user("nora", password=cast.PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=[*permissions, "see_every_product"]))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def reader(db: None) -> Client:
    return person("view_devicelogentry")


def found(client: Client, **query: str) -> list[str]:
    """The events of the list, newest first."""
    answer = client.get(reverse(LIST), query, follow=True)
    assert answer.status_code == 200
    return [f"{one.event}:{one.code}" for one in answer.context["cl"].result_list]


# -- Finding ---------------------------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("came_and_left")
def test_it_finds_by_event_device_decision_and_client_id(reader: Client, identity: ClientIdentity) -> None:
    refused, came, left = "connection:bad_credential", "connection:accepted", "disconnection:ended"
    assert found(reader) == [came, left, came, refused]
    assert found(reader, event__exact="connection") == [came, came, refused]
    assert found(reader, event__exact="disconnection") == [left]
    assert found(reader, device=NAME) == [left, came, refused]
    assert found(reader, device="a4:c1:38:00:00:01") == [left, came, refused], "in any spelling"
    assert found(reader, device="A4C138") == [], "a whole name, not its beginning"
    assert found(reader, client_id=identity.client_id) == [left, came, refused]
    assert found(reader, client_id=identity.client_id[:-1]) == []
    assert found(reader, q=identity.client_id) == [left, came, refused], "the search finds it too"
    assert found(reader, code__exact="bad_credential", device=NAME) == [refused]
    assert found(reader, protocol="mqtt", event__exact="disconnection") == [left]


@pytest.mark.usefixtures("came_and_left")
def test_an_end_is_neither_good_nor_bad_and_says_why(reader: Client) -> None:
    last = DeviceLogEntry.objects.get(event="disconnection")
    page = reader.get(reverse("admin:registration_devicelogentry_change", args=[f"{last.data_center_id}-{last.pk}"])).content.decode()
    assert '<span class="np-badge np-badge--grey">Connection ended</span>' in page
    assert "What happened" in page and "Path of the decision" not in page
    assert "The device left, or its connection broke." in page
    assert "In the broker&#x27;s words" in page and "tcp_closed" in page
    assert "The broker told that the connection has ended." in page


@pytest.mark.usefixtures("came_and_left")
def test_an_entry_leads_to_its_client_id_s_events_and_to_the_device_for_those_who_may(reader: Client, identity: ClientIdentity) -> None:
    one = DeviceLogEntry.objects.filter(client_id=identity.client_id).latest("pk")
    address = reverse("admin:registration_devicelogentry_change", args=[f"{one.data_center_id}-{one.pk}"])
    target = f"/devices/device/cn-shanghai-{identity.device_id}/change/"
    page = reader.get(address).content.decode()
    assert f"client_id={identity.client_id}" in page
    assert target not in page
    reader.logout()
    boss = Client()
    boss.force_login(cast.administrator())
    assert target in boss.get(address).content.decode()


def test_the_token_is_nowhere_in_the_log(came_and_left: None) -> None:
    assert "x" * 32 not in str(list(DeviceLogEntry.objects.values()))


@pytest.mark.usefixtures("came_and_left")
def test_a_device_s_page_links_to_all_of_its_entries(kettle: Product) -> None:
    client = person("view_devicelogentry", "view_device")
    page = client.get(f"/devices/device/cn-shanghai-{device(kettle, NAME).pk}/change/").content.decode()
    assert f"center=cn-shanghai&amp;product={kettle.key}&amp;device={NAME}" in page
    assert "Connection ended" in page


# -- The export ------------------------------------------------------------------------------------------------------------------------
def exported(client: Client, **query: str) -> list[dict[str, str]]:
    answer = client.post(f"{reverse(EXPORT)}?{'&'.join(f'{name}={value}' for name, value in query.items())}")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    whole = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(whole)))


@pytest.mark.usefixtures("came_and_left")
def test_the_export_holds_what_the_list_shows_with_its_filters(reader: Client, identity: ClientIdentity) -> None:
    rows = exported(reader, client_id=identity.client_id, event__exact="connection")
    assert [row["decision"] for row in rows] == ["accepted", "bad_credential"]
    assert rows[0] == {
        "time": "2026-11-20T12:02:00+00:00",
        "data center": "cn-shanghai",
        "event": "connection",
        "ProductKey": "a1ExpAkj9Hi",
        "DeviceName": NAME,
        "ClientID": identity.client_id,
        "accepted": "yes",
        "decision": "accepted",
        "protocol": "mqtt",
        "address": "",
        "path": "The product is known.",
        "request": rows[0]["request"],
    }
    assert len(exported(reader)) == 4


@pytest.mark.usefixtures("came_and_left")
def test_the_export_is_audited_with_its_filters(reader: Client) -> None:
    exported(reader, event__exact="connection", device=NAME)
    line = AuditEntry.objects.get(action="device_log.export")
    assert (line.actor_name, line.count) == ("nora", 2)
    assert line.after == {"data_center": "cn-shanghai", "conditions": {"Event": "Connection", "DeviceName": NAME}}


@pytest.mark.usefixtures("came_and_left")
def test_the_page_before_it_says_how_many_and_chosen_how_and_exports_nothing(reader: Client) -> None:
    answer = reader.get(reverse(EXPORT), {"event__exact": "connection", "at_from_0": "2026-11-20"})
    page = answer.content.decode()
    assert "3 entries" in page
    assert "Connection" in page and "2026-11-20" in page
    assert 'action="?event__exact=connection&amp;at_from_0=2026-11-20"' in page
    assert not AuditEntry.objects.filter(action="device_log.export").exists()
    assert "0 entries" in reader.get(reverse(EXPORT), {"device": "nobody"}).content.decode()


@pytest.mark.usefixtures("came_and_left")
def test_it_is_bounded_and_says_so(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_export, "MOST_ROWS", 3)
    monkeypatch.setattr(log_export, "PAGE", 2)
    page = reader.get(reverse(EXPORT)).content.decode()
    assert "The file holds the newest 3 alone." in page
    rows = exported(reader)
    assert [row["event"] for row in rows] == ["connection", "disconnection", "connection"]


def test_what_a_stranger_sent_computes_nothing_in_a_spreadsheet(reader: Client, kettle: Product) -> None:
    entry(kettle, device_name="=1+1", product_key="@x", client_id="+1")
    row = exported(reader)[0]
    assert (row["DeviceName"], row["ProductKey"], row["ClientID"]) == ("'=1+1", "'@x", "'+1")


@pytest.mark.usefixtures("came_and_left")
def test_nobody_exports_without_the_right_to_read_the_log() -> None:
    client = person("view_device")
    assert client.get(reverse(EXPORT)).status_code == 403
    assert client.post(reverse(EXPORT)).status_code == 403
    assert not AuditEntry.objects.filter(action="device_log.export").exists()


@pytest.mark.usefixtures("came_and_left")
def test_the_list_leads_to_the_export_with_its_filters(reader: Client) -> None:
    page = reader.get(reverse(LIST), {"device": NAME}).content.decode()
    assert f'href="{reverse(EXPORT)}?device={NAME}"' in page


@pytest.mark.usefixtures("came_and_left")
def test_nonsense_in_the_address_leads_back_to_the_list(reader: Client) -> None:
    assert reader.get(reverse(EXPORT), {"nonsense__exact": "1"}).status_code == 302
