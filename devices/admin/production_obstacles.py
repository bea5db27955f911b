"""What stands in the way of a production, each with the page that mends it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from console.errors import DomainError
from console.shared.translation import shown
from devices.rules.production import MethodOff, NotPublished
from devices.services.batches import PoolMissing
from devices.services.mac_pools import PoolExhausted
from products.models import Product
from products.services.supply import CodesExhausted, QuotaExceeded

Words = Any


@dataclass(frozen=True, slots=True)
class Obstacle:
    """`href` and `label` are empty where this person can do nothing about it."""

    words: Words
    href: str = ""
    label: Words = ""


@dataclass(frozen=True, slots=True)
class Way:
    """A page that mends something: its URL's name, whether it is the product's own, and who may use it."""

    name: str
    label: Words
    permission: str
    of_product: bool = True

    def href(self, request: HttpRequest, product: Product) -> str:
        if not request.user.has_perm(self.permission):
            return ""
        return reverse(self.name, args=[product.pk] if self.of_product else [])


PUBLISH = Way("admin:products_product_publish", _("Publish it"), "products.change_product")
ENABLE = Way("admin:products_product_enable_per_product", _("Enable the method"), "products.change_product")
GRANT = Way("admin:products_product_grant_codes", _("Grant codes"), "products.add_codegrant")
RAISE_QUOTA = Way("admin:products_product_edit", _("Change the quota"), "products.change_product")
ADD_POOL = Way("admin:devices_macpool_add", _("Add a MAC pool"), "devices.add_macpool", of_product=False)

WAYS: dict[type[DomainError], Way] = {
    NotPublished: PUBLISH,
    MethodOff: ENABLE,
    CodesExhausted: GRANT,
    QuotaExceeded: RAISE_QUOTA,
    PoolMissing: ADD_POOL,
    PoolExhausted: ADD_POOL,
}


def of_product(request: HttpRequest, product: Product) -> list[Obstacle]:
    """What stands in the way of every batch of the product, as things are now."""
    return [Obstacle(words, way.href(request, product), way.label) for words, way in _standing(product)]


def of_error(request: HttpRequest, product: Product, error: DomainError) -> Obstacle:
    """A refusal of a service, with the page that mends it where there is one."""
    way = WAYS.get(type(error))
    return Obstacle(shown(error), way.href(request, product), way.label) if way else Obstacle(shown(error))


def _standing(product: Product) -> Iterator[tuple[Words, Way]]:
    if not product.is_published:
        yield _("The product is in development: only published products are produced."), PUBLISH
    if not product.codes_left:
        yield _("The product has no activation codes left: each device uses one."), GRANT
    if not product.devices_left:
        yield _("The product's device quota is used up."), RAISE_QUOTA
