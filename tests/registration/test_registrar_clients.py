"""Clients that others wrote register over MQTT: the vendor's SDK from PyPI, unmodified, and paho-mqtt (A3, A4, N1)."""

import json
from pathlib import Path

import pytest

from console.shared import keyring
from devices.models import ClientIdentity, Device
from products.models import Product
from registration.models import DeviceLogEntry
from registration.mqtt import packets
from registration.protocols.connecting import Presented
from tests import cast
from tests.processes import Registrar
from tests.registration import sdk_device
from tests.registration.mqtt_knocking import SECRETS_OF_MQTT, packet_of
from tests.registration.paho_device import PahoDevice
from tests.registration.sdk_device import SdkDevice

SECRET = SECRETS_OF_MQTT["a1LampKey01"]


@pytest.fixture(autouse=True)
def home(transactional_db: None) -> None:
    cast.home()


@pytest.fixture
def product(transactional_db: None) -> Product:
    product = cast.lamp(preregistration_free=True)
    cast.row(product, "crate-1")
    return product


def sdk(registrar: Registrar, auth_type: str, *, secret: str = SECRET, name: str = "crate-1", ca: Path | None = None) -> SdkDevice:
    tls = {"ca": ca.read_text(), "endpoint": "localhost"} if ca else {}
    port = registrar.tls_port if ca else registrar.port
    return sdk_device.alibaba(port, "a1LampKey01", name, product_secret=secret, auth_type=auth_type, **tls)


@pytest.mark.slow
@pytest.mark.parametrize("over_tls", [False, True])
def test_alibaba_s_python_sdk_is_handed_its_secret(registrar: Registrar, product: Product, over_tls: bool) -> None:
    client = sdk(registrar, "register", ca=registrar.ca if over_tls else None)
    told = client.wait("registered")
    client.switch_off()
    device = Device.objects.at(cast.home()).get()
    assert (told["rc"], told["secret"]) == (0, keyring.unseal(device.sealed_secret, owner=device.secret_owner()))


@pytest.mark.slow
def test_alibaba_s_python_sdk_is_handed_a_client_id_and_a_token(registrar: Registrar, product: Product) -> None:
    client = sdk(registrar, "regnwl", name="new-1")
    told = client.wait("registered")
    client.switch_off()
    identity = ClientIdentity.objects.get()
    assert told["rc"] == 0
    assert told["client_id"].startswith(f"{identity.client_id}|authType=connwl,")
    assert told["username"] == "new-1&a1LampKey01"
    assert len(told["password"]) == 32


@pytest.mark.slow
@pytest.mark.parametrize("auth_type", ["register", "regnwl"])
def test_alibaba_s_python_sdk_understands_a_refusal(registrar: Registrar, product: Product, auth_type: str) -> None:
    client = sdk(registrar, auth_type, secret="x" * 16)
    assert client.wait("registered")["rc"] != 0
    client.switch_off()
    assert not DeviceLogEntry.objects.filter(accepted=True).exists()
    assert not Device.objects.at(cast.home()).exists()


@pytest.mark.parametrize("auth_type", ["register", "regnwl"])
def test_paho_registers(registrar: Registrar, product: Product, auth_type: str) -> None:
    connect = packets.read_connect(packet_of("a1LampKey01", "crate-1", auth_type=auth_type))
    presented = Presented(connect.client_id, connect.username or "", (connect.password or b"").decode())
    device = PahoDevice(presented, registrar.port, comes_back=False)
    assert device.connect() == 0
    device.wait(lambda: bool(device.received))
    device.close()
    [(topic, payload)] = device.received
    assert topic == f"/ext/{auth_type}"
    keys = {"register": ["deviceSecret", "productKey", "deviceName"], "regnwl": ["clientId", "productKey", "deviceName", "deviceToken"]}
    assert list(json.loads(payload)) == keys[auth_type]


def test_paho_understands_a_refusal(registrar: Registrar, product: Product) -> None:
    connect = packets.read_connect(packet_of("a1LampKey01", "stranger"))
    presented = Presented(connect.client_id, connect.username or "", (connect.password or b"").decode())
    device = PahoDevice(presented, registrar.port, comes_back=False)
    assert device.connect() == 4
    device.close()
    assert not device.received
