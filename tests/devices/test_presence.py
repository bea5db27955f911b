"""Who is there: arrivals, departures, orders to cut off (T4, N8), and what happens when they cross."""

from dataclasses import replace
from datetime import timedelta

import pytest

from devices.models import ClientIdentity, Connection, Device, DisconnectOrder, OrderOutcome
from devices.rules.connecting import ClientIdTaken
from devices.services import client_ids, connections, disconnecting, lifecycle, presence
from devices.services.presence import Departure
from products.models import Broker, DataCenter, Product
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices.identities import NAME, arrival, arrive, broker, connect, device, issue

pytestmark = [pytest.mark.django_db, pytest.mark.storage]
SECOND = timedelta(seconds=1)
OTHER = "A4C138000002"


@pytest.fixture
def home() -> DataCenter:
    return cast.home()


@pytest.fixture
def product(home: DataCenter) -> Product:
    return cast.kettle(preregistration_free=True)


@pytest.fixture
def rabbit(home: DataCenter) -> Broker:
    return broker(home)


@pytest.fixture
def admitted(home: DataCenter, product: Product) -> connections.Admitted:
    """A static device, let in for the first time."""
    cast.row(product, NAME, "static", nickname="Kitchen", sn="SN-1")
    where = {"data_center": home, "product_id": product.pk, "device_name": NAME}
    return connections.admit(connections.look_up(**where), **where, by_token=False, at=NOON)


def leave(where: Broker, mqtt: str, at: timedelta, began: timedelta | None = None) -> list[Connection]:
    began_at = NOON + began if began is not None else None
    return presence.left([Departure(where.data_center, where.pk, mqtt, NOON + at, began_at)])


def test_a_device_that_connects_first_appears_in_the_list_online(
    home: DataCenter, product: Product, rabbit: Broker, admitted: connections.Admitted
) -> None:
    arrive(rabbit, product, admitted, None, NOON, "c1")
    here = device(home)
    assert (here.nickname, here.sn, here.state, here.activated_at) == ("Kitchen", "SN-1", "online", NOON)


def test_it_is_offline_when_its_last_connection_ended(
    home: DataCenter, product: Product, rabbit: Broker, admitted: connections.Admitted
) -> None:
    arrive(rabbit, product, admitted, None, NOON, "c1")
    assert len(leave(rabbit, "c1", SECOND)) == 1
    assert Connection.objects.get().ended == "left"
    assert device(home).state == "offline"
    assert leave(rabbit, "c1", 2 * SECOND) == []


def test_a_late_word_of_the_old_session_does_not_end_the_new_one(
    home: DataCenter, product: Product, rabbit: Broker, admitted: connections.Admitted
) -> None:
    arrive(rabbit, product, admitted, None, NOON, "c1")
    arrive(rabbit, product, admitted, None, NOON + 60 * SECOND, "c1")
    assert leave(rabbit, "c1", 61 * SECOND, began=timedelta(0)) == []
    assert device(home).state == "online"
    assert [c.ended for c in Connection.objects.order_by("pk")] == ["taken_over", ""]


def test_a_second_connection_with_the_same_credential_evicts_the_first(
    home: DataCenter, product: Product, rabbit: Broker, admitted: connections.Admitted
) -> None:
    arrive(rabbit, product, admitted, None, NOON, "c1")
    arrive(rabbit, product, admitted, None, NOON + SECOND, "c2")
    order = DisconnectOrder.objects.get()
    assert (order.mqtt_client_id, order.reason, order.state) == ("c1", "evict", "waiting")


def test_arrivals_that_two_processes_record_the_wrong_way_round_leave_the_newer_one_connected(
    home: DataCenter, product: Product, rabbit: Broker, admitted: connections.Admitted
) -> None:
    arrive(rabbit, product, admitted, None, NOON + SECOND, "c1")
    arrive(rabbit, product, admitted, None, NOON, "c1")
    assert Connection.objects.open().get().connected_at == NOON + SECOND
    arrive(rabbit, product, admitted, None, NOON, "c2")
    assert DisconnectOrder.objects.get().mqtt_client_id == "c2"
    assert device(home).last_online_at == NOON + SECOND


def test_a_device_in_a_loop_gets_one_order_for_each_connection(
    home: DataCenter, product: Product, rabbit: Broker, admitted: connections.Admitted
) -> None:
    for number in range(6):
        arrive(rabbit, product, admitted, None, NOON + number * SECOND, f"c{number}")
    ordered = DisconnectOrder.objects.order_by("pk").values_list("mqtt_client_id", flat=True)
    assert list(ordered) == [f"c{number}" for number in range(5)]


def test_two_physical_devices_of_one_name_stay_connected_beside_each_other(home: DataCenter, product: Product, rabbit: Broker) -> None:
    for at in range(2):
        issued = issue(home, product)
        arrive(rabbit, product, connect(home, product, issued), issued, NOON + at * SECOND)
    assert not DisconnectOrder.objects.exists()
    assert Connection.objects.open().count() == 2


def test_who_slips_in_while_he_is_being_forbidden_is_cut_off(home: DataCenter, product: Product, rabbit: Broker) -> None:
    keep, other = issue(home, product), issue(home, product)
    late = connect(home, product, other)
    client_ids.switch(device(home), keep=keep.client_id, by=OPERATOR, at=NOON + SECOND)
    arrive(rabbit, product, late, other, NOON)
    assert DisconnectOrder.objects.get().reason == "forbidden"


def test_an_arrival_of_a_deleted_device_leaves_an_order(
    home: DataCenter, product: Product, rabbit: Broker, admitted: connections.Admitted
) -> None:
    lifecycle.delete(device(home), by=OPERATOR, at=NOON)
    presence.arrived([arrival(rabbit, product, admitted, None, NOON, "c1")])
    assert DisconnectOrder.objects.get().device_name == NAME


