"""The demo data loads, and shows more than the sunny side."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from console import demo, first_start
from console.models import ApiKey
from console.people import roles
from devices.models import Batch, Device, DisconnectOrder, DownloadCode, SerialNumber, Upload
from devices.rules import macs
from devices.services import undoing
from products.models import DataCenter, Product
from registration.models import DeviceLogEntry, HourlyFigure
from tests import cast

pytestmark = [pytest.mark.django_db, pytest.mark.storage]


def test_a_console_that_is_not_set_up_stays_empty() -> None:
    with pytest.raises(CommandError, match="not set up yet"):
        call_command("demo", verbosity=0)
    assert not DataCenter.objects.exists()


def test_a_home_is_made_beside_other_data_centers() -> None:
    cast.frankfurt()
    first_start.make_home(at=cast.NOON)
    first_start.make_home(at=cast.NOON)
    assert DataCenter.objects.home().code == "home" and DataCenter.objects.count() == 2


def test_it_loads_a_fleet_with_a_past_once(settings: Any) -> None:
    settings.NAMEPLATE_PRODUCT_CACHE_SECONDS = 0  # A test's transaction is never committed, so that a switch would not drop what is kept.
    cast.home()
    call_command("demo", verbosity=0)
    assert Product.objects.count() == 4
    assert set(Batch.objects.values_list("state", flat=True)) == {"done"}
    assert Device.objects.exclude(activated_at=None).exists()
    assert {"accepted", "bad_signature", "not_imported"} <= set(DeviceLogEntry.objects.values_list("code", flat=True))
    assert {"registration", "connection", "disconnection"} <= set(DeviceLogEntry.objects.values_list("event", flat=True))
    assert {"online", "offline", "seen", "inactive", "disabled"} <= {device.state for device in Device.objects.all()}
    assert Device.objects.with_several_client_ids().exists(), "clones to decide about"
    assert Device.objects.switched().exists(), "and one that was decided"
    assert DisconnectOrder.objects.unreachable().exists()
    assert {name for person in User.objects.all() for name in person.groups.values_list("name", flat=True)} == set(roles.ROLES)
    assert ApiKey.objects.get().actions and DownloadCode.objects.get().uses == 1
    assert 0 < SerialNumber.objects.exclude(bound_at=None).count() < SerialNumber.objects.count()
    assert Upload.objects.get().bad_rows, "a workbook to put right"
    assert [bool(undoing.in_the_way(batch)) for batch in Batch.objects.order_by("product__name")] == [False, True]
    assert HourlyFigure.objects.exists(), "charts on the home page"
    entries = DeviceLogEntry.objects.count()
    call_command("demo", verbosity=0)
    assert DeviceLogEntry.objects.count() == entries


def test_a_clones_name_is_a_mac_address_in_a_database_of_many_data_centers() -> None:
    names = {demo.cloned_name(DataCenter(pk=4_096, code=code), number) for code in ("cn-shanghai", "eu-frankfurt") for number in (1, 2)}
    assert len(names) == 4 and all(macs.normalise(name) == name for name in names)


def test_it_refuses_a_production_console(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAMEPLATE_MODE", "production")
    with pytest.raises(CommandError, match="production"):
        call_command("demo")
    assert not demo.is_there()
