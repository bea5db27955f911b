"""The switches that open and close a product's door for devices. Each is a conditional update with one audit line."""

from datetime import datetime
from typing import Any

from django.db import transaction

from console import audit, verification
from console.errors import Conflict, Invalid
from console.shared.actors import Actor
from console.words import say
from products.models import Product
from products.models.product import DEVICE_QUOTA
from products.services import lookup


def purpose_of(product: Product) -> str:
    """What a verification code for this product's dynamic registration is good for."""
    return f"dynamic-registration-{product.pk}"


def request_code(product: Product, *, user: Any) -> str:
    """Sends the code that turning dynamic registration on asks for (A2). Raises NoChannel."""
    return verification.request_code(user=user, purpose=purpose_of(product))


def turn_on_dynamic_registration(
    product: Product, *, code: str, auto_create: bool, auto_create_limit: int, user: Any, by: Actor, at: datetime
) -> None:
    """Opens the door (A2, T2), and with it the per-product secret flashing method that its firmware needs (G3).

    Raises Invalid, WrongCode or VoidCode; a code is used up only when the rest is valid.
    """
    _check_limit(product, auto_create, auto_create_limit)
    verification.redeem(code, user=user, purpose=purpose_of(product), at=at)
    _set(
        product,
        "product.dynamic_registration_on",
        {
            "dynamic_registration": True,
            "per_product_secret": True,
            "auto_create": auto_create,
            "auto_create_limit": auto_create_limit if auto_create else 0,
        },
        by=by,
        at=at,
    )


def turn_off_dynamic_registration(product: Product, *, by: Actor, at: datetime) -> None:
    """New requests are refused; activated devices are not affected (A2)."""
    _set(product, "product.dynamic_registration_off", {"dynamic_registration": False}, by=by, at=at)


def set_automatic_creation(product: Product, *, enabled: bool, limit: int, by: Actor, at: datetime) -> None:
    """Whether unknown names are created, and how many at most (T2, T3). Raises Invalid."""
    _check_limit(product, enabled, limit)
    _set(product, "product.automatic_creation", {"auto_create": enabled, "auto_create_limit": limit if enabled else 0}, by=by, at=at)


def enable_per_product_secret(product: Product, *, by: Actor, at: datetime) -> None:
    """Devices may be flashed with the product's secret (G3)."""
    _set(product, "product.per_product_secret_on", {"per_product_secret": True}, by=by, at=at)


def disable_per_product_secret(product: Product, *, reason: str, by: Actor, at: datetime) -> None:
    """Devices flashed that way can no longer be activated; those connected stay (G3)."""
    _set(product, "product.per_product_secret_off", {"per_product_secret": False}, by=by, at=at, reason=reason)


def set_preregistration_free(product: Product, *, enabled: bool, by: Actor, at: datetime) -> None:
    """Whether devices without a row may ask for a ClientID and a DeviceToken (A4)."""
    _set(product, "product.preregistration_free", {"preregistration_free": enabled}, by=by, at=at)


def _check_limit(product: Product, enabled: bool, limit: int) -> None:
    highest = min(product.device_quota, DEVICE_QUOTA)
    if enabled and not 1 <= limit <= highest:
        raise Invalid(say("The limit of automatic creation is between 1 and {most:,}.", most=highest), field="auto_create_limit")


@transaction.atomic
def _set(product: Product, action: str, values: dict[str, Any], *, by: Actor, at: datetime, reason: str = "") -> None:
    """Locks the product. Raises Conflict when nothing would change."""
    locked = Product.objects.select_for_update().get(pk=product.pk)
    before = {name: getattr(locked, name) for name in values}
    if before == values:
        raise Conflict("The switch stands there already.")
    Product.objects.filter(pk=product.pk).update(**values)
    audit.record(action, locked, by=by, at=at, before=before, after=values, reason=reason)
    transaction.on_commit(lookup.forget)
