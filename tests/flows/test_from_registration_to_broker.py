"""A device's life over MQTT, through one public port with TLS: it registers, connects, publishes, is disabled and enabled (A3, A5, T4)."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.models import Device
from registration.models import DeviceLogEntry
from tests import cast
from tests.flows.conftest import Front
from tests.flows.operator import Operator
from tests.flows.steps import read_the_log
from tests.flows.test_from_excel_to_device import an_administrator
from tests.processes import Server
from tests.registration import sdk_device
from tests.registration.sdk_device import SdkDevice
from tests.registration.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(600)]
KEY, SECRET, NAME = "a1ExpAkj9Hi", "h1nQFYPZS0mW1234", "0015A3B4C5D6"
UPDATE = f"/{KEY}/{NAME}/user/update"


@pytest.fixture
def kettle(front: Front, rsa_certificate: tuple[Path, Path]) -> Iterator[Callable[..., SdkDevice]]:
    """kettle(device_secret=...): a kettle with Alibaba's SDK that is switched on."""
    ca = rsa_certificate[0].read_text()
    an_administrator()
    cast.row(cast.kettle(), NAME)
    kettles: list[SdkDevice] = []

    def switch_on(**own: Any) -> SdkDevice:
        kettles.append(sdk_device.alibaba(front.tls_port, KEY, NAME, ca=ca, endpoint="localhost", **own))
        return kettles[-1]

    yield switch_on
    for one in kettles:
        one.switch_off()


def test_a_kettle_registers_connects_and_is_cut_off_when_an_operator_disables_it(
    kettle: Callable[..., SdkDevice], running_server: Server, operator_at: Callable[[str], Operator]
) -> None:
    operator = operator_at(running_server.url)
    operator.sign_in("admin", cast.PASSWORD)
    told = kettle(product_secret=SECRET, auth_type="register").wait("registered", 60)
    assert told["rc"] == 0
    sees(operator, "Inactive")

    device = kettle(device_secret=told["secret"])
    assert device.wait("connected", 60)["rc"] == 0
    device.publish(UPDATE)
    device.wait("published")
    sees(operator, "Online")
    read_the_log(operator, NAME, "Accepted")

    again = kettle(product_secret=SECRET, auth_type="register").wait("registered", 60)
    assert again["rc"] != 0 and not again["secret"], "it is activated (G11)"
    stranger = kettle(device_secret=told["secret"][::-1])
    until(lambda: DeviceLogEntry.objects.filter(code="bad_credential").exists(), 60)
    assert stranger.first("connected", rc=0) is None and device.first("disconnected") is None
    stranger.switch_off()

    pressed = disable(operator)
    assert device.wait("disconnected", 10)["at"] < pressed + 2
    sees(operator, "Disabled")
    until(lambda: DeviceLogEntry.objects.filter(event="connection", code="device_disabled").exists(), 30)
    operator.press("Enable")
    operator.press("Enable")
    until(lambda: device.codes() == [0, 0], 60)
    until(lambda: Device.objects.at(cast.home()).get().state == "online")
    device.switch_off()
    until(lambda: Device.objects.at(cast.home()).get().state == "offline")
    sees(operator, "Offline")


def sees(operator: Operator, state: str) -> None:
    """On the device's page, where the operator stays."""
    if state != "Inactive":
        until(lambda: Device.objects.at(cast.home()).get().state == state.lower())
    operator.go_to("Devices")
    operator.follow(NAME)
    operator.sees(NAME, state)


def disable(operator: Operator) -> float:
    """The moment before the operator gave the order."""
    sees(operator, "Online")
    operator.press("Disable")
    moment = time.monotonic()
    operator.press("Disable")
    return moment
