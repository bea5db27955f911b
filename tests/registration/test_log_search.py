"""The log is searched by address, network, name and outcome; each refusal is explained, with the way to where it can be put right."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.urls import reverse

from devices.models import Device
from products.models import Product, ProductAccess
from products.services import data_centers, lookup
from registration.models import DeviceLogEntry
from tests import cast
from tests.registration.knocking import knock

pytestmark = [pytest.mark.django_db, pytest.mark.storage]
LIST = "/registration/devicelogentry/"
WHAT_IF = f"{LIST}what-if/"


@pytest.fixture(autouse=True)
def centers() -> None:
    cast.home()
    cast.frankfurt()
    lookup.forget()
    data_centers.forget()


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(cast.administrator())
    return client


def staff(*permissions: str, every_product: bool = True) -> Any:
    user = get_user_model().objects.create_user("nora", is_staff=True)
    codes = [*permissions, *(["see_every_product"] if every_product else [])]
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
    return user


def entry(name: str = "lamp-1", address: str | None = None, code: str = "not_imported", **facts: Any) -> DeviceLogEntry:
    made = {"product_key": "a1LampKey01", "protocol": "alibaba", "request_id": uuid4(), "accepted": code == "accepted"} | facts
    return DeviceLogEntry.objects.create(at=cast.NOON, data_center=cast.home(), device_name=name, address=address, code=code, **made)


def found(client: Client, query: str) -> list[str]:
    answer = client.get(LIST + query, follow=True)
    assert answer.status_code == 200
    return [one.device_name for one in answer.context["cl"].result_list]


ADDRESSES = ("192.0.2.7", "192.0.2.70", "192.0.3.1", "198.51.100.1", "2001:db8::7", None)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("192.0.2.7", {"192.0.2.7"}),
        ("192.0.2.0/24", {"192.0.2.7", "192.0.2.70"}),
        ("192.0.2.5/24", {"192.0.2.7", "192.0.2.70"}),
        ("192.0.2.0/26", {"192.0.2.7"}),
        ("192.0.2.0/23", {"192.0.2.7", "192.0.2.70", "192.0.3.1"}),
        ("192.0.0.0/8", {"192.0.2.7", "192.0.2.70", "192.0.3.1"}),
        ("0.0.0.0/0", {"192.0.2.7", "192.0.2.70", "192.0.3.1", "198.51.100.1"}),
        ("2001:db8::7", {"2001:db8::7"}),
        ("2001:0DB8:0::7", {"2001:db8::7"}),
        ("10.0.0.0/8", set()),
        ("somewhere", set()),
    ],
)
def test_it_is_searched_by_address_and_network(boss: Client, asked: str, expected: set[str]) -> None:
    for address in ADDRESSES:
        entry(name=str(address), address=address)
    assert set(found(boss, f"?address={asked}")) == expected
    if expected:
        assert set(found(boss, f"?q={asked}")) == expected


def test_a_network_of_ipv6_is_searched_where_the_database_knows_addresses(boss: Client) -> None:
    entry(name="six", address="2001:db8:1::7")
    assert found(boss, "?address=2001:db8::/32") == (["six"] if connection.vendor == "postgresql" else [])


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("?device=A4C138000001", ["A4C138000001"]),
        ("?device=a4:c1:38:00:00:01", ["A4C138000001"]),
        ("?device=A4C1", []),
        ("?device=A4C1*", ["A4C138000002", "A4C138000001"]),
        ("?device=a4-c1-*", ["A4C138000002", "A4C138000001"]),
        ("?q=A4:C1:38", ["A4C138000002", "A4C138000001"]),
        ("?q=a4c1.3800.0002", ["A4C138000002"]),
        ("?q=crate", ["crate-1"]),
    ],
)
def test_a_name_is_found_whole_or_by_its_beginning_in_any_spelling(boss: Client, asked: str, expected: list[str]) -> None:
    for name in ("crate-1", "A4C138000001", "A4C138000002"):
        entry(name=name)
    assert found(boss, asked) == expected


def test_it_is_filtered_by_outcome_and_decision(boss: Client) -> None:
    entry("in", code="accepted")
    entry("out", code="not_imported")
    entry("forged", code="bad_signature")
    entry("left", code="ended", accepted=True, event="disconnection")
    assert found(boss, "?outcome=accepted") == ["in"]
    assert found(boss, "?outcome=refused") == ["forged", "out"]
    assert found(boss, "?code__exact=bad_signature") == ["forged"]
    assert found(boss, "?code__exact=ended") == ["left"]


def page(client: Client, code: str) -> str:
    one = DeviceLogEntry.objects.filter(code=code).latest("pk")
    return client.get(reverse("admin:registration_devicelogentry_change", args=[f"{one.data_center_id}-{one.pk}"])).content.decode()


def test_a_refusal_is_explained_with_the_way_to_the_product_s_switch(boss: Client) -> None:
    lamp = cast.lamp(dynamic_registration=False)
    knock(lamp, "lamp-1")
    shown = page(boss, "dynamic_registration_off")
    assert "What usually causes it" in shown
    assert "Turn dynamic registration on" in shown
    assert reverse("admin:products_product_change", args=[lamp.pk]) in shown
    assert f"{WHAT_IF}?product={lamp.key}&amp;name=lamp-1" in shown


def test_it_leads_to_the_device_or_to_the_form_that_adds_the_row(boss: Client) -> None:
    lamp = cast.lamp()
    knock(lamp, "lamp-1")
    assert f"{reverse('admin:devices_preimporteddevice_add')}?product={lamp.pk}&amp;device_name=lamp-1" in page(boss, "not_imported")
    cast.row(lamp, "lamp-2")
    knock(lamp, "lamp-2")
    device = Device.objects.at(cast.home()).get()
    cast.activate(device)
    knock(lamp, "lamp-2")
    assert reverse("admin:devices_device_change", args=[f"cn-shanghai-{device.pk}"]) in page(boss, "already_activated")


def test_the_form_has_the_name_already(boss: Client) -> None:
    lamp = cast.lamp()
    shown = boss.get(f"{reverse('admin:devices_preimporteddevice_add')}?product={lamp.pk}&device_name=lamp-1").content.decode()
    assert 'value="lamp-1"' in shown


def test_it_leads_nowhere_that_the_reader_may_not_go(client: Client) -> None:
    lamp = cast.lamp(dynamic_registration=False)
    knock(lamp, "lamp-1")
    client.force_login(staff("view_devicelogentry"))
    shown = page(client, "dynamic_registration_off")
    assert "Turn dynamic registration on" in shown
    assert reverse("admin:products_product_change", args=[lamp.pk]) not in shown


def test_an_accepted_entry_is_not_explained(boss: Client) -> None:
    lamp = cast.lamp()
    cast.row(lamp, "lamp-1")
    knock(lamp, "lamp-1")
    assert "What usually causes it" not in page(boss, "accepted")


def what_if(client: Client, product: Product, name: str) -> Any:
    return client.get(WHAT_IF, {"product": product.key, "name": name})


def test_what_if_shows_every_data_center_side_by_side(boss: Client) -> None:
    lamp = cast.lamp()
    cast.row(lamp, "lamp-1")
    knock(lamp, "lamp-1")
    cast.activate(Device.objects.at(cast.home()).get())
    before = DeviceLogEntry.objects.count()
    answer = what_if(boss, lamp, "lamp-1")
    assert {center.code: answers[0].answer.code for center, answers in answer.context["centers"]} == {
        "cn-shanghai": "already_activated",
        "eu-frankfurt": "accepted",
    }
    shown = answer.content.decode()
    assert "It would be added to the device list and handed its DeviceSecret." in shown
    assert "If it is the same device, reset it" in shown
    assert DeviceLogEntry.objects.count() == before


def test_what_if_takes_a_name_in_any_spelling_and_asks_for_one_that_is_missing(boss: Client) -> None:
    kettle = cast.kettle()
    cast.row(kettle, "A4C138000001")
    assert what_if(boss, kettle, "a4:c1:38:00:00:01").context["name"] == "A4C138000001"
    assert "This field is required." in what_if(boss, kettle, "").content.decode()
    assert boss.get(WHAT_IF).status_code == 200


def test_what_if_is_offered_on_the_pages_of_product_device_and_row(boss: Client) -> None:
    lamp = cast.lamp()
    row = cast.row(lamp, "lamp-1")
    knock(lamp, "lamp-1")
    device = Device.objects.at(cast.home()).get()
    for url in (
        reverse("admin:devices_preimporteddevice_change", args=[row.pk]),
        reverse("admin:devices_device_change", args=[f"cn-shanghai-{device.pk}"]),
    ):
        assert f"{WHAT_IF}?product={lamp.key}&amp;name=lamp-1" in boss.get(url).content.decode()
    assert f'action="{WHAT_IF}"' in boss.get(reverse("admin:products_product_change", args=[lamp.pk])).content.decode()


def test_what_if_is_for_those_who_may_read_the_log(client: Client) -> None:
    client.force_login(staff("view_device"))
    assert what_if(client, cast.lamp(), "lamp-1").status_code == 403


def test_what_if_knows_no_product_of_others(client: Client) -> None:
    lamp, kettle = cast.lamp(), cast.kettle()
    user = staff("view_devicelogentry", every_product=False)
    ProductAccess.objects.create(user=user, product=lamp)
    client.force_login(user)
    assert "centers" in what_if(client, lamp, "lamp-1").context
    refused = what_if(client, kettle, "A4C138000001")
    assert "centers" not in refused.context
    assert "Kettle" not in refused.content.decode()
