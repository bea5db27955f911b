"""One DeviceName, six physical devices: five get in, an operator in Chromium keeps one, the other four are cut off (A9 to A13)."""

from collections.abc import Callable, Iterator

import pytest

from devices.models import ClientIdentity, Connection, ConnectionEnd, Device, IdentityStatus
from registration.models import DeviceLogEntry
from tests import cast
from tests.flows import clones
from tests.flows.clones import SEVERAL, UPDATE, Clone
from tests.flows.conftest import Front
from tests.flows.operator import Operator
from tests.flows.test_from_excel_to_device import an_administrator
from tests.processes import Server
from tests.registration.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture
def six(front: Front) -> Iterator[list[Clone]]:
    """Six physical devices with the same firmware, registered under one name."""
    cast.kettle(preregistration_free=True)
    an_administrator()
    found = clones.register(front.port, 6)
    yield found
    for clone in found:
        if clone.device:
            clone.device.switch_off()


def test_an_operator_keeps_one_of_five_physical_devices(
    six: list[Clone], running_server: Server, operator_at: Callable[[str], Operator]
) -> None:
    operator = operator_at(running_server.url)
    operator.sign_in("admin", cast.PASSWORD)
    five, sixth = six[:5], six[5]
    the_product_has_no_notice(operator)
    clones.connect(five)
    until(lambda: Connection.objects.open().count() == 5)
    the_sixth_is_refused(sixth)

    clones.find_the_compromised_device(operator, active=5)
    operator.sees("5 physical devices are active", "5 physical devices at the same time", *(clone.client_id for clone in five))
    stays, others = five[1], [five[0], *five[2:]]
    pressed = clones.keep_one(operator, stays, others)
    clones.cut_off_by(others, pressed + 2)
    operator.sees(f"{stays.client_id} stays, the others are forbidden.", "1 physical device is active", "Cut off")
    they_stay_out(others)
    assert stays.is_in
    publishes(stays)
    the_product_has_no_notice(operator)

    clones.open_device(operator)
    pressed = clones.clear(operator)
    clones.cut_off_by([stays], pressed + 2)
    operator.sees("All ClientIDs of the device are forbidden.", "0 physical devices are active")
    they_stay_out([stays])
    until(lambda: Device.objects.at(cast.home()).get().state == "offline")
    assert set(ClientIdentity.objects.values_list("status", flat=True)) == {IdentityStatus.CLEARED}
    the_product_has_no_notice(operator)


def the_product_has_no_notice(operator: Operator) -> None:
    clones.open_product(operator)
    operator.sees_not(SEVERAL)


def the_sixth_is_refused(sixth: Clone) -> None:
    device = sixth.switch_on()
    until(lambda: DeviceLogEntry.objects.filter(code="client_limit", client_id=sixth.client_id).exists(), 30)
    assert device.first("connected", rc=0) is None
    assert Device.objects.at(cast.home()).get().client_ids_active == 5
    device.switch_off()


def they_stay_out(others: list[Clone]) -> None:
    """Their firmware tries again and again."""
    for clone in others:
        refused = DeviceLogEntry.objects.filter(code__in=("client_id_switched", "client_forbidden"), client_id=clone.client_id)
        until(refused.exists, 30)
        assert not clone.is_in
    ended = Connection.objects.filter(identity__client_id__in=[clone.client_id for clone in others])
    assert set(ended.values_list("ended", flat=True)) == {ConnectionEnd.CUT}


def publishes(clone: Clone) -> None:
    assert clone.device
    before = sum(one["event"] == "published" for one in clone.device.events)
    clone.device.publish(UPDATE)
    until(lambda: clone.device and sum(one["event"] == "published" for one in clone.device.events) > before)
