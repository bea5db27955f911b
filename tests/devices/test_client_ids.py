"""Preregistration-free devices: ClientIDs are issued (A4), five of them are active at most (A9), Switch (A12) and Clear (A13)."""

from datetime import timedelta

import pytest

from console.errors import Conflict, Invalid
from console.models import AuditEntry
from devices.models import ClientIdentity, Device, DisconnectOrder
from devices.rules.admission import DeviceDisabled, DynamicRegistrationOff, Refused, WrongAuthentication
from devices.rules.client_ids import MAX_ACTIVE, PENDING_AT_MOST, ClientIdSwitched, ClientLimit, PreregistrationFreeOff
from devices.rules.connecting import ClientForbidden
from devices.services import client_ids, connections, lifecycle
from products.models import BrokerKind, DataCenter, Product
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices.identities import NAME, arrive, broker, connect, device, issue, statuses

pytestmark = [pytest.mark.django_db, pytest.mark.storage]
SECOND = timedelta(seconds=1)


@pytest.fixture
def home() -> DataCenter:
    return cast.home()


@pytest.fixture
def product(home: DataCenter) -> Product:
    return cast.kettle(preregistration_free=True)


def test_a_name_that_nobody_imported_gets_a_client_id_and_a_token(home: DataCenter, product: Product) -> None:
    issued = issue(home, product)
    assert issued.is_new
    assert (len(issued.client_id), len(issued.device_token)) == (26, 32)
    assert device(home).activated_at is None
    connect(home, product, issued)
    assert device(home).activated_at == NOON
    assert device(home).client_ids_active == 1


def test_the_token_is_stored_nowhere(home: DataCenter, product: Product) -> None:
    issued = issue(home, product)
    row = ClientIdentity.objects.get()
    assert issued.device_token.encode() not in bytes(row.sealed_token_digest)
    assert issued.device_token not in repr(issued)


def test_a_wrong_token_does_not_match(home: DataCenter, product: Product) -> None:
    issued = issue(home, product)
    where = {"data_center": home, "product_id": product.pk, "device_name": NAME}
    assert not connections.look_up(**where, client_id=issued.client_id).token_matches(issued.device_token[:-1] + "!")
    assert not connections.look_up(**where, client_id="another").token_matches(issued.device_token)


@pytest.mark.parametrize(
    ("switches", "refusal"),
    [
        ({"preregistration_free": False}, PreregistrationFreeOff),
        ({"preregistration_free": True, "dynamic_registration": False}, DynamicRegistrationOff),
    ],
)
def test_it_refuses_where_the_product_does_not_want_it(home: DataCenter, switches: dict[str, bool], refusal: type[Refused]) -> None:
    with pytest.raises(refusal):
        issue(home, cast.kettle(**switches))
    assert not Device.objects.exists()


def test_it_refuses_the_name_of_a_static_device(home: DataCenter, product: Product) -> None:
    cast.row(product, NAME, "static")
    with pytest.raises(WrongAuthentication):
        issue(home, product)


def test_a_pre_imported_name_brings_its_facts_along(home: DataCenter, product: Product) -> None:
    cast.row(product, NAME, nickname="Kitchen", sn="SN-1")
    issue(home, product)
    assert (device(home).nickname, device(home).sn) == ("Kitchen", "SN-1")


def test_identities_that_never_connected_do_not_fill_the_name_up_and_five_that_did_do(home: DataCenter, product: Product) -> None:
    waiting = [issue(home, product) for _ in range(8)]
    for issued in waiting[:MAX_ACTIVE]:
        connect(home, product, issued)
    with pytest.raises(ClientLimit):
        connect(home, product, waiting[MAX_ACTIVE])
    with pytest.raises(ClientLimit):
        issue(home, product)
    assert device(home).client_ids_active == MAX_ACTIVE
    connect(home, product, waiting[0])  # One of the five comes again as often as it likes.


def test_firmware_in_a_loop_cannot_fill_the_list(home: DataCenter, product: Product) -> None:
    first = issue(home, product)
    for _ in range(PENDING_AT_MOST + 5):
        last = issue(home, product)
    assert ClientIdentity.objects.count() == PENDING_AT_MOST
    assert first.client_id not in statuses(home)
    connect(home, product, last)


