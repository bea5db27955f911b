"""RabbitMQ behind HAProxy, as a fleet has it: the PROXY header brings the device's own address through, and a cut finds its connection."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.models import Connection, DisconnectOrder
from devices.services import lifecycle
from registration.models import DeviceLogEntry
from tests import cast, haproxy, rabbitmq
from tests.processes import Process, Server, free_port
from tests.rabbitmq import RabbitMQ
from tests.registration.paho_device import PahoDevice
from tests.registration.rabbit_cast import NAME, alibaba, device_of, is_online, link_is_ready
from tests.registration.waiting import until

pytestmark = [pytest.mark.rabbitmq, pytest.mark.haproxy, pytest.mark.slow, pytest.mark.xdist_group("rabbitmq")]
HOME = "127.0.0.77"


@pytest.fixture
def port(running_server: Server, tmp_path: Path) -> Iterator[int]:
    """HAProxy's; the broker behind it takes nobody without a PROXY header."""
    node = RabbitMQ(tmp_path / "node", running_server.url, "mqtt.proxy_protocol = true")
    node.start()
    rabbitmq.enrol(node, cast.home())
    (tmp_path / "proxy").mkdir()
    proxy = haproxy.start(tmp_path / "proxy", registrar=free_port(), broker=node.mqtt_port)
    yield proxy.port
    proxy.stop()
    node.stop()


def test_a_device_is_seen_with_its_own_address_and_cut_off(port: int, broker_link: Process) -> None:
    row = cast.row(cast.kettle(), NAME)
    until(link_is_ready)
    device = PahoDevice(alibaba(row), port, comes_back=False)
    try:
        assert device.connect(source=HOME) == 0
        until(is_online)
        until(lambda: Connection.objects.get().session.startswith(f"{HOME}:"), 20)
        assert Connection.objects.get().address == HOME
        lifecycle.disable(device_of(row), by=cast.OPERATOR, at=cast.NOON)
        assert device.cut_within(2)
        until(lambda: DisconnectOrder.objects.get().state == "cut")
        until(lambda: DeviceLogEntry.objects.filter(event="disconnection").exists())
    finally:
        device.close()
