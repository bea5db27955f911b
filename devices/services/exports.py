"""The pre-import list by product (Q9): read in pages, so that any number streams; no secret has a column."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from console import audit
from console.errors import Invalid
from console.shared import paging
from console.shared.actors import Actor
from devices.models import PreImportedDevice
from products.models import Product

PAGE = 5_000
PRODUCT_KEY = "product__key"

Page = Sequence[Sequence[Any]]
"""Some thousand rows by column: what stands in the first one, from row to row, then the second one."""


class NothingChosen(Invalid):
    code = "nothing_chosen"
    default_message = "Choose at least one product and one column."


def export(products: Sequence[Product], fields: Sequence[str], *, by: Actor, at: datetime) -> Iterator[Page]:
    """The values of `fields` (paths as `values_list` takes them), product by product in the order of the list; audited.

    Raises NothingChosen.
    """
    if not products or not fields:
        raise NothingChosen(field="product")
    facts = {"products": [product.key for product in products], "columns": list(fields)}
    audit.record("pre_import.export", "pre-import list", by=by, at=at, after=facts)
    return chain.from_iterable(_pages(product, fields) for product in products)


def _pages(product: Product, fields: Sequence[str]) -> Iterator[Page]:
    """The ProductKey is not asked of each row."""
    asked = [field for field in fields if field != PRODUCT_KEY]
    for rows in paging.pages(PreImportedDevice.objects.of(product), asked, PAGE):
        read = iter(list(zip(*rows, strict=True))[1:])
        yield [(product.key,) * len(rows) if field == PRODUCT_KEY else next(read) for field in fields]
