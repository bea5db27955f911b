"""manage.py simulate over MQTT, against the registrar with the embedded broker (N5)."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from devices.models import ClientIdentity, Device
from products.models import Product
from registration.management.mqtt_devices import MqttServer
from tests import cast, processes
from tests.processes import Registrar
from tests.registration.knocking import SECRETS

pytestmark = pytest.mark.slow


@pytest.fixture
def house(transactional_db: None, process_folder: Path, rsa_certificate: tuple[Path, Path]) -> Iterator[Registrar]:
    cast.home()
    registrar = processes.start_registrar(process_folder, tls=rsa_certificate, NAMEPLATE_MQTT_UPSTREAM="embedded")
    yield registrar
    registrar.stop()


@pytest.fixture
def product(transactional_db: None) -> Product:
    product = cast.lamp(preregistration_free=True)
    for number in range(4):
        cast.row(product, f"sim-{number:06d}")
    return product


def simulate(url: str, product: Product, *arguments: str, secret: str = "") -> tuple[str, list[list[str]]]:
    """What it printed, and its table's rows by words: kind, code, count."""
    out = StringIO()
    common = ["--url", url, "--product-key", product.key, "--product-secret", secret or SECRETS[product.key], "--protocol", "alibaba-mqtt"]
    call_command("simulate", *common, *arguments, stdout=out)
    printed = out.getvalue()
    rows = [
        [line[2:16].strip(), line[17:53].strip(), line[103:110].strip()] for line in printed.splitlines() if line[103:110].strip().isdigit()
    ]
    return printed, rows


def test_devices_register_connect_and_stay(house: Registrar, product: Product) -> None:
    printed, rows = simulate(
        f"mqtt://127.0.0.1:{house.port}", product, "--count", "4", "--repeat", "1", "--bad-signatures", "2", "--connect", "1.5",
        "--wrong-secrets", "2",
    )  # fmt: skip
    assert rows == [
        ["first", "0", "4"], ["repeat", "0", "4"], ["bad signature", "4", "2"], ["connect", "0", "4"], ["wrong secret", "4", "2"],
        ["stays", "kept", "4"],
    ]  # fmt: skip
    assert Device.objects.at(cast.home()).filter(activated_at__isnull=False).count() == 4
    assert SECRETS[product.key] not in printed


def test_one_secret_in_two_places_is_one_connection(house: Registrar, product: Product) -> None:
    _, rows = simulate(f"mqtt://127.0.0.1:{house.port}", product, "--count", "1", "--clones", "1", "--connect", "6", "--concurrency", "1")
    assert rows == [["clone", "0", "2"], ["clone connects", "0", "2"], ["stays", "cut", "1"], ["stays", "kept", "1"]]


def test_physical_devices_take_one_name_and_five_get_in(house: Registrar, product: Product) -> None:
    _, rows = simulate(
        f"mqtts://localhost:{house.tls_port}", product, "--ca", str(house.ca), "--regnwl", "--count", "1", "--clones", "1",
        "--devices", "6", "--connect", "1.5", "--concurrency", "1",
    )  # fmt: skip
    assert rows == [["clone", "0", "6"], ["clone connects", "0", "5"], ["clone connects", "4", "1"], ["stays", "kept", "5"]]
    assert ClientIdentity.objects.filter(first_connected_at__isnull=False).count() == 5


def test_it_trusts_no_certificate_that_nobody_named(house: Registrar, product: Product) -> None:
    with pytest.raises(CommandError, match="unexpected"):
        simulate(f"mqtts://localhost:{house.tls_port}", product, "--count", "1")


def test_it_fails_when_nothing_answers(product: Product) -> None:
    with pytest.raises(CommandError, match="unexpected"):
        simulate("mqtt://127.0.0.1:9", product, "--count", "1")


@pytest.mark.parametrize("url", ["http://127.0.0.1", "mqtt://", "127.0.0.1:1883"])
def test_it_refuses_a_url_that_is_not_mqtts(url: str) -> None:
    with pytest.raises(ValueError, match="mqtt://"):
        MqttServer(url)


def test_it_says_what_regnwl_goes_with() -> None:
    with pytest.raises(CommandError, match="alibaba-mqtt"):
        call_command("simulate", "--product-key", "x", "--product-secret", "x", "--protocol", "native", "--regnwl")
