"""Alibaba's Python SDK from PyPI, unmodified, at a real RabbitMQ."""

from collections.abc import Iterator
from typing import Any

import pytest

from devices.models import Device
from devices.services import lifecycle
from registration.models import DeviceLogEntry
from tests import cast
from tests.processes import Process
from tests.rabbitmq import RabbitMQ
from tests.registration import sdk_device
from tests.registration.rabbit_cast import NAME, Start, credentials, device_of, is_online, link_is_ready
from tests.registration.sdk_device import SdkDevice
from tests.registration.waiting import until

pytestmark = [pytest.mark.rabbitmq, pytest.mark.slow, pytest.mark.xdist_group("rabbitmq")]


@pytest.fixture
def sdk(rabbit: RabbitMQ, start_device: Start) -> Iterator[Any]:
    """sdk(device_secret) is the SDK's device NAME at the broker, which the console knows."""
    started: list[SdkDevice] = []

    def start(device_secret: str) -> SdkDevice:
        started.append(sdk_device.alibaba(rabbit.mqtt_port, "a1ExpAkj9Hi", NAME, device_secret=device_secret))
        return started[-1]

    yield start
    for device in started:
        device.switch_off()


def test_the_sdk_connects_publishes_and_is_cut_off(sdk: Any, broker_link: Process) -> None:
    row = cast.row(cast.kettle(), NAME)
    until(link_is_ready)
    device = sdk(credentials(row).device_secret)
    device.wait("connected", rc=0)
    own = f"/{row.product.key}/{NAME}/user"
    device.subscribe(f"{own}/get")
    device.wait("subscribed", qos=[1])
    device.publish(f"{own}/get")
    device.wait("published")
    device.wait("received", topic=f"{own}/get")
    until(is_online)
    lifecycle.disable(device_of(row), by=cast.OPERATOR, at=cast.NOON)
    device.wait("disconnected", 2)
    until(lambda: not is_online())


def test_the_sdk_is_refused_with_another_secret(sdk: Any) -> None:
    """It tells its application nothing of a refusal, and tries on."""
    row = cast.row(cast.kettle(), NAME)
    device = sdk("another" + credentials(row).device_secret)
    until(lambda: DeviceLogEntry.objects.filter(code="bad_credential").count() >= 2, 20)
    assert not device.events and not Device.objects.at(cast.home()).exists()
