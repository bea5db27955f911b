"""The pre-import list by product (Q9): read in pages, so that any number streams; no secret has a column."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from console import audit
from console.errors import Invalid
from console.shared import paging
from console.shared.actors import Actor
from console.shared.files.xlsx_writer import TooManyRows
from devices.models import PreImportedDevice
from products.models import Product

PAGE = 5_000
PRODUCT_KEY = "product__key"

Page = Sequence[Sequence[Any]]
"""Some thousand rows by column: what stands in the first one, from row to row, then the second one."""


class NothingChosen(Invalid):
    code = "nothing_chosen"
    default_message = "Choose at least one product and one column."


def export(products: Sequence[Product], fields: Sequence[str], *, at_most: int | None = None, by: Actor, at: datetime) -> Iterator[Page]:
    """The values of `fields` (paths as `values_list` takes them), product by product in the order of the list; audited. `at_most`: rows
    that the file holds.

    Raises NothingChosen, or TooManyRows before anything is sent.
    """
    if not products or not fields:
        raise NothingChosen(field="product")
    if at_most is not None and sum(product.devices_taken for product in products) > at_most < _rows(products):
        raise TooManyRows(field="format")
    facts = {"products": [product.key for product in products], "columns": list(fields)}
    audit.record("pre_import.export", "pre-import list", by=by, at=at, after=facts)
    return chain.from_iterable(_pages(product, fields) for product in products)


def _rows(products: Sequence[Product]) -> int:
    """Counted, since quota is taken before the rows are there."""
    return PreImportedDevice.objects.filter(product__in=products).count()


def _pages(product: Product, fields: Sequence[str]) -> Iterator[Page]:
    """The ProductKey is not asked of each row."""
    asked = [field for field in fields if field != PRODUCT_KEY]
    for rows in paging.pages(PreImportedDevice.objects.of(product), asked, PAGE):
        read = iter(list(zip(*rows, strict=True))[1:])
        yield [(product.key,) * len(rows) if field == PRODUCT_KEY else next(read) for field in fields]
