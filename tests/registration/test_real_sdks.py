"""The vendors' own SDKs from PyPI, unmodified, register here when only name resolution and CA are changed (N1)."""

from pathlib import Path
from typing import Any

import pytest

from console.shared import keyring
from devices.models import Device
from products.models import Product
from registration.models import DeviceLogEntry
from tests import cast, certificates, processes
from tests.processes import Server
from tests.registration import environments
from tests.registration.environments import driven

pytestmark = pytest.mark.slow
ALIBABA_HOST = "iot-auth.cn-shanghai.aliyuncs.com"


def secret_of(device: Device) -> str:
    return keyring.unseal(device.sealed_secret, owner=device.secret_owner())


@pytest.fixture
def alibaba_server(transactional_db: None, tmp_path: Path) -> Any:
    """TLS, with a certificate for the host that the SDK has compiled in."""
    cast.home()
    files = certificates.make_rsa(tmp_path, ALIBABA_HOST)
    server = processes.start_server(tmp_path, tls=files, NAMEPLATE_PRODUCT_CACHE_SECONDS="0")
    yield server, files[0]
    server.stop()


def test_alibaba_s_python_sdk_registers_over_https(alibaba_server: tuple[Server, Path]) -> None:
    server, ca = alibaba_server
    product = cast.kettle()
    cast.row(product, "0015A3B4C5D6")

    def register(name: str, secret: str = "h1nQFYPZS0mW1234") -> tuple[int, str]:
        return driven(environments.ALIBABA, "alibaba_driver.py", str(server.port), str(ca), product.key, secret, name)

    code, secret = register("0015A3B4C5D6")
    device = Device.objects.at(cast.home()).get()
    assert (code, secret) == (0, secret_of(device))
    assert register("0015A3B4C5D7") == (1, "device not found")
    assert register("0015A3B4C5D6", "anotherSecret123") == (1, "signature check failed")
    cast.activate(device, at=cast.NOON)
    assert register("0015A3B4C5D6") == (1, "device is already activated")
    codes = [entry.code for entry in DeviceLogEntry.objects.order_by("id")]
    assert codes == ["accepted", "not_imported", "bad_signature", "already_activated"]


def test_tencent_s_python_sdk_registers_over_http(running_server: Server) -> None:
    cast.home()
    product = cast.tracker()
    cast.row(product, "dev_py_1")

    def register(name: str, secret: str = "hzvf5LF9S0isvBhDSauWMaIk") -> tuple[int, str]:
        return driven(environments.TENCENT, "tencent_driver.py", str(running_server.port), product.key, secret, name)

    code, psk = register("dev_py_1")
    device = Device.objects.at(cast.home()).get()
    assert (code, psk) == (0, secret_of(device))
    assert register("dev_py_2") == (-1, "Pre create mode: device not exists")
    assert register("dev_py_1", "x" * 24) == (-1, "Check signature failed")
    Product.objects.update(dynamic_registration=False)
    assert register("dev_py_1") == (-1, "Not support dynamic device register, please check setting first")
    Product.objects.update(dynamic_registration=True)
    cast.activate(device, at=cast.NOON)
    assert register("dev_py_1") == (-1, "Device has been activated")
