"""Forbidden devices are cut off at a real RabbitMQ, also when it or the link was down meanwhile."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from devices.models import Connection, Device, DisconnectOrder
from devices.services import client_ids, lifecycle
from products.models import Broker
from products.services import brokers, lookup
from registration.brokers.rabbitmq import RabbitMQ as RabbitMQInterface
from registration.models import BrokerState, DeviceLogEntry
from registration.protocols import alibaba_connect
from registration.protocols.connecting import DeviceCredentials, Presented
from tests import cast, rabbitmq
from tests.processes import Process
from tests.rabbitmq import RabbitMQ
from tests.registration.paho_device import PahoDevice
from tests.registration.rabbit_cast import NAME, Start, alibaba, is_online, link_is_ready
from tests.registration.waiting import until

pytestmark = [pytest.mark.rabbitmq, pytest.mark.slow, pytest.mark.xdist_group("rabbitmq")]
IN_TIME = 2.0


@pytest.fixture
def kettle_at_rabbit(start_device: Start, broker_link: Process) -> PahoDevice:
    """The device NAME, connected, online, and known to the link."""
    until(link_is_ready)
    device = start_device(alibaba(cast.row(cast.kettle(), NAME)))
    assert device.connect() == 0
    until(lambda: is_online() and Connection.objects.exclude(session="").exists())
    return device


def the_device() -> Device:
    return Device.objects.at(cast.home()).get()


def now() -> datetime:
    return datetime.now(UTC)


def physical_device(device_name: str) -> tuple[str, Presented]:
    """One that registered without pre-registration: its ClientID, and what it connects with."""
    product = lookup.find_for_registration("a1ExpAkj9Hi", at=now())
    assert product
    issued = client_ids.issue(data_center=cast.home(), product=product, device_name=device_name, at=now())
    known = DeviceCredentials(product.key, device_name, client_id=issued.client_id, device_token=issued.device_token)
    return issued.client_id, alibaba_connect.compose(known, cast.NOON, 1)


def order() -> DisconnectOrder:
    return DisconnectOrder.objects.get()


def test_a_disabled_device_is_cut_off_and_stays_out(kettle_at_rabbit: PahoDevice) -> None:
    lifecycle.disable(the_device(), by=cast.OPERATOR, at=now())
    assert kettle_at_rabbit.cut_within(IN_TIME)
    until(lambda: order().state == "cut")
    assert Connection.objects.get().ended == "cut"
    until(lambda: DeviceLogEntry.objects.filter(event="disconnection").count() == 1)
    kettle_at_rabbit.wait(lambda: kettle_at_rabbit.codes[-1] in {4, 5})
    assert not is_online()
    lifecycle.enable(the_device(), by=cast.OPERATOR, at=now())
    kettle_at_rabbit.wait(lambda: kettle_at_rabbit.codes[-1] == 0)


def test_a_deleted_device_is_cut_off(kettle_at_rabbit: PahoDevice) -> None:
    lifecycle.delete(the_device(), by=cast.OPERATOR, at=now())
    assert kettle_at_rabbit.cut_within(IN_TIME)
    until(lambda: order().state == "cut")
    kettle_at_rabbit.wait(lambda: kettle_at_rabbit.codes[-1] in {4, 5})


def test_switch_cuts_off_all_but_one_and_clear_that_one(start_device: Start, broker_link: Process) -> None:
    cast.kettle(preregistration_free=True)
    physical = [physical_device(NAME) for _number in range(3)]
    until(link_is_ready)
    devices = [start_device(presented) for _client_id, presented in physical]
    assert [device.connect() for device in devices] == [0, 0, 0]
    until(lambda: Connection.objects.exclude(session="").count() == 3)
    assert the_device().client_ids_active == 3

    client_ids.switch(the_device(), keep=physical[1][0], by=cast.OPERATOR, at=now())
    assert devices[0].cut_within(IN_TIME) and devices[2].cut_within(IN_TIME)
    for device in (devices[0], devices[2]):
        device.wait(lambda device=device: device.codes[-1] in {4, 5})
    assert devices[1].is_connected and not devices[1].cuts

    client_ids.clear(the_device(), by=cast.OPERATOR, at=now())
    assert devices[1].cut_within(IN_TIME)
    until(lambda: not DisconnectOrder.objects.waiting().exists())
    assert set(DisconnectOrder.objects.values_list("outcome", flat=True)) == {"cut"}
    assert not is_online()


def test_a_newer_connection_with_the_same_credential_evicts_the_older(start_device: Start, broker_link: Process) -> None:
    presented = alibaba(cast.row(cast.kettle(), NAME))
    until(link_is_ready)
    older = start_device(presented, comes_back=False)
    assert older.connect() == 0
    until(lambda: Connection.objects.exclude(session="").count() == 1)
    signed = presented.client_id.partition("|")
    newer = start_device(Presented("".join((signed[0], "|ext=1,", signed[2])), presented.username, presented.password))
    assert newer.connect() == 0
    assert older.cut_within(IN_TIME)
    until(lambda: order().state == "cut" and order().reason == "evict")
    assert newer.is_connected and not newer.cuts and is_online()


def test_an_order_waits_for_a_broker_that_does_not_answer(kettle_at_rabbit: PahoDevice, rabbit: RabbitMQ) -> None:
    rabbit.freeze()
    try:
        lifecycle.disable(the_device(), by=cast.OPERATOR, at=now())
        until(lambda: order().state == "unreachable", 30)
        assert "does not answer" in order().last_error and str(rabbit.management_port) in order().last_error
        until(lambda: BrokerState.objects.get().error)
    finally:
        rabbit.thaw()
    assert kettle_at_rabbit.cut_within(15)
    until(lambda: order().state == "cut")
    until(lambda: BrokerState.objects.get().error == "")


def test_an_order_is_settled_after_the_broker_was_started_anew(kettle_at_rabbit: PahoDevice, rabbit: RabbitMQ) -> None:
    rabbit.stop()
    lifecycle.disable(the_device(), by=cast.OPERATOR, at=now())
    until(lambda: order().state == "unreachable")
    rabbit.start()
    until(lambda: order().state == "gone", 30)
    kettle_at_rabbit.wait(lambda: kettle_at_rabbit.codes[-1] in {4, 5})
    assert Connection.objects.get().ended == "lost" and not is_online()


def test_who_left_unseen_is_found_gone(start_device: Start, rabbit: RabbitMQ, request: pytest.FixtureRequest) -> None:
    device = start_device(alibaba(cast.row(cast.kettle(), NAME)))
    assert device.connect() == 0
    until(is_online)
    device.close()
    Connection.objects.update(connected_at=now() - timedelta(minutes=1))
    request.getfixturevalue("broker_link")
    until(lambda: not is_online(), 30)
    assert Connection.objects.get().ended == "lost"


def test_a_forbidden_client_without_an_order_is_found_and_cut_off(start_device: Start, request: pytest.FixtureRequest) -> None:
    presented = alibaba(cast.row(cast.kettle(), NAME))
    device = start_device(presented)
    assert device.connect() == 0
    until(is_online)
    time.sleep(6)  # RabbitMQ's statistics show a connection after five seconds.
    listed = RabbitMQInterface(brokers.access(Broker.objects.get())).clients()
    assert [(one.mqtt_client_id, one.username, one.address) for one in listed] == [(presented.client_id, presented.username, "127.0.0.1")]
    Device.objects.update(enabled=False)
    request.getfixturevalue("broker_link")
    assert device.cut_within(30)
    until(lambda: order().state == "cut" and order().reason == "forbidden")


def test_a_broker_added_changed_or_disabled_is_picked_up(rabbit: RabbitMQ, broker_link: Process) -> None:
    broker = rabbitmq.enrol(rabbit, cast.home())
    until(lambda: BrokerState.objects.filter(ok_at__isnull=False, error="").exists())

    def change(**facts: object) -> None:
        same = {"data_center": broker.data_center, "name": broker.name, "kind": broker.kind, "management_user": broker.management_user}
        brokers.save(broker, **same | {"management_url": broker.management_url} | facts, by=cast.OPERATOR, at=now())  # type: ignore[arg-type]

    change(management_secret="wrong")
    until(lambda: "status 401" in BrokerState.objects.get().error)
    change(management_secret=rabbit.password)
    until(lambda: BrokerState.objects.get().error == "")
    Broker.objects.update(enabled=False)
    until(lambda: not rabbit.ask("/api/connections?disable_stats=true"))


def test_a_dead_broker_holds_up_no_other(kettle_at_rabbit: PahoDevice) -> None:
    dead = {"management_url": "http://127.0.0.1:9", "events_url": "amqp://u:p@127.0.0.1:9/", "management_secret": "x"}
    brokers.save(Broker(), data_center=cast.home(), name="Dead", kind="rabbitmq", **dead, by=cast.OPERATOR, at=now())
    until(lambda: BrokerState.objects.exclude(error="").count() == 1)
    lifecycle.disable(the_device(), by=cast.OPERATOR, at=now())
    assert kettle_at_rabbit.cut_within(IN_TIME)
