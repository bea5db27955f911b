"""Certificates without an end (99991231235959Z), as IEEE 802.1AR wants them of devices: that second is in no year east of Greenwich."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console.crypto.certificates import issuing, reading
from console.crypto.certificates.certificate import Certificate, showable
from console.crypto.certificates.issuing import KeyKind
from devices.admin.device import device_key
from products.models import CertificateAuthority, Product
from products.services import authority_proof, authority_states, authority_upkeep
from tests import cast
from tests.cast import OPERATOR
from tests.devices import x509_devices
from tests.devices.x509_devices import NAME
from tests.products.issuing_cast import NOW, pem

pytestmark = [pytest.mark.django_db, pytest.mark.storage]
LAST_SECOND = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
FIRST_SECOND = datetime(1, 1, 1, tzinfo=UTC)
ZONES = ["Asia/Shanghai", "Pacific/Kiritimati", "America/Los_Angeles"]


@pytest.fixture
def kettle(client: Client) -> Product:
    cast.home()
    client.force_login(cast.administrator())
    return cast.kettle()


def works(product: Product) -> tuple[CertificateAuthority, Certificate]:
    """A CA without an end, active for the product, and a device's certificate without one."""
    key: Any = issuing.new_key(KeyKind.EC_P256)
    name, device = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in ("Endless Works", NAME))
    builder = x509.CertificateBuilder(name, name, key.public_key(), 5, NOW, LAST_SECOND)
    root = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(key, hashes.SHA256())
    new = authority_upkeep.NewAuthority(pem(root).encode(), products=[product])
    row = authority_upkeep.upload(new, by=OPERATOR, at=NOW)
    authority_proof.accept_without_proof(row.pk, reason="Made by the test", by=OPERATOR, at=NOW)
    own = issuing.new_key(KeyKind.EC_P256).public_key()
    leaf = x509.CertificateBuilder(name, device, own, 6, NOW, LAST_SECOND).sign(key, hashes.SHA256())
    return authority_states.activate(row.pk, by=OPERATOR, at=NOW), reading.from_der(leaf.public_bytes(Encoding.DER))


@pytest.mark.parametrize("zone", ZONES)
def test_its_ca_and_its_device_have_pages_in_every_time_zone(client: Client, kettle: Product, zone: str) -> None:
    authority, leaf = works(kettle)
    device = x509_devices.arrived(kettle, leaf)
    pages = [
        reverse("admin:products_certificateauthority_changelist"),
        reverse("admin:products_certificateauthority_change", args=[authority.pk]),
        reverse("admin:devices_device_change", args=[device_key(device)]),
        reverse("admin:products_product_change", args=[kettle.pk]),
    ]
    with timezone.override(ZoneInfo(zone)):
        texts = [client.get(page) for page in pages]
    assert [answer.status_code for answer in texts] == [200, 200, 200, 200]
    assert all("9999-12-3" in answer.content.decode() for answer in texts[:3])


@pytest.mark.parametrize("zone", ZONES)
def test_what_is_shown_has_a_day_everywhere(zone: str) -> None:
    for at in (FIRST_SECOND, NOW, LAST_SECOND):
        assert showable(at).astimezone(ZoneInfo(zone))
    assert showable(NOW) == NOW
