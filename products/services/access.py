"""Which products somebody works with: everybody with the permission sees all of them, others the chosen ones alone."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import QuerySet

from console import audit
from console.models import ApiKey
from console.shared.actors import Actor
from console.shared.job_kinds import JobKind
from products.models import Product, ProductAccess

EVERY_PRODUCT = "products.see_every_product"

Row = TypeVar("Row", bound=models.Model)
Limit = frozenset[int] | None
"""Primary keys of products; None: all of them."""


def limit_of(user: Any) -> Limit:
    """Of a person, or of an API key's principal, which carries its own. One query at most for each request."""
    kept: Limit | bool = getattr(user, "_product_limit", False)
    if isinstance(kept, bool):
        kept = user._product_limit = _limit(user)
    return kept


def _limit(user: Any) -> Limit:
    api_key = getattr(user, "api_key", None)
    if api_key is not None:
        return limit_of_key(api_key, user.owner)
    if user.has_perm(EVERY_PRODUCT):
        return None
    return frozenset(ProductAccess.objects.filter(user_id=user.pk).values_list("product_id", flat=True)) if user.pk else frozenset()


def limit_of_key(key: ApiKey, owner: Any) -> Limit:
    """What the key was made for, and no more than its owner sees."""
    of_owner = limit_of(owner)
    if key.every_product:
        return of_owner
    chosen = frozenset(ProductAccess.objects.filter(api_key=key).values_list("product_id", flat=True))
    return chosen if of_owner is None else chosen & of_owner


def sees_every_product(user: Any) -> bool:
    return limit_of(user) is None


def only(rows: QuerySet[Row], user: Any, *, field: str = "product_id") -> QuerySet[Row]:
    """The rows of products that the person works with."""
    limit = limit_of(user)
    return rows if limit is None else rows.filter(**{f"{field}__in": limit})


def only_jobs(kind: JobKind, user: Any) -> QuerySet[Any]:
    """Long work of a kind, as far as the person may see it; what belongs to no product is for who sees every product or began it."""
    rows = kind.model._default_manager.select_related("requested_by", *kind.related)
    if kind.product_field:
        return only(rows, user, field=kind.product_field)
    return rows if limit_of(user) is None else rows.filter(requested_by_id=user.pk)


def keys_seen(user: Any) -> frozenset[str] | None:
    """The limit as ProductKeys."""
    limit = limit_of(user)
    return None if limit is None else frozenset(Product.objects.filter(pk__in=limit).values_list("key", flat=True))


def may_see(user: Any, product_id: int) -> bool:
    limit = limit_of(user)
    return limit is None or product_id in limit


@transaction.atomic
def choose(user: Any, products: Iterable[Product], *, by: Actor, at: datetime) -> None:
    """From now on these products and no others, for a person who does not see every product."""
    wanted = {product.pk: product for product in products}
    before = sorted(ProductAccess.objects.filter(user=user).values_list("product__key", flat=True))
    ProductAccess.objects.filter(user=user).exclude(product_id__in=wanted).delete()
    ProductAccess.objects.bulk_create([ProductAccess(user=user, product=product) for product in wanted.values()], ignore_conflicts=True)
    after = sorted(product.key for product in wanted.values())
    if before != after:
        audit.record("user.products", user, by=by, at=at, before={"products": before}, after={"products": after})
