"""Devices that present certificates: a CA, what it signs, and how one of its devices connects."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from console.crypto.certificates import reading
from console.crypto.certificates.certificate import Certificate
from devices.models import Device, DeviceCertificate
from devices.rules import presented
from devices.rules.pins import Pins
from devices.rules.presented import Facts, Verdict
from devices.services import certificate_admission
from devices.services.certificate_admission import Entry, Judge, LetIn
from products.models import DataCenter, Product
from products.services import authorities, revocation
from products.services.lookup import find_for_registration
from tests import cast
from tests.cast import NOON
from tests.products.ca_cast import Ca

NAME = "64C2DE000001"


def signed(ca: Ca, name: str = NAME, *, key: Any = None, is_ca: bool = False) -> Certificate:
    """A certificate of this name, the device's (or, with `is_ca`, an intermediate CA's)."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begin, end = NOON - timedelta(days=1), NOON + timedelta(days=99)
    made = x509.CertificateBuilder(ca.certificate.subject, subject, key.public_key(), x509.random_serial_number(), begin, end)
    made = made.add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    return reading.from_der(made.sign(ca.key, hashes.SHA256()).public_bytes(Encoding.DER))


def below(ca: Ca, name: str = "Line 7", *, key: Any = None) -> Ca:
    """An intermediate CA."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    return Ca(key, x509.load_der_x509_certificate(signed(ca, name, key=key, is_ca=True).der))


def read(ca: Ca) -> Certificate:
    return reading.from_der(ca.der)


def judge_of(chain: Sequence[Certificate], product_id: int, name: str, at: datetime) -> Judge:
    """The judgement as the door asks for it; all is read from the database each time."""

    def judge(pins: Pins, device_revoked_at: datetime | None) -> Verdict:
        authorities.forget()
        accepted = authorities.accepted(product_id)
        on_file = revocation.on_file(presented.revocation_keys(chain, accepted.anchors), at=at)
        facts = Facts(
            at,
            accepted.anchors,
            name,
            name,
            pins,
            accepted.same_key,
            device_revoked_at=device_revoked_at,
            revoked=on_file.revoked,
            lists=on_file.lists,
        )
        return presented.judge(chain, facts)

    return judge


def entry(product: Product, name: str = NAME, *, center: DataCenter | None = None, at: datetime = NOON, **facts: Any) -> Entry:
    return Entry(center or cast.home(), find_for_registration(product.key, at=at), name, at, **facts)


def connect(product: Product, *chain: Certificate, name: str = NAME, at: datetime = NOON, **facts: Any) -> LetIn:
    """The device connects with this chain. Raises a Refused."""
    asked = entry(product, name, at=at, **facts)
    return certificate_admission.admit(asked, judge_of(chain, product.pk, name, at))


def foresee(product: Product, *chain: Certificate, name: str = NAME, at: datetime = NOON) -> LetIn:
    return certificate_admission.foresee(entry(product, name, at=at), judge_of(chain, product.pk, name, at))


def device(name: str = NAME) -> Device:
    return Device.objects.at(cast.home()).get(device_name=name)


def row(name: str = NAME) -> DeviceCertificate:
    return DeviceCertificate.objects.get(device__device_name=name)
