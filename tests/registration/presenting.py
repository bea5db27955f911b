"""A device in a test that presents a certificate, and its CA on file."""

import base64
import json
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote

from django.test import Client

from console.crypto.certificates import reading
from devices.models import Authentication, Connection, Device, DeviceCertificate, PreImportedDevice
from products.models import AuthorityProduct, AuthorityState, CertificateAuthority, Product
from products.services import authorities
from registration.models import DeviceLogEntry
from registration.protocols.connecting import Presented
from tests import cast
from tests.console import x509_parts
from tests.console.x509_parts import NOW, certificate, dn, integer, key
from tests.registration.hooking import ADDRESS, Asked, Hooking

NAME = "device"
"""Of x509_parts' certificates."""
authority = cache(x509_parts.authority)
"""Each once: no two signatures by one key are the same bytes."""


def on_file(der: bytes, *products: Product, state: str = AuthorityState.ACTIVE) -> CertificateAuthority:
    """A CA certificate, past the checks and the proof of an upload, which have tests of their own."""
    found = reading.from_der(der)
    row, _made = CertificateAuthority.objects.get_or_create(
        sha256=found.sha256,
        defaults={
            "name": f"{found.shown_as} {found.sha256[:8]}",
            "certificate": der,
            "subject": found.subject,
            "issuer": found.issuer,
            "serial_number": found.serial_hex,
            "sha1": found.sha1,
            "spki_sha256": found.spki_sha256,
            "subject_key_id": found.subject_key_identifier,
            "key_kind": found.key_kind,
            "not_before": found.not_before,
            "not_after": found.not_after,
            "state": state,
            "verified_at": NOW,
            "without_proof_reason": "a test",
            "uploaded_at": NOW,
        },
    )
    for product in products:
        AuthorityProduct.objects.create(authority=row, product=product)
    authorities.forget()
    return row


def lamp(**switches: object) -> Product:
    """Its CA certificate is that of the name CA, and its pre-import list has the device, without a fingerprint."""
    product = cast.lamp(**switches)
    on_file(authority(), product)
    row(product)
    return product


def row(product: Product, name: str = NAME, **facts: str) -> PreImportedDevice:
    return cast.row(product, name, Authentication.X509, **facts)


@cache
def leaf(name: str = NAME, key_name: str = "leaf", serial: int = 0x1234) -> bytes:
    return certificate(subject=dn(name), public=key(key_name).public_key(), serial=integer(serial))


@cache
def below(name: str = NAME) -> tuple[bytes, bytes]:
    """Of an intermediate CA, and that one's certificate."""
    made = certificate(subject=dn(name), issuer=dn("middle"), signer=key("middle"))
    return made, authority("middle", of="CA", serial=integer(77))


def presented(*chain: bytes, username: str = "", password: str = "", client_id: str = "crate", product_key: str = "") -> Presented:
    return Presented(client_id, username, password, chain or (leaf(),), product_key)


def device(name: str = NAME) -> Device:
    return Device.objects.get(device_name=name)


def pin(name: str = NAME) -> DeviceCertificate:
    return DeviceCertificate.objects.get(device__device_name=name)


def newest() -> DeviceLogEntry:
    return DeviceLogEntry.objects.latest("id")


def sha256(der: bytes) -> str:
    return reading.from_der(der).sha256


def nobody_came() -> bool:
    return not Device.objects.exists() and not Connection.objects.exists()


def asks(asking: Hooking, chain: tuple[bytes, ...], *, username: str = "", password: str = "", **more: str) -> Asked:
    """The broker's question about a device with this certificate: EMQX, VerneMQ."""
    handed_on = base64.b64encode(chain[0]).decode() if chain else ""
    names: dict[str, Any] = {"username": username, "password": password}
    if asking.kind == "vernemq":
        fields = names | {"client_id": "crate", "client_cert": handed_on, "peer_addr": ADDRESS} | more
        return Asked("", json.dumps(fields).encode(), "application/json", {"vernemq-hook": "auth_on_register"})
    fields = names | {"clientid": "crate", "cert_pem": handed_on, "peerhost": ADDRESS} | more
    return Asked("authenticate", json.dumps(fields).encode(), "application/json")


def headers_of(kind: str, chain: tuple[bytes, ...]) -> dict[str, str]:
    """As the proxy writes them."""
    if kind == "nginx":
        text = quote(_pem(chain[0])) if chain else ""
        return {"X-SSL-Client-Verify": "SUCCESS", "X-SSL-Client-Cert": text} if chain else {"X-SSL-Client-Verify": "NONE"}
    if kind == "haproxy":
        encoded = [base64.b64encode(one).decode() for one in chain]
        found = {"X-SSL-Client-Used": "1" if chain else "0", "X-SSL-Client-Verify": "0"}
        found |= {"X-SSL-Client-DER": encoded[0]} if chain else {}
        return found | ({"X-SSL-Client-Chain-DER": base64.b64encode(b"".join(chain[1:])).decode()} if chain[1:] else {})
    if not chain:
        return {}
    return {"X-Forwarded-Client-Cert": f'Cert="{quote(_pem(chain[0]))}";Chain="{quote("".join(map(_pem, chain)))}"'}


def _pem(der: bytes) -> str:
    text = base64.b64encode(der).decode()
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


@dataclass(frozen=True)
class Door:
    """A proxy's way to ask."""

    asking: Hooking

    def ask(self, chain: tuple[bytes, ...] = (), *, secret: str | None = None, path: str = "", method: str = "get", **headers: str) -> Any:
        """`headers`: underscores for hyphens; they come before the proxy's own."""
        kind = self.asking.kind
        sent = {name.replace("_", "-"): value for name, value in headers.items()} | headers_of(kind, chain)
        sent["X-Proxy-Secret"] = self.asking.secret if secret is None else secret
        return getattr(Client(headers=sent), method)(path or f"/hooks/{kind}/connect")
