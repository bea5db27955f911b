"""API keys are made and revoked here. A key is shown once and stored as a digest (console.rest.keys presents them)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from console import audit
from console.api import actions
from console.errors import Conflict, Forbidden, Invalid
from console.models import ApiKey
from console.rest import keys
from console.shared.actors import Actor
from console.words import say
from products.models import Product, ProductAccess
from products.services import access

REQUESTS_AT_MOST = 6_000


class NotYours(Forbidden):
    """A key can do no more than the one who makes it."""

    code = "not_yours"
    default_message = "A key cannot be made for what you may not do yourself."


class RevokedAlready(Conflict):
    code = "api_key_revoked"
    default_message = "The API key is revoked already."


@dataclass(frozen=True, slots=True)
class NewKey:
    """`actions`: names of permissions. `products`: None for every product that the owner sees."""

    name: str
    actions: Sequence[str]
    expires_at: datetime
    requests_per_minute: int
    products: Iterable[Product] | None = None


@dataclass(frozen=True, slots=True, repr=False)
class MadeKey:
    """`text` is shown once and kept nowhere."""

    row: ApiKey
    text: str


@transaction.atomic
def make(new: NewKey, *, owner: Any, by: Actor, at: datetime) -> MadeKey:
    """Raises Invalid or NotYours."""
    products = None if new.products is None else list(new.products)
    _check(new, owner, products, at)
    text = keys.new()
    row = ApiKey(
        owner=owner,
        name=new.name.strip(),
        beginning=text[: keys.BEGINNING],
        digest=keys.digest_of(text),
        actions=sorted(set(new.actions)),
        every_product=products is None,
        requests_per_minute=new.requests_per_minute,
        created_at=at,
        expires_at=new.expires_at,
    )
    row.save(force_insert=True)
    ProductAccess.objects.bulk_create([ProductAccess(api_key=row, product=product) for product in products or []])
    facts = {
        "beginning": row.beginning,
        "actions": row.actions,
        "products": "all" if products is None else sorted(product.key for product in products),
        "expires_at": row.expires_at.isoformat(),
        "requests_per_minute": row.requests_per_minute,
    }
    audit.record("api_key.make", row, by=by, at=at, after=facts)
    return MadeKey(row, text)


@transaction.atomic
def revoke(key_id: int, *, reason: str, by: Actor, at: datetime) -> None:
    """From now on it is refused. Raises Invalid (no reason) or RevokedAlready."""
    if not reason.strip():
        raise Invalid("Say why the API key is revoked.", field="reason")
    row = ApiKey.objects.get(pk=key_id)
    if not ApiKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=at):
        raise RevokedAlready
    audit.record("api_key.revoke", row, by=by, at=at, before={"beginning": row.beginning}, reason=reason.strip())


def _check(new: NewKey, owner: Any, products: list[Product] | None, at: datetime) -> None:
    if not 1 <= len(new.name.strip()) <= 64:
        raise Invalid("An API key needs a name of at most 64 characters.", field="name")
    if not at < new.expires_at <= at + keys.LONGEST_LIFE:
        raise Invalid("An API key is valid for two years at most.", field="expires_at")
    if not 1 <= new.requests_per_minute <= REQUESTS_AT_MOST:
        raise Invalid(say("Allow 1 to {most:,} requests a minute.", most=REQUESTS_AT_MOST), field="requests_per_minute")
    if not new.actions:
        raise Invalid("Choose at least one action.", field="actions")
    known = actions.asked_for()
    if any(action not in known or not owner.has_perm(action) for action in new.actions):
        raise NotYours(field="actions")
    if products is not None and not products:
        raise Invalid("Choose at least one product.", field="products")
    if any(not access.may_see(owner, product.pk) for product in products or []):
        raise NotYours(field="products")
