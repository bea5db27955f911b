"""The broker of `make run`: the real registrar's process, and devices of paho-mqtt and of the vendors' SDKs."""

import contextlib
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from console.shared import keyring
from console.supervisor import registrar_command
from devices.models import ClientIdentity, Connection, ConnectionEnd, Device, DisconnectOrder, OrderOutcome, PreImportedDevice
from devices.services import lifecycle
from products.models import Product
from registration.models import DeviceLogEntry
from registration.mqtt import packets
from registration.mqtt.packets import Connect
from registration.protocols import connection_schemes
from registration.protocols.connecting import DeviceCredentials, Presented
from tests import cast, processes
from tests.processes import Process
from tests.registration import sdk_device
from tests.registration.environments import ROOT
from tests.registration.paho_device import PahoDevice
from tests.registration.sdk_device import SdkDevice
from tests.registration.waiting import until

pytestmark = pytest.mark.slow
NAME = "0015A3B4C5D6"


@dataclass
class House:
    """A registrar with the embedded broker; `port` is for everything."""

    folder: Path
    port: int
    process: Process

    def restart(self) -> None:
        self.process = registrar(self.folder, self.port)


def registrar(folder: Path, port: int) -> Process:
    own = {
        "NAMEPLATE_MQTT_BIND": f"127.0.0.1:{port}",
        "NAMEPLATE_MQTT_UPSTREAM": "embedded",
        "NAMEPLATE_MQTT_CONNECTIONS": "200",
        "NAMEPLATE_PRODUCT_CACHE_SECONDS": "0",
    }
    process = Process(registrar_command(), processes.environment(**own), folder / f"registrar-{time.monotonic_ns()}.log")
    processes.wait_for_port(port, process)
    return process


@pytest.fixture
def house(transactional_db: None, process_folder: Path) -> Iterator[House]:
    cast.home()
    port = processes.free_port()
    house = House(process_folder, port, registrar(process_folder, port))
    yield house
    house.process.stop()
    said = [line for line in house.process.output().splitlines() if "The MQTT registrar is at" not in line]
    assert said == []


@pytest.fixture
def device_of(house: House) -> Iterator[Callable[..., PahoDevice]]:
    """device_of(row, device_secret=...): a device of paho-mqtt, not connected yet."""
    devices: list[PahoDevice] = []

    def make(row: PreImportedDevice, **changes: Any) -> PahoDevice:
        devices.append(PahoDevice(presented(row, **changes), house.port))
        return devices[-1]

    yield make
    for device in devices:
        device.close()


@pytest.fixture
def sdk(house: House) -> Iterator[Callable[..., SdkDevice]]:
    """sdk(sdk_device.alibaba, row.product, name, ...): a physical device of a vendor's SDK."""
    devices: list[SdkDevice] = []

    def make(vendor: Callable[..., SdkDevice], product: Product, name: str, **facts: Any) -> SdkDevice:
        devices.append(vendor(house.port, product.key, name, **facts))
        return devices[-1]

    yield make
    for device in devices:
        device.switch_off()


def secret_of(row: PreImportedDevice | Device) -> str:
    return keyring.unseal(row.sealed_secret, owner=row.secret_owner())


def presented(row: PreImportedDevice, device_secret: str = "") -> Presented:
    known = DeviceCredentials(row.product.key, row.device_name, device_secret or secret_of(row))
    return connection_schemes.COMPOSERS[row.product.wire_protocol](known, datetime.now(UTC), 7)


def states() -> list[str]:
    return [device.state for device in Device.objects.at(cast.home())]


def is_online() -> bool:
    return states() == ["online"]


def is_offline() -> bool:
    return states() == ["offline"]


def test_a_device_is_online_while_it_is_connected_and_offline_afterwards(device_of: Callable[..., PahoDevice]) -> None:
    device = device_of(cast.row(cast.kettle(), NAME))
    assert device.connect() == 0
    until(is_online)
    until(lambda: Connection.objects.get().session)
    connection = Connection.objects.get()
    assert (connection.address, connection.is_open) == ("127.0.0.1", True)
    device.close()
    until(is_offline)
    entries = [(entry.event, entry.code, entry.address) for entry in DeviceLogEntry.objects.order_by("id")]
    assert entries == [("connection", "accepted", "127.0.0.1"), ("disconnection", "ended", "127.0.0.1")]


def test_it_refuses_a_wrong_secret_and_nobody_loses_a_connection_by_it(device_of: Callable[..., PahoDevice]) -> None:
    row = cast.row(cast.kettle(), NAME)
    device = device_of(row)
    assert device.connect() == 0
    assert device_of(row, device_secret="not this one").connect() == 4
    assert device.publish(f"/{row.product.key}/{NAME}/user/update")
    assert device.is_connected and device.codes == [0]
    until(lambda: DeviceLogEntry.objects.filter(code="bad_credential").exists())


