"""Orders are carried out at a broker and its list is compared with ours, with a broker that is played."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from devices.models import Connection, Device, DisconnectOrder
from devices.services import connections, lifecycle, presence
from products.models import Broker, Product
from products.services import brokers
from products.services.brokers import HookedBroker
from registration.brokers.base import BrokerUnreachable, Client
from registration.models import BrokerState, DeviceLogEntry
from registration.services import broker_removal, broker_states, disconnects, reconciliation
from tests import cast
from tests.cast import NOON, OPERATOR

pytestmark = [pytest.mark.django_db, pytest.mark.storage]
SECOND = timedelta(seconds=1)
NAME = "0015A3B4C5D6"


@dataclass
class Played:
    """`there`: the MQTT client ids that are connected; `silent`: it does not answer."""

    there: set[str] = field(default_factory=set)
    silent: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    lists_clients = True
    shows_after = timedelta(0)

    def drop(self, mqtt_client_id: str, session: str) -> bool:
        self.asked.append((mqtt_client_id, session))
        if self.silent:
            raise BrokerUnreachable("It is silent.")
        found = mqtt_client_id in self.there
        self.there.discard(mqtt_client_id)
        return found

    def clients(self) -> Sequence[Client]:
        return [Client(one, f"session of {one}", None) for one in sorted(self.there)]

    def check(self) -> None:
        pass


@pytest.fixture
def row() -> Broker:
    return brokers.save(Broker(), data_center=cast.home(), name="RabbitMQ", kind="rabbitmq", by=OPERATOR, at=NOON)


@pytest.fixture
def rabbit(row: Broker) -> HookedBroker:
    return brokers.hooked(row)


@pytest.fixture
def product(row: Broker) -> Product:
    product = cast.kettle()
    cast.row(product, NAME)
    return product


def connect(row: Broker, product: Product, mqtt_client_id: str = "c1", after: timedelta = timedelta(0)) -> Device:
    where = {"data_center": row.data_center, "product_id": product.pk, "device_name": NAME}
    admitted = connections.admit(connections.look_up(**where), **where, by_token=False, at=NOON)
    arrival = presence.Arrival(
        row.data_center, admitted.device_id, product.pk, NAME, None, "", row.pk, True, mqtt_client_id, None, NOON + after
    )
    presence.arrived([arrival])
    return Device.objects.at(row.data_center).get()


def order() -> DisconnectOrder:
    return DisconnectOrder.objects.get()


def test_an_order_is_carried_out_and_its_connection_ends(row: Broker, rabbit: HookedBroker, product: Product) -> None:
    lifecycle.disable(connect(row, product), by=OPERATOR, at=NOON + SECOND)
    assert disconnects.drain(broker=rabbit, dropper=Played({"c1"}), at=NOON + SECOND) == 1
    assert order().state == "cut" and Connection.objects.get().ended == "cut"
    assert DeviceLogEntry.objects.get(event="disconnection").path == ["It was cut off."]
    assert disconnects.drain(broker=rabbit, dropper=Played({"c1"}), at=NOON + SECOND) == 0


def test_who_is_not_there_is_gone_only_at_a_second_look(row: Broker, rabbit: HookedBroker, product: Product) -> None:
    lifecycle.disable(connect(row, product), by=OPERATOR, at=NOON + SECOND)
    played = Played()
    disconnects.drain(broker=rabbit, dropper=played, at=NOON + SECOND)
    assert order().state == "waiting"
    disconnects.drain(broker=rabbit, dropper=played, at=NOON + 3 * SECOND)
    assert order().state == "waiting"
    disconnects.drain(broker=rabbit, dropper=played, at=NOON + 4 * SECOND)
    assert order().state == "gone" and Connection.objects.get().ended == "lost"


def test_who_arrives_between_the_two_looks_is_cut_off(row: Broker, rabbit: HookedBroker, product: Product) -> None:
    lifecycle.disable(connect(row, product), by=OPERATOR, at=NOON + SECOND)
    played = Played()
    disconnects.drain(broker=rabbit, dropper=played, at=NOON + SECOND)
    played.there.add("c1")
    disconnects.drain(broker=rabbit, dropper=played, at=NOON + 2 * SECOND)
    assert order().state == "cut"


def test_a_silent_broker_is_asked_once_a_round_and_its_orders_wait(row: Broker, rabbit: HookedBroker, product: Product) -> None:
    device = connect(row, product)
    connect(row, product, "c2", SECOND)  # Evicts c1: two orders.
    lifecycle.disable(device, by=OPERATOR, at=NOON + SECOND)
    played = Played({"c1", "c2"}, silent=True)
    with pytest.raises(BrokerUnreachable):
        disconnects.drain(broker=rabbit, dropper=played, at=NOON + SECOND)
    assert len(played.asked) == 1
    assert {(one.state, one.last_error, one.attempts) for one in DisconnectOrder.objects.all()} == {("unreachable", "It is silent.", 1)}
    played.silent = False
    assert disconnects.drain(broker=rabbit, dropper=played, at=NOON + SECOND) == 0
    assert disconnects.drain(broker=rabbit, dropper=played, at=NOON + SECOND, also_paused=True) >= 2
    assert {one.state for one in DisconnectOrder.objects.all()} <= {"cut", "waiting"}


def test_connections_that_the_broker_does_not_have_are_lost(row: Broker, rabbit: HookedBroker, product: Product) -> None:
    connect(row, product)
    young = reconciliation.reconcile(broker=rabbit, clients=[], at=NOON + SECOND)
    assert young.lost == 0, "It may not be in the list yet."
    here = reconciliation.reconcile(broker=rabbit, clients=Played({"c1"}).clients(), at=NOON + 60 * SECOND)
    assert here.lost == 0 and Connection.objects.get().session == "session of c1"
    gone = reconciliation.reconcile(broker=rabbit, clients=[Client("c2", "another", None)], at=NOON + 60 * SECOND)
    assert gone.lost == 1 and Connection.objects.get().ended == "lost"
    assert Device.objects.at(row.data_center).get().state == "offline"


def test_a_list_of_names_alone_ends_only_connections_with_another_name(row: Broker, rabbit: HookedBroker, product: Product) -> None:
    connect(row, product)
    names = [Client("", "one", None)]
    assert reconciliation.reconcile(broker=rabbit, clients=names, at=NOON + 60 * SECOND).lost == 0
    Connection.objects.update(session="one")
    assert reconciliation.reconcile(broker=rabbit, clients=names, at=NOON + 60 * SECOND).lost == 0
    Connection.objects.update(session="two")
    assert reconciliation.reconcile(broker=rabbit, clients=names, at=NOON + 60 * SECOND).lost == 1


def test_a_forbidden_client_in_the_list_is_ordered_to_be_cut_off_once(row: Broker, rabbit: HookedBroker, product: Product) -> None:
    connect(row, product)
    Device.objects.update(enabled=False)
    for ordered in (1, 0):
        done = reconciliation.reconcile(broker=rabbit, clients=Played({"c1"}).clients(), at=NOON + 60 * SECOND)
        assert done.ordered == ordered
    assert order().reason == "forbidden"


def test_who_was_let_in_and_never_recorded_is_found_in_the_list(row: Broker, rabbit: HookedBroker, product: Product) -> None:
    connect(row, product)
    Connection.objects.all().delete()
    stray = Client("c1", "a session", NOON, f"{NAME.lower()}&{product.key}", "192.0.2.7")
    strangers = [Client("c2", "2", NOON, "an operator"), Client("c3", "3", NOON, "dev&unknown"), replace(stray, connected_at=None)]
    for found in (1, 0):
        done = reconciliation.reconcile(broker=rabbit, clients=[stray, *strangers], at=NOON + 60 * SECOND)
        assert (done.found, done.ordered) == (found, 0)
    assert Connection.objects.get().session == "a session"
    assert Device.objects.at(row.data_center).get().state == "online"


@pytest.mark.parametrize("forbid", [lifecycle.disable, lifecycle.delete])
def test_a_forbidden_client_that_was_never_recorded_is_ordered_to_be_cut_off(
    row: Broker, rabbit: HookedBroker, product: Product, forbid: Callable[..., None]
) -> None:
    device = connect(row, product)
    Connection.objects.all().delete()
    forbid(device, by=OPERATOR, at=NOON + SECOND)
    stray = Client("c1", "a session", NOON, f"{NAME}&{product.key}")
    reconciliation.reconcile(broker=rabbit, clients=[stray], at=NOON + 60 * SECOND)
    assert (order().mqtt_client_id, order().reason, order().state) == ("c1", "forbidden", "waiting")


def test_the_state_says_since_when_a_broker_is_silent(rabbit: HookedBroker) -> None:
    broker_states.answered(broker=rabbit, at=NOON)
    for seconds in (1, 2):
        broker_states.failed(broker=rabbit, error="It is silent.", at=NOON + seconds * SECOND)
    state = BrokerState.objects.get()
    assert (state.ok_at, state.error, state.error_at) == (NOON, "It is silent.", NOON + SECOND)
    broker_states.answered(broker=rabbit, at=NOON + 3 * SECOND)
    assert BrokerState.objects.get().error == ""


def test_a_broker_that_is_removed_leaves_nothing_waiting(row: Broker, product: Product) -> None:
    lifecycle.disable(connect(row, product), by=OPERATOR, at=NOON + SECOND)
    broker_states.answered(broker=brokers.hooked(row), at=NOON)
    assert broker_removal.remove(row, by=OPERATOR, at=NOON + 2 * SECOND) == 1
    assert order().state == "next_connect" and Connection.objects.get().ended == "lost"
    assert Device.objects.get().last_offline_at == NOON + 2 * SECOND
    assert not Broker.objects.exists() and not BrokerState.objects.exists()
