"""Devices in tests that register at products which hand out certificates, and connect with what they were handed."""

import base64
import hmac
import json
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from console.crypto.certificates import reading
from console.crypto.certificates.certificate import Certificate
from products.models import DataCenter, Product
from products.services import authorities, issuing_profiles, lookup
from registration.protocols.base import Credentials, Request
from registration.protocols.connecting import Presented
from registration.protocols.native import NativeClaim, _sign
from registration.protocols.tencent import TencentNew
from registration.protocols.wire import compact_json
from registration.services import broker_auth
from registration.services.broker_auth import Verdict
from tests import cast
from tests.products.issuing_cast import NOW, a_request, own_ca
from tests.registration import connecting
from tests.registration.knocking import SECRETS, Knock, knock, request_of, send

IMEI = "490154203237518"
_sessions = count(1)


def forget() -> None:
    lookup.forget()
    issuing_profiles.forget()
    authorities.forget()


def certified(product: Product, **profile: Any) -> Product:
    """The product answers registration with certificates of a CA of its own."""
    own_ca(product, name=f"{product.name} devices", **profile)
    forget()
    return product


@dataclass(frozen=True)
class Pair:
    """What a device was handed."""

    certificate: Certificate
    key: str


def pair_of(tried: Knock) -> Pair:
    assert tried.code == "accepted", (tried.code, tried.entry.path)
    return Pair(reading.read_one(tried.answer.certificate.encode()), tried.answer.private_key)


def register(
    product: Product,
    name: str,
    protocol: str = "",
    *,
    at: datetime = NOW,
    host: str = "shanghai.devices.test",
    center: DataCenter | None = None,
) -> Knock:
    """Tencent's way, whichever interface. `center`: whose log has the entry, where that is a database of its own."""
    return knock(product, name, protocol=protocol, at=at, host=host, database=center.database if center else "default")


def with_csr(product: Product, name: str, csr: bytes | None = None, *, at: datetime = NOW, host: str = "shanghai.devices.test") -> Knock:
    """The native way. `csr`: DER; one for a new key unless given."""
    return send("native", csr_request(product, name, csr, at=at, host=host), product_secret=SECRETS[product.key], at=at)


def csr_request(
    product: Product, name: str, csr: bytes | None = None, *, at: datetime = NOW, host: str = "shanghai.devices.test"
) -> Request:
    text = x509.load_der_x509_csr(csr or a_request(name)).public_bytes(Encoding.PEM).decode()
    secret = SECRETS[product.key]
    plain = request_of("native", Credentials(product.key, secret, name), host=host, at=at)
    members = json.loads(plain.body)
    claim = NativeClaim(members["productKey"], members["deviceName"], str(members["timestamp"]), members["nonce"], "", text)
    return replace(plain, body=compact_json(members | {"csr": text, "signature": _sign(secret, claim.signed_text)}))


def with_own(product: Product, name: str, certificate: str, *, member: str = "clientCert", at: datetime = NOW) -> Knock:
    """Tencent's new interface with the certificate (PEM) that the device will connect with."""
    return send("tencent-new", own_request(product, name, certificate, member=member, at=at), product_secret=SECRETS[product.key], at=at)


def own_request(product: Product, name: str, certificate: str, *, member: str = "clientCert", at: datetime = NOW) -> Request:
    secret = SECRETS[product.key]
    request = request_of("tencent-new", Credentials(product.key, secret, name), at=at)
    body = compact_json(json.loads(request.body) | {member: certificate})
    text = next(TencentNew().parse(replace(request, body=body)).candidates())
    signature = base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha256")).decode()
    return replace(request, body=body, headers=dict(request.headers) | {"x-tc-signature": signature})


def connect(
    product: Product, name: str, certificate: Certificate, *above: Certificate, center: DataCenter | None = None, at: datetime = NOW
) -> Verdict:
    """As the vendor's device does: its user name, no password."""
    tencent = f"{product.key}{name};12010126;{next(_sessions):05d};4102444800"
    username = tencent if product.wire_protocol == "tencent" else f"{product.key}/{name}"
    chain = (certificate.der, *(one.der for one in above))
    presented = Presented(f"{product.key}{name}", username, "", chain)
    return broker_auth.connect(broker=connecting.broker(center or cast.home()), presented=presented, address=connecting.ADDRESS, at=at)
