"""Devices at a real RabbitMQ (Debian's 3.10 with MQTT and HTTP authentication) that asks the running console."""

from datetime import UTC, datetime

import pytest

from devices.models import Connection, Device
from devices.services import lifecycle
from registration.models import DeviceLogEntry
from registration.protocols import native_mqtt, tencent_mqtt
from registration.protocols.connecting import Presented
from tests import cast
from tests.processes import Process
from tests.registration.rabbit_cast import NAME, Start, alibaba, credentials, device_of, is_online, link_is_ready
from tests.registration.waiting import until

pytestmark = [pytest.mark.rabbitmq, pytest.mark.slow, pytest.mark.xdist_group("rabbitmq")]
REFUSED = (4, 5)


def codes() -> list[str]:
    return [entry.code for entry in DeviceLogEntry.objects.filter(event="connection").order_by("id")]


def test_a_device_connects_and_is_online_until_it_leaves(start_device: Start, broker_link: Process) -> None:
    row = cast.row(cast.kettle(), NAME, nickname="Kitchen", sn="SN-1")
    until(link_is_ready)
    device = start_device(alibaba(row))
    assert device.connect() == 0
    until(is_online)
    listed = device_of(row)
    assert listed.activated_at is not None and (listed.nickname, listed.sn) == ("Kitchen", "SN-1")
    until(lambda: Connection.objects.get().session != "", 20)
    connection = Connection.objects.get()
    assert connection.mqtt_client_id == alibaba(row).client_id and connection.address == "127.0.0.1"
    device.close()
    until(lambda: not is_online())
    assert Connection.objects.get().ended == "left"
    assert Device.objects.at(cast.home()).in_state("offline").count() == 1
    until(lambda: DeviceLogEntry.objects.filter(event="disconnection").exists())
    assert codes() == ["accepted"]


def test_tencent_s_and_native_devices_connect(start_device: Start) -> None:
    tracker, meter = cast.row(cast.tracker(), "dev_py_1"), cast.row(cast.meter(), "490154203237518")
    assert start_device(tencent_mqtt.compose(credentials(tracker), cast.NOON, 1)).connect() == 0
    assert start_device(native_mqtt.compose(credentials(meter), datetime.now(UTC), 1)).connect() == 0
    until(lambda: sorted(codes()) == ["accepted", "accepted"])


def test_it_refuses_a_wrong_secret_and_a_stranger(start_device: Start) -> None:
    row = cast.row(cast.kettle(), NAME)
    right = alibaba(row)
    assert start_device(Presented(right.client_id, right.username, "00" * 32), comes_back=False).connect() in REFUSED
    assert (
        start_device(Presented(right.client_id, f"0015A3B4C5D7&{row.product.key}", right.password), comes_back=False).connect() in REFUSED
    )
    until(lambda: codes() == ["bad_credential", "device_unknown"])
    assert not Device.objects.at(cast.home()).exists()


def test_it_refuses_a_disabled_device_until_it_is_enabled(start_device: Start) -> None:
    row = cast.row(cast.kettle(), NAME)
    device = start_device(alibaba(row))
    assert device.connect() == 0
    device.close()
    lifecycle.disable(device_of(row), by=cast.OPERATOR, at=cast.NOON)
    again = start_device(alibaba(row))
    assert again.connect() in REFUSED
    lifecycle.enable(device_of(row), by=cast.OPERATOR, at=cast.NOON)
    again.wait(lambda: again.codes[-1] == 0)


def test_a_device_uses_topics_under_its_own_names_alone(start_device: Start) -> None:
    row = cast.row(cast.kettle(), NAME)
    device = start_device(alibaba(row))
    assert device.connect() == 0
    own, other = f"/{row.product.key}/{NAME}/user", f"/{row.product.key}/0015A3B4C5D7/user"
    assert device.subscribe(f"{own}/get") and device.subscribe(f"/sys/{row.product.key}/{NAME}/thing/#")
    assert device.publish(f"{own}/get", b"to myself")
    device.wait(lambda: device.received == [(f"{own}/get", b"to myself")])
    for foreign in (f"{other}/get", f"/{row.product.key}/+/user/get", "#", "/#", f"/sys/{row.product.key}/+/thing/#"):
        assert not device.subscribe(foreign), foreign
    assert not device.publish(f"{other}/get")


def test_device_names_with_dots_and_colons_reach_the_console_as_they_are(start_device: Start) -> None:
    product = cast.lamp()
    row, other = cast.row(product, "hall.1:left@x_-"), cast.row(product, "hall.2:left@x_-")
    device = start_device(alibaba(row))
    assert device.connect() == 0
    own = f"/{product.key}/{row.device_name}/user"
    assert device.subscribe(f"{own}/get") and device.publish(f"{own}/get", b"1")
    device.wait(lambda: bool(device.received))
    assert not device.subscribe(f"/{product.key}/{other.device_name}/user/get")
    assert not device.publish(f"/{product.key}/{other.device_name}/user/get")
    assert device_of(row).device_name == "hall.1:left@x_-"
