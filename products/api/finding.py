"""Rows of an address as the caller sees them: what he may not see does not exist for him."""

from collections.abc import Iterable

from console.errors import Forbidden, Invalid, NotFound
from console.rest.endpoints import Call
from console.words import say
from products.models import CertificateAuthority, DataCenter, Product
from products.services import access


def product(call: Call, key: str) -> Product:
    """Raises NotFound."""
    found = access.only(Product.objects.filter(key=key), call.user, field="pk").first()
    if found is None:
        raise NotFound("There is no product of this ProductKey.")
    return found


def data_center(code: str) -> DataCenter:
    """Raises NotFound."""
    found = DataCenter.objects.filter(code=code).first()
    if found is None:
        raise NotFound("There is no data center of this code.")
    return found


def authority(call: Call, number: int) -> CertificateAuthority:
    """CA certificates are shared by all products. Raises Forbidden or NotFound."""
    require_every_product(call)
    found = CertificateAuthority.objects.prefetch_related("products").select_related("verified_by").filter(pk=number).first()
    if found is None:
        raise NotFound("There is no CA certificate of this number.")
    return found


def products_named(keys: Iterable[str]) -> list[Product]:
    """By their ProductKeys. Raises Invalid."""
    wanted = set(keys)
    found = list(Product.objects.filter(key__in=wanted))
    if missing := sorted(wanted - {product.key for product in found}):
        raise Invalid(say("There is no product of the ProductKey {key}.", key=missing[0]), field="products")
    return found


def require_every_product(call: Call) -> None:
    """For what belongs to no product, as data centers and MAC pools do. Raises Forbidden."""
    if not access.sees_every_product(call.user):
        raise Forbidden("This is for those who see every product.")
