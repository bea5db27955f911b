"""Devices with certificates at a real RabbitMQ, which knows nothing of certificates: the registrar before it ends their mutual TLS."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import timezone

from devices.models import Authentication, Connection, Device, DeviceCertificate, DisconnectOrder, PreImportedDevice
from devices.services import device_certificates
from products.models import Product
from registration.models import CertificateTicket
from registration.protocols import native_mqtt
from registration.protocols.connecting import Presented
from tests import cast, processes, rabbitmq
from tests.openssl_pki import Factory, Made
from tests.processes import Process, Registrar
from tests.rabbitmq import RabbitMQ
from tests.registration.certificate_gateways import trust
from tests.registration.mutual_tls import ALIBABA, NAME, NATIVE, codes, context, entries, knock, newest
from tests.registration.paho_device import PahoDevice
from tests.registration.rabbit_cast import credentials, link_is_ready
from tests.registration.waiting import until

pytestmark = [pytest.mark.rabbitmq, pytest.mark.slow, pytest.mark.xdist_group("rabbitmq")]
OWN = f"/a1LampKey01/{NAME}/user/get"
REFUSED = (4, 5)
BY_NAME = Presented(f"{NAME}-1", NATIVE, "")


@pytest.fixture
def factory(tmp_path: Path) -> Factory:
    return Factory(tmp_path)


@pytest.fixture
def root(factory: Factory, rabbit: RabbitMQ) -> Made:
    """The CA of the product's devices; the console knows the broker, too."""
    cast.home()
    rabbitmq.enrol(rabbit, cast.home())
    root = factory.root()
    trust(cast.lamp(), root)
    return root


@pytest.fixture
def registrar(root: Made, rabbit: RabbitMQ, process_folder: Path, rsa_certificate: tuple[Path, Path]) -> Iterator[Registrar]:
    """It passes devices on to RabbitMQ."""
    own = {"NAMEPLATE_MQTT_UPSTREAM": f"127.0.0.1:{rabbit.mqtt_port}", "NAMEPLATE_PRODUCT_CACHE_SECONDS": "0"}
    registrar = processes.start_registrar(process_folder, tls=rsa_certificate, **own)
    yield registrar
    registrar.stop()
    assert [line for line in registrar.process.output().splitlines() if "The MQTT registrar is at" not in line] == []


@pytest.fixture
def start_device(registrar: Registrar) -> Iterator[Callable[[Presented, Made | None], PahoDevice]]:
    """start_device(presented, certificate): not connected yet. All leave with the test."""
    devices: list[PahoDevice] = []

    def start(presented: Presented, certificate: Made | None) -> PahoDevice:
        devices.append(PahoDevice(presented, registrar.tls_port, tls=context(registrar, certificate), comes_back=False))
        return devices[-1]

    yield start
    for device in devices:
        device.close()


def lamp_row(authentication: str = Authentication.X509) -> None:
    cast.row(Product.objects.get(key="a1LampKey01"), NAME, authentication)


Start = Callable[[Presented, Made | None], PahoDevice]


@pytest.mark.parametrize("presented", [BY_NAME, ALIBABA], ids=["by name", "without user name"])
def test_a_device_connects_by_its_certificate(start_device: Start, factory: Factory, root: Made, presented: Presented) -> None:
    good = factory.device(NAME, factory.intermediate(root))
    lamp_row()
    device = start_device(presented, good)
    assert device.connect() == 0
    assert device.subscribe(OWN) and device.publish(OWN, b"to myself")
    device.wait(lambda: device.received == [(OWN, b"to myself")])
    assert not device.publish("/a1LampKey01/crate-2/user/get")
    accepted = newest(1)
    assert (accepted.code, accepted.protocol, accepted.device_name) == ("accepted", "x509", NAME)
    assert accepted.facts["certificate"] == good.sha256 == DeviceCertificate.objects.get().sha256
    assert not CertificateTicket.objects.exists(), "it was good once"


def test_another_certificate_of_the_same_name_is_refused(registrar: Registrar, factory: Factory, root: Made) -> None:
    good, other, stranger = factory.device(NAME, root), factory.device(NAME, root), factory.device("crate-2", root)
    lamp_row()
    assert knock(registrar, context(registrar, good)) == 0
    assert newest(1).code == "accepted"
    assert knock(registrar, context(registrar, other)) in REFUSED
    refused = newest(2)
    assert (refused.code, refused.facts["expected"], refused.facts["seen"]) == ("certificate_not_pinned", good.sha256, other.sha256)
    assert knock(registrar, context(registrar, stranger)) in REFUSED
    assert newest(3).code == "certificate_other_name"
    assert knock(registrar, context(registrar, None)) in REFUSED
    assert codes() == ["accepted", "certificate_not_pinned", "certificate_other_name"], "RabbitMQ asks nobody about an empty password"


def test_a_device_with_a_secret_goes_on_by_its_password(registrar: Registrar, start_device: Start, factory: Factory, root: Made) -> None:
    lamp_row(Authentication.DYNAMIC)
    asked = native_mqtt.compose(credentials(PreImportedDevice.objects.get()), datetime.now(UTC), 1)
    for certificate in (None, factory.device(NAME, root)):
        device = start_device(asked, certificate)
        assert device.connect() == 0
        assert device.publish(OWN)
        device.close()
    wrong = asked.password.replace(".", ".0")[:-1].encode()
    assert knock(registrar, context(registrar, factory.device(NAME, root)), password=wrong) in REFUSED
    until(lambda: codes() == ["accepted", "accepted", "bad_credential"])
    assert {entry.protocol for entry in entries()} == {"native"}


def test_a_device_that_is_revoked_is_cut_off(
    registrar: Registrar, start_device: Start, factory: Factory, root: Made, broker_link: Process
) -> None:
    lamp_row()
    until(link_is_ready)
    good = factory.device(NAME, root)
    device = start_device(BY_NAME, good)
    assert device.connect() == 0
    until(lambda: Device.objects.at(cast.home()).online().exists())
    until(lambda: Connection.objects.get().session != "", 20)
    device_certificates.revoke(Device.objects.at(cast.home()).get(), reason="key_compromise", by=cast.OPERATOR, at=timezone.now())
    assert device.cut_within(5)
    until(lambda: DisconnectOrder.objects.get().state == "cut")
    assert knock(registrar, context(registrar, good)) in REFUSED
    until(lambda: codes()[-1] in {"device_certificate_revoked", "certificate_revoked"})
