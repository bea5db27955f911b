"""manage.py simulate with devices that are handed certificates (N5)."""

from collections import Counter
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from devices.models import Device
from products.models import IssuedCertificate, Product
from tests import cast, processes
from tests.processes import Registrar, Server
from tests.registration.enrolling import certified
from tests.registration.knocking import SECRETS

pytestmark = pytest.mark.slow
COUNT = 3


@pytest.fixture
def product(transactional_db: None) -> Product:
    cast.home()
    tracker = certified(cast.tracker())
    for number in range(COUNT):
        cast.row(tracker, f"sim-{number:06d}")
    return tracker


@pytest.fixture
def registrar(product: Product, process_folder: Path, rsa_certificate: tuple[Path, Path]) -> Iterator[Registrar]:
    found = processes.start_registrar(process_folder, tls=rsa_certificate, NAMEPLATE_MQTT_UPSTREAM="embedded")
    yield found
    found.stop()


def simulate(server: Server, product: Product, *arguments: str) -> tuple[str, list[list[str]]]:
    """What it printed, and its table's rows by words: mark, kind, count."""
    out = StringIO()
    common = ["--url", server.url, "--product-key", product.key, "--product-secret", SECRETS[product.key], "--count", str(COUNT)]
    call_command("simulate", *common, *arguments, stdout=out)
    lines = [line for line in out.getvalue().splitlines() if line[103:110].strip().isdigit()]
    return out.getvalue(), [[line[2:16].strip(), line[103:110].strip()] for line in lines]


@pytest.mark.parametrize("way", [["--protocol", "tencent-new"], ["--protocol", "tencent-old"], ["--protocol", "native", "--csr"]])
def test_devices_are_handed_certificates_connect_and_stay(
    running_server: Server, registrar: Registrar, product: Product, way: list[str]
) -> None:
    broker = ["--broker", f"mqtts://localhost:{registrar.tls_port}", "--ca", str(registrar.ca)]
    printed, rows = simulate(running_server, product, *way, *broker, "--connect", "1", "--wrong-secrets", "1", "--bad-signatures", "1")
    kinds = Counter({kind: int(count) for kind, count in rows})
    assert kinds == {"first": COUNT, "bad signature": 1, "connect": COUNT, "forged": 1, "stays": COUNT}, printed
    assert IssuedCertificate.objects.count() == COUNT
    assert Device.objects.at(cast.home()).filter(authentication="x509", activated_at__isnull=False).count() == COUNT
    assert "PRIVATE" not in printed


def test_without_tls_nobody_can_present_a_certificate(running_server: Server, product: Product) -> None:
    with pytest.raises(CommandError, match="mqtts"):
        simulate(running_server, product, "--protocol", "tencent-new", "--broker", "mqtt://127.0.0.1:9", "--connect", "1")


def test_a_request_is_a_matter_of_the_native_way(running_server: Server, product: Product) -> None:
    with pytest.raises(CommandError, match="--csr"):
        simulate(running_server, product, "--protocol", "tencent-new", "--csr")
