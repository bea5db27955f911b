"""What tests with a real proxy for devices with certificates share: the factory's certificates, a product that takes them, and the log."""

import json
import time
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from devices.models import Authentication, Device, DeviceCertificate
from products.models import Product
from products.services import authority_proof, authority_states, authority_upkeep
from registration.models import DeviceLogEntry
from registration.services import recorder
from tests import cast
from tests.cast import OPERATOR
from tests.gateways import Answer
from tests.openssl_pki import FUTURE, PAST, Factory, Made
from tests.registration import waiting

DEVICE = "crate-1"


@dataclass(frozen=True)
class Certificates:
    """Of one device: what is accepted (`below`: by one intermediate CA, `deep`: by two), and one of each defect."""

    root: Made
    line: Made
    good: Made
    other: Made
    below: Made
    deep: Made
    expired: Made
    early: Made
    server: Made
    self_signed: Made
    stranger: Made


def make(factory: Factory) -> Certificates:
    root, stranger = factory.root(), factory.root("Stranger Root")
    line = factory.intermediate(root)
    return Certificates(
        root=root,
        line=line,
        good=factory.device(DEVICE, root),
        other=factory.device(DEVICE, root),
        below=factory.device(DEVICE, line),
        deep=factory.device(DEVICE, factory.intermediate(line, "Works Station 4")),
        expired=factory.device(DEVICE, root, years=PAST),
        early=factory.device(DEVICE, root, years=FUTURE),
        server=factory.device(DEVICE, root, purpose="serverAuth"),
        self_signed=factory.device(DEVICE, None),
        stranger=factory.device(DEVICE, stranger),
    )


def product_of(*authorities: Made, name: str = DEVICE) -> Product:
    """A product whose CA certificates these are, with this device in its pre-import list."""
    product = cast.lamp()
    for one in authorities:
        trust(product, one)
    cast.row(product, name, Authentication.X509)
    return product


def trust(product: Product, authority: Made) -> None:
    """Its CA certificate is active; the proof of possession has tests of its own."""
    now = timezone.now()
    new = authority_upkeep.NewAuthority(authority.pem.encode(), products=(product,))
    row = authority_upkeep.upload(new, by=OPERATOR, at=now)
    authority_proof.accept_without_proof(row.pk, reason="a test", by=OPERATOR, at=now)
    authority_states.activate(row.pk, by=OPERATOR, at=now)


def is_let_in(answer: Answer, name: str = DEVICE) -> bool:
    """Told its names; a refusal says nothing but the request's number. Returns when the entry in the log is written."""
    told: dict[str, Any] = json.loads(answer.body)
    waiting.until(lambda: DeviceLogEntry.objects.filter(request_id=told["requestId"]).exists())
    if answer.status == 200:
        return (told["productKey"], told["deviceName"]) == ("a1LampKey01", name)
    assert (answer.status, told["code"], set(told)) == (403, "refused", {"code", "requestId"}), answer
    return False


def logged(count: int = 1) -> DeviceLogEntry:
    """The newest of so many entries of this test's data center: the server writes them behind its answers, those of the test before
    perhaps only now."""
    own = DeviceLogEntry.objects.at(cast.home())
    waiting.until(lambda: own.count() >= count)
    assert own.count() == count, list(own.values_list("code", flat=True))
    return own.latest("at")


def nothing_is_logged() -> bool:
    """After the while within which the server would have written it."""
    time.sleep(3 * recorder.GATHER_SECONDS)
    return not DeviceLogEntry.objects.at(cast.home()).exists()


def pinned(name: str = DEVICE) -> str:
    """The SHA-256 that the device must present."""
    device = Device.objects.at(cast.home()).get(device_name=name)
    return DeviceCertificate.objects.get(device=device).sha256
