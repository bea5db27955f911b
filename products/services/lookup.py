"""Products as the doors need them: plain values with their live secrets, kept in the process for a moment."""

import threading
import time
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from console.errors import NotFound
from console.shared import keyring
from products.models import Product, ProductSecret, Reregistration

_lock = threading.Lock()
_kept: dict[str, tuple[float, "RegistrationProduct | None"]] = {}
KEPT_AT_MOST = 4096
NO_PRODUCT = b"no product"


class ProductUnknown(NotFound):
    """No product has this ProductKey."""

    code = "product_unknown"
    default_message = "No product has this ProductKey."


@dataclass(frozen=True, slots=True, repr=False)
class RegistrationProduct:
    """A product's switches, and its live ProductSecrets with the newest first. Never logged, never cached outside the process."""

    id: int
    key: str
    name: str
    wire_protocol: str
    network_protocol: str
    device_name_kind: str
    published: bool
    per_product_secret: bool
    dynamic_registration: bool
    auto_create: bool
    auto_create_limit: int
    preregistration_free: bool
    once: bool
    new_secret_each_time: bool
    secrets: tuple[str, ...]


def find_for_registration(product_key: str, *, at: datetime, fresh_since: float = 0.0) -> RegistrationProduct:
    """At most settings.NAMEPLATE_PRODUCT_CACHE_SECONDS old, and read after `fresh_since` (time.monotonic()).

    Raises ProductUnknown, after the same work as for a known product.
    """
    now = time.monotonic()
    kept = _kept.get(product_key)
    if kept is None or now - kept[0] >= settings.NAMEPLATE_PRODUCT_CACHE_SECONDS or kept[0] < fresh_since:
        kept = (now, _load(product_key, at))
        _keep(product_key, kept)
    if kept[1] is None:
        raise ProductUnknown
    return kept[1]


def forget() -> None:
    """Drop what this process keeps; other processes see a change within the cache's seconds."""
    with _lock:
        _kept.clear()


def _keep(product_key: str, entry: tuple[float, RegistrationProduct | None]) -> None:
    """Bounded: strangers who try ProductKeys at random must not fill the memory."""
    with _lock:
        if len(_kept) >= KEPT_AT_MOST:
            _kept.clear()
        _kept[product_key] = entry


def _load(product_key: str, at: datetime) -> RegistrationProduct | None:
    """Two queries and a secret in any case: the time of an answer must not tell which ProductKeys exist."""
    product = Product.objects.filter(key=product_key).first()
    live = list(ProductSecret.objects.live(at).filter(product_id=product.pk if product else 0))
    if product is None:
        keyring.unseal(keyring.seal(NO_PRODUCT.decode(), owner=NO_PRODUCT), owner=NO_PRODUCT)
        return None
    return RegistrationProduct(
        id=product.pk,
        key=product.key,
        name=product.name,
        wire_protocol=product.wire_protocol,
        network_protocol=product.network_protocol,
        device_name_kind=product.device_name_kind,
        published=product.is_published,
        per_product_secret=product.per_product_secret,
        dynamic_registration=product.dynamic_registration,
        auto_create=product.auto_create,
        auto_create_limit=product.auto_create_limit,
        preregistration_free=product.preregistration_free,
        once=product.reregistration == Reregistration.ONCE,
        new_secret_each_time=product.new_secret_each_time,
        secrets=tuple(keyring.unseal(secret.sealed, owner=secret.owner()) for secret in live),
    )
