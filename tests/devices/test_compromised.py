"""Names with several physical devices: told on the product's page and at home, listed by data center (A10)."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from devices.models import DisconnectOrder
from devices.services import client_ids, disconnecting
from products.models import Product
from tests import cast
from tests.devices.clones import clone, connect, device, minutes
from tests.devices.pages import staff

pytestmark = pytest.mark.django_db
NOTICE = "The devices of the current product have multiple ClientIDs."


@pytest.fixture
def kettle() -> Product:
    cast.home()
    cast.frankfurt()
    return cast.kettle(preregistration_free=True)


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(cast.administrator())
    return client


def compromised(kettle: Product, name: str, *, clones: int = 2, frankfurt: bool = False) -> None:
    center = cast.frankfurt() if frankfurt else cast.home()
    for number in range(clones):
        connect(clone(kettle, name, center=center), f"203.0.113.{number}", at=minutes(number))


def product_page(client: Client, product: Product) -> str:
    return client.get(reverse("admin:products_product_change", args=[product.pk])).content.decode()


def list_of(client: Client, product: Product) -> Any:
    return client.get(reverse("admin:devices_device_compromised", args=[product.pk]))


def test_the_product_s_page_says_nothing_while_every_name_has_one_device(operator: Client, kettle: Product) -> None:
    compromised(kettle, "A4C138000001", clones=1)
    clone(kettle, "A4C138000001")
    assert NOTICE not in product_page(operator, kettle), "an identity that never connected is no second device"
    assert "No name has several ClientIDs" in list_of(operator, kettle).content.decode()


def test_the_product_s_page_tells_how_many_names_where_and_leads_to_them(operator: Client, kettle: Product) -> None:
    compromised(kettle, "A4C138000001")
    compromised(kettle, "A4C138000002", clones=3)
    compromised(kettle, "A4C138000003", frankfurt=True)
    shown = product_page(operator, kettle)
    assert NOTICE in shown
    assert "3 DeviceNames are used by more than one physical device. Shanghai: 2, Frankfurt: 1." in shown
    assert reverse("admin:devices_device_compromised", args=[kettle.pk]) in shown
    assert NOTICE not in product_page(operator, cast.meter()), "another product is not concerned"


def test_the_list_has_every_such_name_with_its_active_client_ids(operator: Client, kettle: Product) -> None:
    compromised(kettle, "A4C138000001")
    compromised(kettle, "A4C138000002", clones=5)
    compromised(kettle, "A4C138000003", frankfurt=True)
    compromised(kettle, "A4C138000004", clones=1)
    answer = list_of(operator, kettle)
    rows = {
        place.center.code: [(row.device.device_name, row.device.client_ids_active) for row in place.rows]
        for place in answer.context["places"]
    }
    assert rows == {"cn-shanghai": [("A4C138000002", 5), ("A4C138000001", 2)], "eu-frankfurt": [("A4C138000003", 2)]}
    assert f"cn-shanghai-{device(kettle, 'A4C138000001').pk}" in answer.content.decode()


def test_a_switched_name_stays_in_the_list_as_resolved_and_leaves_the_notice(operator: Client, kettle: Product) -> None:
    compromised(kettle, "A4C138000001")
    one = device(kettle, "A4C138000001")
    keep = one.identities.first()
    assert keep is not None
    client_ids.switch(one, keep=keep.client_id, by=cast.OPERATOR, at=minutes(9))
    assert NOTICE not in product_page(operator, kettle)
    shown = list_of(operator, kettle).content.decode()
    assert "0 to decide, 1 resolved" in shown
    assert "Resolved: switched 2026-11-20" in shown


def test_a_cleared_name_is_no_longer_listed(operator: Client, kettle: Product) -> None:
    compromised(kettle, "A4C138000001")
    client_ids.clear(device(kettle, "A4C138000001"), by=cast.OPERATOR, at=minutes(9))
    assert NOTICE not in product_page(operator, kettle)
    assert list_of(operator, kettle).context["places"] == []


def test_the_list_costs_the_same_however_long_it_is(operator: Client, kettle: Product, django_assert_max_num_queries: Any) -> None:
    for number in range(6):
        compromised(kettle, f"A4C13800000{number}")
    list_of(operator, kettle)
    with django_assert_max_num_queries(16):
        list_of(operator, kettle)


def test_those_who_may_not_see_devices_see_neither(kettle: Product) -> None:
    compromised(kettle, "A4C138000001")
    nobody = staff("view_batch")
    assert list_of(nobody, kettle).status_code == 403


def test_an_unknown_product_is_not_found(operator: Client, kettle: Product) -> None:
    assert operator.get(reverse("admin:devices_device_compromised", args=[kettle.pk + 99])).status_code == 404


def test_the_device_list_shows_and_finds_them(operator: Client, kettle: Product) -> None:
    compromised(kettle, "A4C138000001")
    compromised(kettle, "A4C138000002", clones=1)
    compromised(kettle, "A4C138000003")
    one = device(kettle, "A4C138000003")
    keep = one.identities.first()
    assert keep is not None
    client_ids.switch(one, keep=keep.client_id, by=cast.OPERATOR, at=minutes(9))
    found = {}
    for word in ("several", "switched", "nonsense"):
        answer = operator.get(reverse("admin:devices_device_changelist"), {"client_ids": word})
        found[word] = [row.device_name for row in answer.context["cl"].result_list]
    assert found == {
        "several": ["A4C138000001"],
        "switched": ["A4C138000003"],
        "nonsense": ["A4C138000003", "A4C138000002", "A4C138000001"],
    }
    assert "2 ClientIDs" in operator.get(reverse("admin:devices_device_changelist")).content.decode()


def test_the_device_list_finds_those_that_were_only_seen(operator: Client, kettle: Product) -> None:
    connect(clone(kettle, "A4C138000001"))
    connect(clone(kettle, "A4C138000002"), kind="mosquitto")
    answer = operator.get(reverse("admin:devices_device_changelist"), {"state": "seen"})
    assert [row.device_name for row in answer.context["cl"].result_list] == ["A4C138000002"]
    assert "Last seen" in answer.content.decode()


def test_the_home_page_says_what_is_to_be_decided_and_what_a_broker_has_not_done(operator: Client, kettle: Product) -> None:
    assert alerts(operator) == {}
    compromised(kettle, "A4C138000001")
    compromised(kettle, "A4C138000002")
    client_ids.clear(device(kettle, "A4C138000002"), by=cast.OPERATOR, at=minutes(9))
    for order in DisconnectOrder.objects.all():
        disconnecting.order_failed(order, "Connection refused.", at=minutes(10))
    assert alerts(operator) == {"Kettle: names with several ClientIDs": 1, "Connections that cannot be cut off": 2}


def alerts(operator: Client) -> dict[str, int]:
    """What the home page says of clones: the line and its number."""
    found = operator.get(reverse("admin:index")).context["alerts"]
    return {alert.title: alert.count for alert in found if "ClientIDs" in alert.title or "cut off" in alert.title}
