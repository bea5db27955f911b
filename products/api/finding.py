"""Rows of an address as the caller sees them: what he may not see does not exist for him."""

from console.errors import Forbidden, NotFound
from console.rest.endpoints import Call
from products.models import DataCenter, Product
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


def require_every_product(call: Call) -> None:
    """For what belongs to no product, as data centers and MAC pools do. Raises Forbidden."""
    if not access.sees_every_product(call.user):
        raise Forbidden("This is for those who see every product.")
