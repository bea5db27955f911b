"""Devices at the real broker."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from registration.models import DeviceLogEntry
from registration.protocols.connecting import Presented
from tests import cast, rabbitmq
from tests.rabbitmq import RabbitMQ
from tests.registration.paho_device import PahoDevice
from tests.registration.rabbit_cast import Start


@pytest.fixture
def start_device(rabbit: RabbitMQ) -> Iterator[Start]:
    """start_device(presented) is a device at the broker, which the console knows; it is not connected yet. All leave with the test."""
    devices: list[PahoDevice] = []

    def start(presented: Presented, **options: Any) -> PahoDevice:
        devices.append(PahoDevice(presented, rabbit.mqtt_port, **options))
        return devices[-1]

    rabbitmq.enrol(rabbit, cast.home())
    yield start
    for device in devices:
        device.close()
    _settle(sum(len(device.codes) for device in devices))


def _settle(answers: int) -> None:
    """The server writes behind its answers: what belongs to this test must not appear in the next one."""
    end = time.monotonic() + 5
    while DeviceLogEntry.objects.filter(event="connection").count() < answers and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.2)
