"""The demo's devices with certificates: a works CA that was proven, one that waits for its proof, and a CA made in the console.

The private keys are thrown away as soon as they have signed: nobody can make another certificate of these CAs.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.utils import timezone

from console.crypto.certificates import issuing
from console.crypto.certificates.issuing import Issuer, KeyKind, Profile
from console.demo import DEMO, MODELS, PLACES
from devices.models import Authentication, Device
from devices.services import device_certificates, pre_import
from products.models import Broker, BrokerKind, DataCenter, Product, RevocationReason
from products.services import authority_proof, authority_states, authority_upkeep, brokers, issuing_ca
from products.services.authority_upkeep import NewAuthority
from products.services.brokers import HookedBroker
from registration.protocols.connecting import Presented
from registration.services import broker_auth, recorder

GATES: Final = 14
"""Door sensors with certificates; the last of them has not come yet."""
AGO: Final = timedelta(days=6)
ENDING: Final = (3, 8)
"""Whose certificates end within the month."""


def load() -> None:
    """After demo.load()."""
    now = timezone.now()
    sensor, meter = (Product.objects.get(key=MODELS[number].key) for number in (1, 2))
    works = _issuer("Example Works Device CA", now)
    _trusted(works, sensor, at=now - AGO)
    authority_upkeep.upload(NewAuthority(_der(_issuer("Huaqiang Assembly CA 2", now).certificate)), by=DEMO, at=now - timedelta(days=2))
    issuing_ca.make(meter, name="Water meters", by=DEMO, at=now - timedelta(days=3))
    _devices(sensor, works, now)


def _issuer(name: str, now: datetime) -> Issuer:
    return issuing.make_issuer(name, kind=KeyKind.EC_P256, days=3650, serial=issuing.draw_serial(), at=now - timedelta(days=400))


def _trusted(works: Issuer, product: Product, *, at: datetime) -> None:
    """Uploaded, proven by its code, bound and activated, as an operator does it."""
    authority = authority_upkeep.upload(NewAuthority(_der(works.certificate), products=[product]), by=DEMO, at=at)
    authority = authority_proof.new_code(authority.pk, by=DEMO, at=at)
    authority_proof.prove(authority.pk, _leaf(works, authority.proof_code, 7, at), by=DEMO, at=at + timedelta(minutes=4))
    authority_states.activate(authority.pk, by=DEMO, at=at + timedelta(minutes=5))


def _devices(product: Product, works: Issuer, now: datetime) -> None:
    """Most come and are pinned. One name comes with another certificate, one is to change its certificate, one is revoked."""
    center = DataCenter.objects.get(code=PLACES[0][0])
    broker = brokers.hooked(Broker.objects.get(data_center=center, kind=BrokerKind.EMQX))
    names = [f"gate-{number:04d}" for number in range(1, GATES + 1)]
    for number, name in enumerate(names):
        new = pre_import.NewRow(name, nickname=f"Gate {number + 1}", authentication=Authentication.X509)
        pre_import.add(product, new, by=DEMO, at=now - AGO + timedelta(hours=1))
        if name != names[-1]:
            made = _leaf(works, name, 20 if number in ENDING else 1825, now - AGO)
            _connect(broker, product, name, made, at=now - AGO + timedelta(hours=2 + number))
    _connect(broker, product, names[0], _leaf(works, names[0], 1825, now - AGO), at=now - timedelta(hours=7))
    recorder.flush(30)
    here = {one.device_name: one for one in Device.objects.at(center).filter(device_name__in=names)}
    yesterday = now - timedelta(days=1)
    following = hashlib.sha256(_leaf(works, names[1], 1825, yesterday)).hexdigest()
    device_certificates.expect_next(here[names[1]], following, by=DEMO, at=yesterday)
    reason = RevocationReason.KEY_COMPROMISE
    device_certificates.revoke(here[names[5]], reason=reason, note="Stolen from a warehouse", by=DEMO, at=now - timedelta(hours=5))


def _connect(broker: HookedBroker, product: Product, name: str, certificate: bytes, *, at: datetime) -> None:
    """With the user name of Tencent's SDK."""
    presented = Presented(f"{product.key}{name}", f"{product.key}{name};12010126;demo;2147483647", "", (certificate,))
    broker_auth.connect(broker=broker, presented=presented, address="203.0.113.61", at=at)


def _leaf(issuer: Issuer, name: str, days: int, at: datetime) -> bytes:
    key = issuing.new_key(KeyKind.EC_P256)
    made = issuing.issue(issuer, device_name=name, public_key=key.public_key(), profile=Profile(days), serial=issuing.draw_serial(), at=at)
    return _der(made)


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
