"""The pre-import list as rows of text, by product (Q9): read in pages, so that any number streams; no secret has a column."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from console import audit
from console.errors import Invalid
from console.shared.actors import Actor
from devices.models import PreImportedDevice
from products.models import Product

PAGE = 5_000


class NothingChosen(Invalid):
    code = "nothing_chosen"
    default_message = "Choose at least one product and one column."


def export(products: Sequence[Product], fields: Sequence[str], *, by: Actor, at: datetime) -> Iterator[tuple[Any, ...]]:
    """The values of `fields` (paths as `values_list` takes them), product by product in the order of the list; audited.

    Raises NothingChosen.
    """
    if not products or not fields:
        raise NothingChosen(field="product")
    facts = {"products": [product.key for product in products], "columns": list(fields)}
    audit.record("pre_import.export", "pre-import list", by=by, at=at, after=facts)
    return (row for product in products for row in _rows(PreImportedDevice.objects.of(product), fields))


def _rows(queryset: QuerySet[PreImportedDevice], fields: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """By the key of the last row instead of an offset: the last page costs what the first does."""
    last = 0
    ordered = queryset.order_by("pk").values_list("pk", *fields)
    while page := list(ordered.filter(pk__gt=last)[:PAGE]):
        last = page[-1][0]
        yield from (row[1:] for row in page)