def test_an_order_is_retried_until_the_broker_answers(
    home: DataCenter, product: Product, rabbit: Broker, admitted: connections.Admitted
) -> None:
    arrive(rabbit, product, admitted, None, NOON, "c1")
    lifecycle.disable(device(home), by=OPERATOR, at=NOON)
    for attempt in range(20):
        (order,) = disconnecting.orders_due(home, rabbit.pk, NOON + timedelta(hours=attempt))
        disconnecting.order_failed(order, "connection refused", at=NOON + timedelta(hours=attempt))
    assert DisconnectOrder.objects.get().state == "unreachable"
    assert disconnecting.orders_due(home, rabbit.pk, NOON + timedelta(hours=19, seconds=29)) == []
    (order,) = disconnecting.orders_due(home, rabbit.pk, NOON + timedelta(hours=19, seconds=31))
    disconnecting.order_done(order, OrderOutcome.CUT, at=NOON + timedelta(hours=20))
    assert DisconnectOrder.objects.get().state == "cut"
    assert Connection.objects.get().ended == "cut"


def test_an_order_does_not_end_a_connection_that_came_after_it(
    home: DataCenter, product: Product, rabbit: Broker, admitted: connections.Admitted
) -> None:
    arrive(rabbit, product, admitted, None, NOON, "c1")
    lifecycle.disable(device(home), by=OPERATOR, at=NOON)
    (order,) = disconnecting.orders_due(home, rabbit.pk, NOON)
    lifecycle.enable(device(home), by=OPERATOR, at=NOON)
    arrive(rabbit, product, admitted, None, NOON + SECOND, "c1")
    disconnecting.order_done(order, OrderOutcome.GONE, at=NOON + 2 * SECOND)
    assert Connection.objects.open().get().connected_at == NOON + SECOND


def test_the_lists_of_each_state_agree_with_the_word_shown(
    home: DataCenter, product: Product, rabbit: Broker, admitted: connections.Admitted
) -> None:
    arrive(rabbit, product, admitted, None, NOON, "c1")
    for state in ("online", "offline", "seen", "inactive", "disabled"):
        expected = device(home).state == state
        assert Device.objects.at(home).in_state(state).exists() == expected


def test_the_broker_can_name_a_connection_and_its_address(
    home: DataCenter, product: Product, rabbit: Broker, admitted: connections.Admitted
) -> None:
    arrive(rabbit, product, admitted, None, NOON, "c1")
    told = {"data_center": home, "broker_id": rabbit.pk, "session": "10.0.0.1:5 -> 10.0.0.2:1883", "address": "10.0.0.1", "at": NOON}
    assert presence.note_session(**told, mqtt_client_id="c1")
    assert not presence.note_session(**told, mqtt_client_id="c2")
    assert Connection.objects.get().session.startswith("10.0.0.1")


def test_it_refuses_an_mqtt_client_id_under_which_another_device_is_connected(
    home: DataCenter, product: Product, rabbit: Broker, admitted: connections.Admitted
) -> None:
    arrive(rabbit, product, admitted, None, NOON, "c1")
    cast.row(product, OTHER, "static")
    where = {"data_center": home, "product_id": product.pk, "device_name": OTHER}
    for _first_and_later in range(2):
        with pytest.raises(ClientIdTaken):
            connections.admit(connections.look_up(**where, place=(rabbit.pk, "c1")), **where, by_token=False, at=NOON)
        connections.admit(connections.look_up(**where, place=(rabbit.pk, "c2")), **where, by_token=False, at=NOON)
    leave(rabbit, "c1", SECOND)
    connections.admit(connections.look_up(**where, place=(rabbit.pk, "c1")), **where, by_token=False, at=NOON)


def test_a_device_may_come_again_under_its_own_mqtt_client_id(
    home: DataCenter, product: Product, rabbit: Broker, admitted: connections.Admitted
) -> None:
    arrive(rabbit, product, admitted, None, NOON, "c1")
    where = {"data_center": home, "product_id": product.pk, "device_name": NAME}
    assert connections.admit(connections.look_up(**where, place=(rabbit.pk, "c1")), **where, by_token=False, at=NOON)


def test_many_that_come_together_are_recorded_as_if_each_came_alone(home: DataCenter, product: Product, rabbit: Broker) -> None:
    known = [(name, issue(home, product, name)) for name in ("A4C138000001", "A4C138000002", "A4C138000003", "A4C138000004")]
    came = [(name, issued, connect(home, product, issued, name)) for name, issued in known]

    def storm(second: int) -> list[presence.Arrival]:
        return [arrival(rabbit, product, admitted, issued, NOON + second * SECOND, name) for name, issued, admitted in came]

    lifecycle.disable(device(home, "A4C138000004"), by=OPERATOR, at=NOON)
    presence.arrived(storm(0))
    again = storm(60)
    presence.arrived([*again[:2], replace(again[2], at=NOON + 50 * SECOND), again[2], again[3]])
    ended = {one.mqtt_client_id: one.disconnected_at for one in Connection.objects.exclude(disconnected_at=None).order_by("-pk")}
    assert ended == {name: NOON + (50 if name.endswith("3") else 60) * SECOND for name, _issued, _admitted in came}
    assert Connection.objects.open().count() == 4
    assert [d.last_online_at for d in Device.objects.order_by("pk")] == [NOON + 60 * SECOND] * 4
    assert set(ClientIdentity.objects.values_list("last_connected_at", "last_address")) == {(NOON + 60 * SECOND, "192.0.2.7")}
    assert set(DisconnectOrder.objects.values_list("device_name", "reason")) == {("A4C138000004", "forbidden")}
    assert DisconnectOrder.objects.count() == 2