def test_switch_keeps_one_and_forbids_the_others_for_good(home: DataCenter, product: Product) -> None:
    where = broker(home)
    devices = [issue(home, product) for _ in range(3)]
    for at, issued in enumerate(devices[:2]):
        arrive(where, product, connect(home, product, issued), issued, NOON + at * SECOND)
    assert client_ids.switch(device(home), keep=devices[0].client_id, reason="stolen", by=OPERATOR, at=NOON + 9 * SECOND) == 1
    assert list(statuses(home).values()) == ["allowed", "switched_off", "switched_off"]
    assert DisconnectOrder.objects.get().client_id == devices[1].client_id
    connect(home, product, devices[0])
    for forbidden in devices[1:]:
        with pytest.raises(ClientForbidden):
            connect(home, product, forbidden)
    with pytest.raises(ClientIdSwitched):
        issue(home, product)
    entry = AuditEntry.objects.get(action="device.switch_client_id")
    assert (entry.reason, entry.after["kept"], entry.after["cut_off"]) == ("stolen", devices[0].client_id, 1)


def test_switch_can_be_changed_to_another_one(home: DataCenter, product: Product) -> None:
    first, second = issue(home, product), issue(home, product)
    connect(home, product, first)
    client_ids.switch(device(home), keep=first.client_id, by=OPERATOR, at=NOON)
    client_ids.switch(device(home), keep=second.client_id, by=OPERATOR, at=NOON)
    assert statuses(home) == {first.client_id: "switched_off", second.client_id: "allowed"}
    assert device(home).client_ids_active == 0  # The one that was kept has not connected yet.
    connect(home, product, second)
    assert device(home).client_ids_active == 1


def test_switch_refuses_a_client_id_that_is_not_the_devices(home: DataCenter, product: Product) -> None:
    issued = issue(home, product)
    client_ids.clear(device(home), by=OPERATOR, at=NOON)
    for keep in ("nobody", issued.client_id):
        with pytest.raises(Invalid):
            client_ids.switch(device(home), keep=keep, by=OPERATOR, at=NOON)


def test_clear_forbids_all_of_them_and_lets_devices_register_anew(home: DataCenter, product: Product) -> None:
    where = broker(home)
    issued = issue(home, product)
    arrive(where, product, connect(home, product, issued), issued, NOON)
    assert client_ids.clear(device(home), by=OPERATOR, at=NOON + SECOND) == 1
    with pytest.raises(ClientForbidden):
        connect(home, product, issued)
    assert device(home).client_ids_active == 0
    connect(home, product, issue(home, product))
    assert device(home).client_ids_active == 1


def test_clear_refuses_where_there_is_nothing_to_clear(home: DataCenter, product: Product) -> None:
    issue(home, product)
    client_ids.clear(device(home), by=OPERATOR, at=NOON)
    with pytest.raises(Conflict):
        client_ids.clear(device(home), by=OPERATOR, at=NOON)


def test_a_disabled_device_neither_registers_nor_connects(home: DataCenter, product: Product) -> None:
    issued = issue(home, product)
    lifecycle.disable(device(home), by=OPERATOR, at=NOON)
    for attempt in (lambda: issue(home, product), lambda: connect(home, product, issued)):
        with pytest.raises(DeviceDisabled):
            attempt()


def test_deleting_the_device_takes_its_client_ids_along_and_cuts_them_off(home: DataCenter, product: Product) -> None:
    where = broker(home)
    issued = issue(home, product)
    arrive(where, product, connect(home, product, issued), issued, NOON)
    lifecycle.delete(device(home), by=OPERATOR, at=NOON + SECOND)
    assert not ClientIdentity.objects.exists()
    assert DisconnectOrder.objects.get().reason == "delete"


def test_a_broker_that_cannot_drop_gets_an_order_that_says_so(home: DataCenter, product: Product) -> None:
    where = broker(home, BrokerKind.MOSQUITTO)
    issued = issue(home, product)
    arrive(where, product, connect(home, product, issued), issued, NOON)
    assert device(home).state == "seen"
    assert client_ids.clear(device(home), by=OPERATOR, at=NOON + SECOND) == 0
    assert DisconnectOrder.objects.get().outcome == "next_connect"
