"""Devices that are connected by their certificates, a thousand at a time."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from devices.models import Authentication, Connection, CutReason, Device, DeviceCertificate, DeviceOrigin, DisconnectOrder
from products.models import CertificateAuthority, DataCenter, Product
from products.services.revocation import serial_text
from tests import cast
from tests.cast import NOON
from tests.devices import clones


def key(issuer_spki: str, serial: int) -> str:
    return f"{issuer_spki}:{serial_text(serial)}"


def connected(
    product: Product,
    authority: CertificateAuthority,
    serials: Iterable[int],
    *,
    below: Sequence[str] = (),
    center: DataCenter | None = None,
    kind: str = "emqx",
    at: datetime = NOON,
) -> list[Device]:
    """One device for each serial number, named after it; its certificate leads to `authority`. `below`: by intermediate CAs, the public key
    (SHA-256) of the one that signed the devices' certificates, then what would revoke each of them."""
    center = center or cast.home()
    broker = clones.broker(center, kind)
    signer, *above = below or (authority.spki_sha256,)
    devices = [
        Device(
            data_center=center,
            product=product,
            device_name=f"{product.name}-{serial}",
            authentication=Authentication.X509,
            origin=DeviceOrigin.PRE_IMPORT,
            created_at=at,
            activated_at=at,
            last_online_at=at,
        )
        for serial in serials
    ]
    database = center.database
    Device.objects.using(database).bulk_create(devices)
    DeviceCertificate.objects.using(database).bulk_create(
        DeviceCertificate(
            device=device, sha256="ab" * 32, authority_id=authority.pk, path_keys=[key(signer, serial_of(device)), *above], taken_at=at
        )
        for device in devices
    )
    Connection.objects.using(database).bulk_create(
        Connection(device=device, broker=broker, mqtt_client_id=f"c-{device.device_name}", connected_at=at) for device in devices
    )
    return devices


def serial_of(device: Device) -> int:
    return int(device.device_name.rpartition("-")[2])


def cut(center: DataCenter | None = None) -> list[int]:
    """The serial numbers of the devices that are to be cut off for their certificates, each as often as there are orders."""
    orders = DisconnectOrder.objects.at(center or cast.home()).filter(reason=CutReason.CERTIFICATE)
    return sorted(int(name.rpartition("-")[2]) for name in orders.values_list("device_name", flat=True))