def test_it_refuses_foreign_topics_and_delivers_own_ones(device_of: Callable[..., PahoDevice]) -> None:
    product = cast.kettle()
    mine, other = device_of(cast.row(product, NAME)), device_of(cast.row(product, "0015A3B4C5D7"))
    assert mine.connect() == other.connect() == 0
    topic = f"/{product.key}/{NAME}/user/get"
    assert mine.subscribe(topic)
    assert not other.subscribe(topic) and not other.subscribe("#") and not other.subscribe(f"/{product.key}/+/user/get")
    assert other.publish(topic, b"foreign") and mine.publish(topic, b"own")
    mine.wait(lambda: bool(mine.received))
    assert mine.received == [(topic, b"own")] and other.received == []


def test_a_device_that_is_disabled_is_cut_off_within_two_seconds_and_stays_out(device_of: Callable[..., PahoDevice]) -> None:
    device = device_of(cast.row(cast.kettle(), NAME))
    assert device.connect() == 0
    until(is_online)
    lifecycle.disable(Device.objects.at(cast.home()).get(), by=cast.OPERATOR, at=datetime.now(UTC))
    assert device.cut_within(2)
    device.wait(lambda: len(device.codes) > 2)
    assert set(device.codes[1:]) == {4}
    until(lambda: DisconnectOrder.objects.get().outcome == OrderOutcome.CUT)
    assert Connection.objects.get().ended == ConnectionEnd.CUT
    assert states() == ["disabled"]


def test_a_broker_that_was_killed_leaves_nobody_online_when_it_is_back(house: House, device_of: Callable[..., PahoDevice]) -> None:
    device = device_of(cast.row(cast.kettle(), NAME))
    device.connect()
    until(is_online)
    house.process.kill()
    device.close()
    assert is_online(), "nobody can know yet"
    house.restart()
    assert is_offline()
    assert Connection.objects.get().ended == ConnectionEnd.LOST


def test_a_broker_that_ends_in_order_leaves_nobody_online(house: House, device_of: Callable[..., PahoDevice]) -> None:
    device = device_of(cast.row(cast.kettle(), NAME))
    device.connect()
    until(is_online)
    house.process.popen.send_signal(signal.SIGTERM)
    house.process.popen.wait(10)
    device.close()
    assert is_offline()
    house.restart()


def test_a_newer_connection_with_the_same_credential_takes_the_place_of_the_older(device_of: Callable[..., PahoDevice]) -> None:
    row = cast.row(cast.kettle(), NAME)
    older, newer = device_of(row), device_of(row)
    assert older.connect() == 0
    until(is_online)
    assert newer.connect() == 0
    assert older.cut_within(2)
    newer.close()
    older.close()
    until(is_offline)
    until(lambda: not Connection.objects.open().exists())
    assert ConnectionEnd.TAKEN_OVER in Connection.objects.values_list("ended", flat=True)


def test_alibaba_s_sdk_registers_connects_and_publishes(sdk: Callable[..., SdkDevice]) -> None:
    row = cast.row(cast.kettle(), NAME)
    secret = "h1nQFYPZS0mW1234"
    registered = sdk(sdk_device.alibaba, row.product, NAME, product_secret=secret, auth_type="register").wait("registered")
    assert (registered["rc"], registered["secret"]) == (0, secret_of(row))
    device = sdk(sdk_device.alibaba, row.product, NAME, device_secret=registered["secret"])
    assert device.wait("connected")["rc"] == 0
    until(is_online)
    device.subscribe(f"/{row.product.key}/{NAME}/user/get")
    device.wait("subscribed")
    device.publish(f"/{row.product.key}/{NAME}/user/get")
    device.wait("published")
    device.wait("received", topic=f"/{row.product.key}/{NAME}/user/get")
    again = sdk(sdk_device.alibaba, row.product, NAME, product_secret=secret, auth_type="register").wait("registered")
    assert again["rc"] != 0, "it is activated"


def test_alibaba_s_sdk_registers_without_a_row_and_connects_with_its_token(sdk: Callable[..., SdkDevice]) -> None:
    product = cast.kettle(preregistration_free=True)
    facts = {"product_secret": "h1nQFYPZS0mW1234", "auth_type": "regnwl"}
    told = sdk(sdk_device.alibaba, product, NAME, **facts).wait("registered")
    assert told["rc"] == 0
    own = {name: told[name] for name in ("client_id", "username", "password")}
    device = sdk(sdk_device.alibaba, product, NAME, **own)
    assert device.wait("connected")["rc"] == 0
    until(is_online)
    identity = ClientIdentity.objects.get()
    assert told["client_id"].startswith(identity.client_id + "|") and identity.first_connected_at is not None
    device.publish(f"/sys/{product.key}/{NAME}/thing/event/property/post")
    device.wait("published")
    stranger = sdk(sdk_device.alibaba, product, NAME, **own | {"password": "x" * 32})
    until(lambda: DeviceLogEntry.objects.filter(code="bad_credential").exists())
    assert stranger.first("connected", rc=0) is None and device.first("disconnected") is None


