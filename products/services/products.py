"""Making and changing products, their switches, and their ProductSecret."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from console import audit
from console.errors import Conflict, Invalid
from console.shared import keyring
from console.shared.actors import Actor
from console.words import say
from products.models import DeviceNameKind, NetworkProtocol, Product, ProductSecret, ProductStatus
from products.models.product import DEVICE_QUOTA
from products.rules.wire_formats import system_random, wire_format
from products.services import lookup


class NameTaken(Conflict):
    """Another product has the name or the ProductKey."""

    code = "name_taken"
    default_message = "Another product has this name or this ProductKey."


@dataclass(frozen=True, slots=True, repr=False)
class NewProduct:
    """What an operator chooses; an empty `key` or `secret` is generated in the format of the wire protocol."""

    name: str
    wire_protocol: str
    network_protocol: str
    device_name_kind: str
    key: str = ""
    secret: str = ""
    device_quota: int = DEVICE_QUOTA


CHANGEABLE = ("name", "network_protocol", "device_name_kind", "device_quota", "reregistration", "new_secret_each_time")
"""Plain facts that `change` may set. The wire protocol and the key stay: firmware has them."""


@transaction.atomic
def create(new: NewProduct, *, by: Actor, at: datetime) -> Product:
    """A product in development, all switches off. Raises Invalid or NameTaken."""
    wire = wire_format(new.wire_protocol)
    key = wire.given_product_key.check(new.key, "ProductKey") if new.key else wire.make_product_key(system_random)
    secret = wire.given_product_secret.check(new.secret, "ProductSecret") if new.secret else wire.make_product_secret(system_random)
    product = Product(
        name=new.name.strip(),
        key=key,
        wire_protocol=new.wire_protocol,
        network_protocol=new.network_protocol,
        device_name_kind=new.device_name_kind,
        device_quota=new.device_quota,
        created_at=at,
    )
    check_facts(product)
    _insert(product)
    row = ProductSecret(product=product, made_at=at)
    row.sealed = keyring.seal(secret, owner=row.owner())
    row.save(force_insert=True)
    facts = {"key": key, "wire_protocol": product.wire_protocol, "secret": "given" if new.secret else "generated"}
    audit.record("product.create", product, by=by, at=at, after=facts)
    lookup.forget()
    return product


@transaction.atomic
def change(product_id: int, facts: dict[str, Any], *, by: Actor, at: datetime) -> Product:
    """Sets some of CHANGEABLE. Locks the product. Raises Invalid or NameTaken."""
    product = Product.objects.select_for_update().get(pk=product_id)
    changed = {name: value for name, value in facts.items() if name in CHANGEABLE and getattr(product, name) != value}
    before = {name: getattr(product, name) for name in changed}
    for name, value in changed.items():
        setattr(product, name, value)
    check_facts(product)
    if changed:
        _update(product, list(changed))
        audit.record("product.change", product, by=by, at=at, before=before, after=changed)
        lookup.forget()
    return product


@transaction.atomic
def publish(product_id: int, *, by: Actor, at: datetime) -> None:
    """From now on it can be mass-produced, and its devices can register (G1)."""
    _set_status(product_id, ProductStatus.PUBLISHED, "product.publish", by=by, at=at)


@transaction.atomic
def withdraw(product_id: int, *, reason: str, by: Actor, at: datetime) -> None:
    """Back to developing: no production and no registration; connected devices stay."""
    _set_status(product_id, ProductStatus.DEVELOPING, "product.withdraw", by=by, at=at, reason=reason)


@transaction.atomic
def reveal_secret(product: Product, *, by: Actor, at: datetime) -> str:
    """The newest live ProductSecret; the reading is audited."""
    row = ProductSecret.objects.live(at).filter(product_id=product.pk)[0]
    audit.record("product.reveal_secret", product, by=by, at=at)
    return keyring.unseal(row.sealed, owner=row.owner())


def check_facts(product: Product) -> None:
    """What must hold together. Raises Invalid."""
    if not product.name:
        raise Invalid("A product needs a name.", field="name")
    if product.network_protocol == NetworkProtocol.BLUETOOTH and product.device_name_kind != DeviceNameKind.MAC:
        raise Invalid("The DeviceName of a Bluetooth device is its MAC address.", field="device_name_kind")
    if not 1 <= product.device_quota <= DEVICE_QUOTA:
        raise Invalid(say("The device quota is between 1 and {most:,}.", most=DEVICE_QUOTA), field="device_quota")
    if product.device_quota < product.devices_taken:
        words = say("{taken:,} devices exist already: the quota cannot be less.", taken=product.devices_taken)
        raise Invalid(words, field="device_quota")


def _set_status(product_id: int, status: ProductStatus, action: str, *, by: Actor, at: datetime, reason: str = "") -> None:
    if not Product.objects.filter(pk=product_id).exclude(status=status).update(status=status):
        raise Conflict("The product has this status already.")
    audit.record(action, Product.objects.get(pk=product_id), by=by, at=at, reason=reason)
    lookup.forget()


def _insert(product: Product) -> None:
    try:
        with transaction.atomic():
            product.save(force_insert=True)
    except IntegrityError as error:
        raise _taken(product) from error


def _update(product: Product, fields: list[str]) -> None:
    try:
        with transaction.atomic():
            product.save(update_fields=fields)
    except IntegrityError as error:
        raise _taken(product) from error


def _taken(product: Product) -> NameTaken:
    """Which of the two it was: asked only after the constraint has spoken."""
    if Product.objects.filter(name=product.name).exclude(pk=product.pk).exists():
        return NameTaken("Another product has this name.", field="name")
    return NameTaken("Another product has this ProductKey.", field="ProductKey")
