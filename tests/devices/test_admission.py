"""Admission as a service: what is stored, and the life that follows (Q2, Q3, A6 to A8, T3)."""

from datetime import timedelta

import pytest

from console.shared import keyring
from devices.models import AutoCreation, Device, DeviceOrigin, PreImportedDevice
from devices.rules.admission import AlreadyActivated, AlreadyRegistered, AutoCreateLimit, DeviceDisabled, NotImported, WrongAuthentication
from devices.services import lifecycle, pre_import
from devices.services.admission import Admission, admit
from products.models import DataCenter, Product
from products.services.lookup import find_for_registration
from tests import cast
from tests.cast import NOON, OPERATOR

pytestmark = [pytest.mark.django_db, pytest.mark.storage]
MAC = "A4C138000001"


def register(product: Product, name: str = MAC, center: DataCenter | None = None, minutes: int = 0) -> Admission:
    at = NOON + timedelta(minutes=minutes)
    return admit(data_center=center or cast.home(), product=find_for_registration(product.key, at=at), device_name=name, at=at)


def device_at(center: DataCenter, name: str = MAC) -> Device:
    return Device.objects.at(center).get(device_name=name)


def test_a_pre_imported_device_is_handed_its_secret_and_appears_where_it_called() -> None:
    kettle = cast.kettle()
    row = cast.row(kettle, MAC, nickname="Kitchen", sn="SN-1")
    admission = register(kettle, center=cast.frankfurt())
    assert admission.device_secret == keyring.unseal(row.sealed_secret, owner=row.secret_owner())
    device = device_at(cast.frankfurt())
    assert (device.nickname, device.sn, device.state, device.registered_at) == ("Kitchen", "SN-1", "inactive", NOON)
    assert not Device.objects.at(cast.home()).exists()


def test_registering_again_before_activation_hands_out_the_same_secret() -> None:
    kettle = cast.kettle()
    cast.row(kettle, MAC)
    first, second = register(kettle), register(kettle, minutes=1)
    assert first.device_secret == second.device_secret
    assert first.is_new and not second.is_new


def test_a_product_may_ask_for_a_new_secret_each_time() -> None:
    kettle = cast.kettle(new_secret_each_time=True)
    cast.row(kettle, MAC)
    first, second, third = register(kettle), register(kettle), register(kettle)
    assert len({first.device_secret, second.device_secret, third.device_secret}) == 3
    device = device_at(cast.home())
    assert keyring.unseal(device.sealed_secret, owner=device.secret_owner()) == third.device_secret


def test_an_activated_device_is_refused_until_it_is_reset_and_then_gets_the_same_secret() -> None:
    kettle = cast.kettle()
    cast.row(kettle, MAC)
    first = register(kettle)
    assert cast.activate(device_at(cast.home()), at=NOON)
    with pytest.raises(AlreadyActivated):
        register(kettle)
    lifecycle.reset(device_at(cast.home()), by=OPERATOR, at=NOON)
    assert register(kettle).device_secret == first.device_secret


def test_a_deleted_device_loses_its_secret_and_another_one_can_be_activated() -> None:
    kettle = cast.kettle()
    cast.row(kettle, MAC)
    first = register(kettle)
    cast.activate(device_at(cast.home()), at=NOON)
    lifecycle.delete(device_at(cast.home()), by=OPERATOR, at=NOON)
    assert register(kettle).device_secret != first.device_secret


def test_deleting_the_row_with_its_devices_voids_the_secret_and_without_them_leaves_them() -> None:
    kettle = cast.kettle()
    row = cast.row(kettle, MAC)
    first = register(kettle)
    pre_import.delete([row.pk], with_devices=False, by=OPERATOR, at=NOON)
    assert register(kettle).device_secret == first.device_secret
    again = cast.row(kettle, MAC)
    pre_import.delete([again.pk], with_devices=True, by=OPERATOR, at=NOON)
    assert not Device.objects.at(cast.home()).exists()
    with pytest.raises(NotImported):
        register(kettle)
    cast.row(kettle, MAC)
    assert register(kettle).device_secret != first.device_secret


def test_policy_once_refuses_a_second_registration() -> None:
    kettle = cast.kettle(reregistration="once")
    cast.row(kettle, MAC)
    register(kettle)
    with pytest.raises(AlreadyRegistered):
        register(kettle)


@pytest.mark.parametrize("authentication", ["static", "x509"])
def test_a_device_that_authenticates_otherwise_is_refused(authentication: str) -> None:
    kettle = cast.kettle(auto_create=True, auto_create_limit=5)
    cast.row(kettle, MAC, authentication)
    with pytest.raises(WrongAuthentication):
        register(kettle)
    assert not Device.objects.at(cast.home()).exists()


def test_unknown_names_are_created_up_to_the_limit_and_no_further() -> None:
    kettle = cast.kettle(auto_create=True, auto_create_limit=2)
    made = [register(kettle, f"A4C13800000{digit}") for digit in "23"]
    assert all(admission.is_new for admission in made)
    assert register(kettle, "A4C138000002").device_secret == made[0].device_secret
    with pytest.raises(AutoCreateLimit):
        register(kettle, "A4C138000004")
    assert Device.objects.at(cast.home()).filter(origin=DeviceOrigin.AUTO_CREATED).count() == 2
    lifecycle.delete(device_at(cast.home(), "A4C138000002"), by=OPERATOR, at=NOON)
    assert AutoCreation.objects.get(product=kettle).created == 1
    assert register(kettle, "A4C138000004").is_new


def test_a_disabled_device_cannot_register() -> None:
    kettle = cast.kettle()
    cast.row(kettle, MAC)
    register(kettle)
    lifecycle.disable(device_at(cast.home()), by=OPERATOR, at=NOON)
    with pytest.raises(DeviceDisabled):
        register(kettle)
    lifecycle.enable(device_at(cast.home()), by=OPERATOR, at=NOON)
    assert register(kettle).device_secret


def test_editing_a_row_leaves_the_device_alone_and_the_other_way_round() -> None:
    kettle = cast.kettle()
    row = cast.row(kettle, MAC, nickname="Old", sn="SN-1")
    register(kettle)
    pre_import.edit(row.pk, {"nickname": "New", "sn": "SN-2", "authentication": "static"}, by=OPERATOR, at=NOON)
    device = device_at(cast.home())
    assert (device.nickname, device.sn, device.authentication) == ("Old", "SN-1", "dynamic")
    lifecycle.edit(device, nickname="Local", sn="SN-3", by=OPERATOR, at=NOON)
    assert PreImportedDevice.objects.get(pk=row.pk).nickname == "New"


def test_activation_happens_once_and_not_to_a_disabled_device() -> None:
    kettle = cast.kettle()
    cast.row(kettle, MAC)
    register(kettle)
    device = device_at(cast.home())
    lifecycle.disable(device, by=OPERATOR, at=NOON)
    with pytest.raises(DeviceDisabled):
        cast.activate(device, at=NOON)
    lifecycle.enable(device, by=OPERATOR, at=NOON)
    assert cast.activate(device, at=NOON)
    assert not cast.activate(device, at=NOON)
