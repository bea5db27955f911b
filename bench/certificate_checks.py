"""What EMQX asks of devices with certificates: the questions of a measurement, and the devices, keys and CA behind them."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import orjson
from cryptography.hazmat.primitives.serialization import Encoding

from bench import doors
from console.crypto.certificates import issuing
from console.crypto.certificates.issuing import Issuer, KeyKind, Profile
from console.shared.actors import SYSTEM
from devices.models import Authentication, PreImportedDevice
from products.models import Broker, BrokerKind, Product
from products.services import brokers, data_centers
from tests.products import ca_cast


def questions(made: Product, devices: int) -> Iterator[bytes]:
    """Endless: what EMQX asks when the devices connect, by turns. Their CA, EC P-256, is on file and active."""
    center, now = data_centers.serving(""), datetime.now(UTC)
    row = brokers.save(Broker(), data_center=center, name="Bench EMQX", kind=BrokerKind.EMQX, enabled=True, by=SYSTEM, at=now)
    path = f"/hooks/emqx/{brokers.reveal_hook_secret(row, by=SYSTEM, at=now)}/authenticate"
    ca = ca_cast.make("Bench CA", at=now)
    ca_cast.active(ca, made, at=now)
    names = doors.imported(made, [f"certified-{at:05d}" for at in range(devices)])
    PreImportedDevice.objects.filter(product=made, device_name__in=names).update(authentication=Authentication.X509)
    asked = [_question(path, made, name, _certificate(Issuer(ca.certificate, ca.key), name, now)) for name in names]
    while True:
        yield from asked


def allowed(answers: Sequence[bytes]) -> bool:
    return all(body.startswith(b'{"result":"allow"') for body in answers)


def _question(path: str, made: Product, name: str, certificate: bytes) -> bytes:
    fields = {
        "clientid": f"{name}|securemode=2,signmethod=hmacsha256|",
        "username": f"{name}&{made.key}",
        "password": "",
        "peerhost": "192.0.2.7",
        "cert_pem": b64encode(certificate).decode(),
    }
    body = orjson.dumps(fields)
    head = f"POST {path} HTTP/1.1\r\nHost: {doors.HOST}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _certificate(issuer: Issuer, name: str, at: datetime) -> bytes:
    key, profile = issuing.new_key(KeyKind.EC_P256), Profile(365)
    made = issuing.issue(issuer, device_name=name, public_key=key.public_key(), profile=profile, serial=issuing.draw_serial(), at=at)
    return made.public_bytes(Encoding.DER)
