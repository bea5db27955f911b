"""What a product may still make: device quota (G5) and activation codes (G2), moved by conditional updates."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from console import audit
from console.errors import Exhausted, Invalid
from console.shared.actors import Actor
from console.words import say
from products.models import CodeGrant, Product


class QuotaExceeded(Exhausted):
    """The product's device quota does not hold so many more."""

    code = "quota_exceeded"


class CodesExhausted(Exhausted):
    """The product has not so many activation codes left."""

    code = "codes_exhausted"


def take(product_id: int, *, devices: int, codes: int = 0) -> None:
    """Takes both or nothing, within the caller's transaction; locks the product until it ends. Raises QuotaExceeded or CodesExhausted."""
    taken = Product.objects.filter(
        pk=product_id, devices_taken__lte=F("device_quota") - devices, codes_used__lte=F("codes_granted") - codes
    ).update(devices_taken=F("devices_taken") + devices, codes_used=F("codes_used") + codes)
    if taken:
        return
    check(Product.objects.get(pk=product_id), devices=devices, codes=codes)
    raise CodesExhausted("Another batch took the last activation codes meanwhile.")


def check(product: Product, *, devices: int, codes: int = 0) -> None:
    """Whether there is enough as things stand. Raises QuotaExceeded or CodesExhausted, which say how much is left."""
    if product.devices_left < devices:
        room = "The product's quota has room for {left:,} more devices; {asked:,} were asked for."
        raise QuotaExceeded(say(room, left=product.devices_left, asked=devices))
    if product.codes_left < codes:
        raise CodesExhausted(
            say("The product has {left:,} activation codes left; {asked:,} were asked for.", left=product.codes_left, asked=codes)
        )


def give_back(product_id: int, *, devices: int, codes: int = 0) -> None:
    """Within the caller's transaction."""
    Product.objects.filter(pk=product_id).update(devices_taken=F("devices_taken") - devices, codes_used=F("codes_used") - codes)


@transaction.atomic
def grant_codes(product: Product, *, quantity: int, note: str = "", by: Actor, at: datetime) -> CodeGrant:
    """More activation codes for a product. Raises Invalid."""
    if not 1 <= quantity <= 100_000_000:
        raise Invalid("Grant at least one activation code and at most 100,000,000.", field="quantity")
    grant = CodeGrant.objects.create(product=product, quantity=quantity, note=note, granted_at=at, granted_by_id=by.user_id)
    Product.objects.filter(pk=product.pk).update(codes_granted=F("codes_granted") + quantity)
    audit.record("product.grant_codes", product, by=by, at=at, after={"quantity": quantity}, reason=note)
    return grant
