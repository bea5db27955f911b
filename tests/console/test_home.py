"""The home page: figures that are kept, what needs attention, and nothing for those who may see nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from console.dashboard import charts
from devices.models import Device
from devices.services import admission
from products.models import ProductAccess
from products.services import lookup
from registration.models import DeviceLogEntry, FigureState
from registration.services import figure_keeping
from registration.services.figures import Attempts
from tests import cast

pytestmark = pytest.mark.django_db
MOST_QUERIES = 45
"""Session, person and sidebar included; with two data centers in one database."""


@pytest.fixture
def fleet() -> None:
    """Three rows, two registered devices in two data centers, one of them activated and online."""
    kettle = cast.kettle()
    for number in range(3):
        cast.row(kettle, f"A4C13800000{number}")
    known = lookup.find_for_registration(kettle.key, at=cast.NOON)
    admission.admit(data_center=cast.home(), product=known, device_name="A4C138000000", at=cast.NOON)
    admission.admit(data_center=cast.frankfurt(), product=known, device_name="A4C138000001", at=cast.NOON)
    cast.activate(Device.objects.at(cast.frankfurt()).get())
    Device.objects.at(cast.frankfurt()).update(last_online_at=cast.NOON)
    count()


def count() -> None:
    """What the sweeps do, half a minute long."""
    now = timezone.now()
    FigureState.objects.update(seen_at=now - timedelta(minutes=1), fleet_seconds=0)
    figure_keeping.roll_up(clock=lambda: now - timedelta(seconds=15))
    figure_keeping.roll_up(clock=lambda: now)
    figure_keeping.count_fleet(clock=lambda: now)


def log(code: str, *, hours: float = 0, product_id: int | None = None, **facts: Any) -> None:
    made = {"data_center": cast.home(), "protocol": "native", "accepted": code == "accepted", "request_id": uuid4()} | facts
    DeviceLogEntry.objects.create(code=code, at=timezone.now() - timedelta(hours=hours), product_id=product_id, **made)


def context(client: Client, query: str = "") -> Any:
    return client.get(reverse("admin:index") + query).context


def person(*permissions: str) -> Any:
    user = get_user_model().objects.create_user("operator", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def test_it_shows_what_is_pre_imported_activated_and_online(client: Client, fleet: None) -> None:
    client.force_login(cast.administrator())
    shown = context(client)
    assert (shown["supply"]["pre_imported"], shown["supply"]["codes_left"]) == (3, 1000)
    every = shown["fleet"]["every"]
    assert (every.registered, every.activated, every.online) == (2, 1, 1)
    assert {row["center"].code: row["is"].online for row in shown["fleet"]["rows"]} == {"cn-shanghai": 0, "eu-frankfurt": 1}
    assert not shown["steps"]


def test_it_never_counts_a_device_list_itself(client: Client, fleet: None) -> None:
    Device.objects.at(cast.home()).update(activated_at=cast.NOON)
    client.force_login(cast.administrator())
    assert context(client)["fleet"]["every"].activated == 1, "as of the last count"
    count()
    assert context(client)["fleet"]["every"].activated == 2


def test_registrations_are_drawn_by_data_center_and_refusals_by_reason(client: Client) -> None:
    for hours in (0, 1, 1):
        log("accepted", hours=hours)
    log("accepted", data_center=cast.frankfurt())
    log("not_imported", hours=1)
    log("bad_signature", hours=30)
    log("bad_credential", event="connection")
    log("ended", event="disconnection", accepted=True)
    count()
    client.force_login(cast.administrator())
    shown = context(client)
    assert sorted((str(name), total) for _colour, name, total in shown["came"].series) == [("Frankfurt", 1), ("Shanghai", 3)]
    assert sorted(str(name) for _colour, name, _total in shown["refused"].series) == ["Not imported", "Wrong DeviceSecret or DeviceToken"]
    assert len(shown["came"].bars) == 24
    week = context(client, "?span=7d&by=center")
    assert [(name, total) for _colour, name, total in week["refused"].series] == [("Shanghai", 3)]
    assert len(week["refused"].bars) == 7
    assert context(client, "?span=century&by=stars")["span"] == "24h"


def test_a_chart_has_few_series_and_adds_up_the_others() -> None:
    slots = [datetime(2026, 11, 20, hour, tzinfo=UTC) for hour in range(24)]
    found = [(Attempts(slots[3], 1, "registration", f"code {number}", 10 + number), f"code {number}") for number in range(9)]
    chart = charts.draw(charts.SPANS["24h"], slots, found, {}, {})
    assert [total for _colour, _name, total in chart.series] == [18, 17, 16, 15, 14, 46]
    assert chart.bars[3].counts == [18, 17, 16, 15, 14, 46]
    assert chart.total == chart.bars[3].total == sum(range(10, 19))
    assert sum(part.height for part in chart.bars[3].parts) == pytest.approx(100, abs=0.1)
    assert chart.top == 200 and chart.bars[3].height == 63
    assert chart.bars[4].height == 0


def test_an_empty_chart_says_so(client: Client) -> None:
    cast.home()
    client.force_login(cast.administrator())
    assert "Nothing was refused in this time." in client.get(reverse("admin:index")).content.decode()


def test_figures_that_nobody_keeps_are_told_to_be_old(client: Client, fleet: None) -> None:
    client.force_login(cast.administrator())
    assert not context(client)["is_stale"]
    FigureState.objects.update(counted_at=timezone.now() - timedelta(minutes=20))
    shown = context(client)
    assert shown["is_stale"]
    assert "The background worker does not run" in [str(alert.title) for alert in shown["alerts"]]


def test_a_person_with_chosen_products_sees_the_figures_of_these(client: Client, fleet: None) -> None:
    lamp = cast.lamp()
    log("not_imported", product_id=lamp.pk)
    log("not_imported", product_id=None)
    log("not_imported", product_id=Device.objects.at(cast.home()).get().product_id)
    count()
    user = person("view_device", "view_product", "view_devicelogentry", "view_batch")
    ProductAccess.objects.create(user=user, product=lamp)
    client.force_login(user)
    shown = context(client)
    assert shown["fleet"]["every"].registered == 0
    assert shown["supply"]["pre_imported"] == 0
    assert [product.name for product in shown["product_rows"]] == ["Lamp"]
    assert shown["refused"].total == 1


def test_an_empty_console_says_what_to_do_first(client: Client) -> None:
    cast.home()
    client.force_login(cast.administrator())
    steps = context(client)["steps"]
    assert [step["done"] for step in steps] == [False] * 5
    assert steps[0]["href"] == reverse("admin:products_product_add")
    cast.kettle()
    assert [step["done"] for step in context(client)["steps"]] == [True, True, False, True, False]


def test_it_asks_the_database_little_and_never_more(client: Client, fleet: None) -> None:
    client.force_login(cast.administrator())
    asked = []
    for start in (10, 40):
        client.get(reverse("admin:index"))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("admin:index"))
        asked.append(len(queries))
        kettle = Device.objects.at(cast.home()).get().product
        for number in range(start, start + 20):
            cast.row(kettle, f"A4C1380000{number}")
            log("bad_signature", product_id=kettle.pk)
        count()
    assert asked[0] == asked[1] <= MOST_QUERIES


def test_a_person_without_rights_sees_no_figure_and_an_empty_sidebar(client: Client, fleet: None) -> None:
    client.force_login(get_user_model().objects.create_user("nobody", is_staff=True))
    answer = client.get(reverse("admin:index"))
    assert "no permission for any part" in answer.content.decode()
    assert [item["title"] for section in answer.context["sidebar_navigation"] for item in section["items"]] == ["Home"]
    assert not [part for part in ("supply", "fleet", "batches", "came", "refused", "steps") if part in answer.context]


def test_a_person_sees_the_parts_of_their_rights(client: Client, fleet: None) -> None:
    client.force_login(person("view_device", "see_every_product"))
    answer = client.get(reverse("admin:index"))
    assert "supply" not in answer.context
    assert answer.context["fleet"]["every"].registered == 2
    assert "Devices" in [item["title"] for section in answer.context["sidebar_navigation"] for item in section["items"]]
