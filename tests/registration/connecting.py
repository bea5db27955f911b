"""A device in a test connects: it presents its credential, a broker asks the service, and the log has an entry."""

from dataclasses import dataclass, replace
from datetime import datetime

from console.shared import keyring
from devices.models import Authentication, ClientIdentity, Device, PreImportedDevice
from devices.models.client_identity import token_owner
from devices.models.pre_import import device_secret_owner
from devices.services import client_ids
from devices.services.connections import digest_of
from products.models import Broker, DataCenter, Product
from products.services import brokers, lookup
from products.services.brokers import HookedBroker
from registration.models import DeviceEvent, DeviceLogEntry
from registration.protocols.connecting import DeviceCredentials, Presented
from registration.protocols.connection_schemes import COMPOSERS
from registration.services import broker_auth
from registration.services.broker_auth import Verdict
from tests import cast
from tests.registration.golden_mqtt import GoldenConnection

ADDRESS = "198.51.100.23"


def broker(center: DataCenter, kind: str = "rabbitmq") -> HookedBroker:
    """One of the kind in the data center, made where there is none yet."""
    found = Broker.objects.select_related("data_center").filter(data_center=center, kind=kind).first()
    name = f"{kind} of {center.code}"
    return brokers.hooked(found or brokers.save(Broker(), data_center=center, name=name, kind=kind, by=cast.OPERATOR, at=cast.NOON))


@dataclass(frozen=True)
class Thing:
    """A physical device with its credential. `nonce` makes its MQTT client id where the scheme lets it choose one."""

    wire: str
    credentials: DeviceCredentials
    nonce: int = 1

    def presents(self, at: datetime = cast.NOON) -> Presented:
        return COMPOSERS[self.wire](self.credentials, at, self.nonce)

    def with_secret(self, secret: str) -> "Thing":
        return replace(self, credentials=replace(self.credentials, device_secret=secret))


def with_row_s_secret(row: PreImportedDevice, wire: str = "", nonce: int = 1) -> Thing:
    product = Product.objects.get(pk=row.product_id)
    secret = keyring.unseal(row.sealed_secret, owner=row.secret_owner())
    return Thing(wire or product.wire_protocol, DeviceCredentials(product.key, row.device_name, secret), nonce)


def issued(product: Product, name: str, center: DataCenter | None = None) -> Thing:
    """One more physical device of a preregistration-free name. Raises a Refused."""
    known = lookup.find_for_registration(product.key, at=cast.NOON)
    found = client_ids.issue(data_center=center or cast.home(), product=known, device_name=name, at=cast.NOON)
    return Thing("alibaba", DeviceCredentials(product.key, name, client_id=found.client_id, device_token=found.device_token))


def connect(thing: Thing | Presented, *, center: DataCenter | None = None, kind: str = "rabbitmq", at: datetime = cast.NOON) -> Verdict:
    presented = thing.presents(at) if isinstance(thing, Thing) else thing
    return broker_auth.connect(broker=broker(center or cast.home(), kind), presented=presented, address=ADDRESS, at=at)


def entry(verdict: Verdict) -> DeviceLogEntry:
    """The one entry that the log has of it."""
    return DeviceLogEntry.objects.get(request_id=verdict.request_id, event=DeviceEvent.CONNECTION)


def given(golden: GoldenConnection) -> None:
    """The product and the device of a golden vector, static, or with the ClientID that it was issued."""
    native = {"wire_protocol": "tencent" if golden.scheme == "tencent" else "alibaba", "device_name_kind": "free"}
    product = cast.lamp(key=golden.product_key, **native)
    lookup.forget()
    if golden.device_secret:
        sealed = keyring.seal(golden.device_secret, owner=device_secret_owner(product.pk, golden.device_name))
        PreImportedDevice.objects.create(
            product=product,
            device_name=golden.device_name,
            authentication=Authentication.STATIC,
            sealed_secret=sealed,
            created_at=cast.NOON,
        )
        return
    device = Device.objects.create(
        data_center=cast.home(),
        product=product,
        device_name=golden.device_name,
        authentication=Authentication.DYNAMIC,
        sealed_secret=keyring.seal("nobody knows", owner=device_secret_owner(product.pk, golden.device_name)),
        created_at=cast.NOON,
    )
    client_id = golden.presented.client_id.partition("|")[0]
    ClientIdentity.objects.create(
        device=device,
        client_id=client_id,
        sealed_token_digest=keyring.seal(digest_of(golden.token), owner=token_owner(client_id)),
        issued_at=cast.NOON,
        status_at=cast.NOON,
    )
