"""The home page: real figures by a few cheap queries, and nothing for those who may see nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console import dashboard
from devices.models import Device
from devices.services import admission
from products.services import lookup
from registration.models import DeviceLogEntry
from tests import cast

pytestmark = pytest.mark.django_db
MOST_QUERIES = 22


@pytest.fixture
def fleet() -> None:
    """Three rows, two registered devices in two data centers, one of them activated."""
    kettle = cast.kettle()
    for number in range(3):
        cast.row(kettle, f"A4C13800000{number}")
    known = lookup.find_for_registration(kettle.key, at=cast.NOON)
    admission.admit(data_center=cast.home(), product=known, device_name="A4C138000000", at=cast.NOON)
    admission.admit(data_center=cast.frankfurt(), product=known, device_name="A4C138000001", at=cast.NOON)
    cast.activate(Device.objects.at(cast.frankfurt()).get())


def context(client: Client) -> Any:
    return client.get(reverse("admin:index")).context


def test_it_shows_what_is_pre_imported_registered_and_activated(client: Client, fleet: None) -> None:
    client.force_login(cast.administrator())
    shown = context(client)
    assert shown["supply"]["pre_imported"] == 3
    assert shown["supply"]["codes_left"] == 1000
    assert shown["fleet"]["registered"] == (2, False)
    assert shown["fleet"]["activated"] == (1, False)
    assert {row["center"].code: row["activated"].number for row in shown["fleet"]["rows"]} == {"cn-shanghai": 0, "eu-frankfurt": 1}
    assert not shown["steps"]


def test_it_counts_devices_no_further_than_a_cap(client: Client, fleet: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "CAP", 0)
    client.force_login(cast.administrator())
    assert context(client)["fleet"]["registered"] == (0, True)


def test_refusals_are_counted_by_their_reason(client: Client) -> None:
    center = cast.home()
    facts = {"data_center": center, "protocol": "native", "accepted": False, "request_id": "00000000-0000-0000-0000-000000000001"}
    for code, age in (("not_imported", 1), ("not_imported", 2), ("bad_signature", 3), ("bad_signature", 30)):
        DeviceLogEntry.objects.create(code=code, at=timezone.now() - timedelta(hours=age), **facts)
    client.force_login(cast.administrator())
    rows = {row["code"]: row["count"] for row in context(client)["refusals"]["rows"]}
    assert rows == {"not_imported": 2, "bad_signature": 1}


def test_an_empty_console_says_what_to_do_first(client: Client) -> None:
    cast.home()
    client.force_login(cast.administrator())
    steps = context(client)["steps"]
    assert [step["done"] for step in steps] == [False] * 5
    assert steps[0]["href"] == reverse("admin:products_product_add")
    cast.kettle()
    assert [step["done"] for step in context(client)["steps"]] == [True, True, False, True, False]


def test_it_asks_the_database_little(client: Client, fleet: None, django_assert_max_num_queries: Any) -> None:
    client.force_login(cast.administrator())
    client.get(reverse("admin:index"))
    with django_assert_max_num_queries(MOST_QUERIES):
        client.get(reverse("admin:index"))


def test_a_person_without_rights_sees_no_figure_and_an_empty_sidebar(client: Client, fleet: None) -> None:
    client.force_login(get_user_model().objects.create_user("nobody", is_staff=True))
    answer = client.get(reverse("admin:index"))
    assert "no permission for any part" in answer.content.decode()
    assert [item["title"] for section in answer.context["sidebar_navigation"] for item in section["items"]] == ["Home"]
    assert not [part for part in ("supply", "fleet", "batches", "refusals", "steps") if part in answer.context]


def test_a_person_sees_the_parts_of_their_rights(client: Client, fleet: None) -> None:
    user = get_user_model().objects.create_user("operator", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_device"))
    client.force_login(user)
    answer = client.get(reverse("admin:index"))
    assert "supply" not in answer.context
    assert answer.context["fleet"]["registered"].number == 2
    assert [item["title"] for section in answer.context["sidebar_navigation"] for item in section["items"]] == ["Home", "Devices"]
