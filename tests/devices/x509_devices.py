"""Devices with certificates of their own, as tests of pages and of the API need them: a factory's CA, and devices that come with its
certificates by the same way as a real connection."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from console.crypto.certificates import issuing, reading
from console.crypto.certificates.certificate import Certificate
from console.crypto.certificates.issuing import Issuer, KeyKind, Profile
from devices.models import Authentication, Device
from devices.services import certificate_admission, connections
from products.models import CertificateAuthority, DataCenter, Product
from products.services import authorities, authority_proof, authority_states, authority_upkeep, lookup
from registration.models import DeviceEvent
from registration.protocols.connecting import Presented
from registration.services import certificate_auth
from registration.services.device_log import Attempt
from tests import cast
from tests.cast import OPERATOR
from tests.products.issuing_cast import NOW, an_issuer, pem

NAME = "A4C138000001"


@dataclass(frozen=True)
class Works:
    """A CA that is active for one product."""

    product: Product
    issuer: Issuer
    authority: CertificateAuthority

    def certificate(self, name: str = NAME, *, days: int = 365) -> Certificate:
        """Of a new key."""
        return reading.from_der(self.signed(name, days=days).public_bytes(Encoding.DER))

    def signed(self, name: str = NAME, *, days: int = 365) -> x509.Certificate:
        key: Any = issuing.new_key(KeyKind.EC_P256)
        facts: dict[str, Any] = {"profile": Profile(days), "serial": issuing.draw_serial(), "at": NOW}
        return issuing.issue(self.issuer, device_name=name, public_key=key.public_key(), **facts)


def works(product: Product, name: str = "Example Works") -> Works:
    issuer = an_issuer(name)
    new = authority_upkeep.NewAuthority(pem(issuer.certificate).encode(), products=[product])
    authority = authority_upkeep.upload(new, by=OPERATOR, at=NOW)
    authority_proof.accept_without_proof(authority.pk, reason="Made by the test", by=OPERATOR, at=NOW)
    return Works(product, issuer, authority_states.activate(authority.pk, by=OPERATOR, at=NOW))


def present(product: Product, certificate: Certificate, center: DataCenter | None = None) -> Device:
    """The device has connected with it. Raises the DomainError that refuses."""
    center = center or cast.home()
    lookup.forget()
    authorities.forget()
    attempt = Attempt(NOW, uuid4(), "x509", "192.0.2.9", center, event=DeviceEvent.CONNECTION)
    presented = Presented("", "", "", (certificate.der,), product_key=product.key)
    done = certificate_auth.decide(attempt, center, presented, connections.NOWHERE, let_in=certificate_admission.admit)
    return Device.objects.at(center).get(pk=done.let_in.device_id)


def arrived(product: Product, certificate: Certificate, name: str = NAME, center: DataCenter | None = None, **facts: str) -> Device:
    """Imported without a fingerprint, if `facts` say none, and connected."""
    cast.row(product, name, Authentication.X509, **facts)
    return present(product, certificate, center)


def waiting(product: Product, name: str = NAME, fingerprint: str = "", center: DataCenter | None = None) -> Device:
    """In the list, and not seen yet."""
    center = center or cast.home()
    facts: dict[str, Any] = {"authentication": Authentication.X509, "certificate_fingerprint": fingerprint, "created_at": NOW}
    device = Device(product=product, data_center=center, device_name=name, sealed_secret=b"", **facts)
    device.save(using=center.database)
    return device