def test_tencent_s_sdk_connects_with_mqtt_3_1(sdk: Callable[..., SdkDevice]) -> None:
    row = cast.row(cast.tracker(), "dev_py_1")
    device = sdk(sdk_device.tencent, row.product, row.device_name, device_secret=secret_of(row))
    assert device.wait("connected")["rc"] == 0
    until(is_online)
    device.subscribe(f"$thing/down/property/{row.product.key}/dev_py_1")
    device.wait("subscribed")
    device.publish(f"$thing/up/property/{row.product.key}/dev_py_1")
    device.wait("published")
    wrong = sdk(sdk_device.tencent, row.product, row.device_name, device_secret="AAAAAAAAAAAAAAAAAAAAAA==")
    until(lambda: DeviceLogEntry.objects.filter(code="bad_credential").exists())
    assert wrong.first("connected", rc=0) is None


def test_malformed_silent_and_newer_clients_do_no_harm(house: House, device_of: Callable[..., PahoDevice]) -> None:
    row = cast.row(cast.kettle(), NAME)
    good = device_of(row)
    assert good.connect() == 0
    until(is_online)
    whole = presented(cast.row(row.product, "0015A3B4C5D7"))
    for rest in HOSTILE:
        with socket.create_connection(("127.0.0.1", house.port), 10) as client:
            client.sendall(packets.connect(Connect(4, whole.client_id, whole.username, whole.password.encode())))
            assert client.recv(4) == packets.connack(4, 0)
            client.sendall(rest)
            assert client.recv(100) == b"", rest
    with socket.create_connection(("127.0.0.1", house.port), 10) as client:
        client.sendall(packets.connect(Connect(5, whole.client_id, whole.username, whole.password.encode())))
        assert client.recv(100) == packets.connack(5, packets.WRONG_VERSION)
    assert good.publish(f"/{row.product.key}/{NAME}/user/update") and good.codes == [0]


def test_a_client_that_floods_and_does_not_read_leaves_the_others_their_broker(house: House, device_of: Callable[..., PahoDevice]) -> None:
    row = cast.row(cast.kettle(), NAME)
    own = presented(row)
    topic = f"/{row.product.key}/{NAME}/user/get"
    with socket.create_connection(("127.0.0.1", house.port), 10) as client:
        client.sendall(packets.connect(Connect(4, own.client_id, own.username, own.password.encode())))
        assert client.recv(4) == packets.connack(4, 0)
        client.sendall(packets.subscribe(4, 1, topic)[:-1] + b"\x01")  # With QoS 1, so that every message waits for an answer.
        client.settimeout(1)
        with contextlib.suppress(TimeoutError):
            for _ in range(40):
                client.sendall(packets.publish(4, topic, b"x" * 1000) * 100)
    device = device_of(row)
    assert device.connect() == 0
    assert device.subscribe(topic) and device.publish(topic, b"mine")
    device.wait(lambda: (topic, b"mine") in device.received, 30)


HOSTILE = (
    b"\x30\xff\xff\xff\x7f" + b"a" * 100,  # 256 MB are announced.
    b"\x30\x04\x00\x09ab",  # A topic that is longer than its packet.
    b"\x30\x05\x00\x03a/#",  # A wildcard to publish to.
    b"\x34\x05\x00\x01a\x00\x01",  # QoS 2.
    b"\x36\x05\x00\x01a\x00\x01",  # QoS 3.
    b"\x82\x02\x00\x01",  # Subscribes to nothing.
    b"\x82\x06\x00\x01\x00\x01a\x03",  # QoS 3 again.
    b"\x00\x00",
    b"\xf0\x00",
    b"\xc0\x01a",  # A ping with something in it.
    packets.connect(Connect(4, "again", "a", b"b")),
)


def test_the_device_of_the_readme_connects(house: House, tmp_path: Path) -> None:
    row = cast.row(cast.kettle(), NAME)
    found = re.search(r"```python\n(# connect\.py.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found and "1883" in found[1]
    (tmp_path / "connect.py").write_text(found[1].replace("1883", str(house.port)))
    device = Process([sys.executable, str(tmp_path / "connect.py"), row.product.key, NAME, secret_of(row)], os.environ, tmp_path / "said")
    try:
        device.wait_for_output(f"Success\n/{row.product.key}/{NAME}/user/get hello, myself\n")
        until(is_online)
    finally:
        device.kill()
