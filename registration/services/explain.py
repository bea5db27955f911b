"""What would happen if this DeviceName called now (N2): the way of a registration and of a connection, gone without leaving a trace.

It is the same code that decides about devices, up to the line that writes. What a device alone can do wrong is taken to be right: its
proof, its clock, its nonce.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from devices.models import ClientIdentity, Device
from products.models import DataCenter, Product
from products.services import authorities, issuing_profiles, lookup
from registration.decision_codes import DecisionCode
from registration.models import DeviceEvent
from registration.protocols.base import Asked, BadSignature, VerifiedClaim
from registration.services import broker_auth, enrolment
from registration.services.device_log import Attempt


@dataclass(frozen=True, slots=True)
class Foreseen:
    """`path`: what is checked in whole sentences, the last one says why not if it is refused. `client_id`: of the physical device that is
    meant, empty for one with a DeviceSecret."""

    code: str
    path: tuple[str, ...]
    client_id: str = ""

    @property
    def accepted(self) -> bool:
        return self.code == DecisionCode.ACCEPTED


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one data center would answer to the name. `device_name` is in its stored form where the product's rule takes it. `registration`:
    for its DeviceSecret, or with `hands_certificates` for a certificate; `free`: for a ClientID, where the product is preregistration-free.
    `connection`: with its DeviceSecret; `clients`: with the DeviceToken of each ClientID of the name."""

    data_center: DataCenter
    device_name: str
    registration: Foreseen
    free: Foreseen | None
    connection: Foreseen
    clients: tuple[Foreseen, ...] = ()
    hands_certificates: bool = False

    @property
    def code(self) -> str:
        return self.registration.code

    @property
    def accepted(self) -> bool:
        return self.registration.accepted

    @property
    def path(self) -> tuple[str, ...]:
        return self.registration.path


def what_if(*, product: Product, data_center: DataCenter, device_name: str, at: datetime) -> Explanation:
    """`device_name` in any spelling. Reads what is stored now, not what a door has kept for a moment. Raises nothing for a bad name: it is
    refused as a device's would be."""
    lookup.forget()
    issuing_profiles.forget()
    authorities.forget()
    registration, stored = _register(product, data_center, device_name, at, free=False)
    clients = [
        _connect(product, data_center, device_name, at, client_id=client_id) for client_id in _client_ids(product, data_center, stored)
    ]
    return Explanation(
        data_center=data_center,
        device_name=stored,
        registration=registration,
        free=_register(product, data_center, device_name, at, free=True)[0] if product.preregistration_free else None,
        connection=_connect(product, data_center, device_name, at),
        clients=tuple(clients),
        hands_certificates=issuing_profiles.answers_with_certificate(product.pk),
    )


def _register(product: Product, data_center: DataCenter, device_name: str, at: datetime, *, free: bool) -> tuple[Foreseen, str]:
    """And the DeviceName as it would be stored."""
    attempt = Attempt(at, uuid4(), product.wire_protocol, "", product_key=product.key, device_name=device_name)
    code = enrolment.foresee(attempt, data_center, _Registering(product.key, device_name, free))
    return Foreseen(code, tuple(attempt.path)), attempt.device_name


def _connect(product: Product, data_center: DataCenter, device_name: str, at: datetime, *, client_id: str = "") -> Foreseen:
    attempt = Attempt(at, uuid4(), product.wire_protocol, "", data_center, event=DeviceEvent.CONNECTION)
    code = broker_auth.foresee(attempt, data_center, _Connecting(product.wire_protocol, product.key, device_name, client_id))
    return Foreseen(code, tuple(attempt.path), client_id)


def _client_ids(product: Product, data_center: DataCenter, device_name: str) -> list[str]:
    device = Device.objects.at(data_center).filter(product_id=product.pk, device_name=device_name).first()
    return list(ClientIdentity.objects.of(device).values_list("client_id", flat=True)) if device else []


@dataclass(frozen=True, slots=True)
class _Registering:
    """A claim whose proof is right, if there is a secret that it could have been made with. A device of a product that hands out
    certificates asks for one, with a request that is right where its scheme has requests; one that asks for a ClientID cannot."""

    product_key: str
    device_name: str
    preregistration_free: bool

    @property
    def asked(self) -> Asked:
        return Asked(takes_key=not self.preregistration_free)

    def verify(self, product_secret: str, at: datetime) -> VerifiedClaim:
        if product_secret == enrolment.NOBODYS_SECRET:
            raise BadSignature("The product has no live ProductSecret.")
        return VerifiedClaim(self.product_key, self.device_name)


@dataclass(frozen=True, slots=True)
class _Connecting:
    """The same with a credential of its own; `token` and proof are not asked for."""

    scheme: str
    product_key: str
    device_name: str
    client_id: str
    token: str = ""

    def verify(self, device_secret: str, at: datetime) -> tuple[str, ...]:
        return ()
