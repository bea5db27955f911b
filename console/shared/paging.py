"""Many rows in the order of their numbers, a page at a time, so that half a million of them need not stand in memory."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Max, Min, QuerySet


def pages(rows: QuerySet[Any], facts: Sequence[str], size: int) -> Iterator[list[tuple[Any, ...]]]:
    """At most `size` rows each: the row's number, then the values of `facts` (as `values_list` takes them). No page is empty.

    Rows that are stored in the meantime may be missing. A page is bounded by numbers at both ends, not by LIMIT: of rows that were stored a
    moment ago PostgreSQL has no statistics yet, and then it would rather read and sort all that are left for every page.
    """
    ends = rows.order_by().aggregate(first=Min("pk"), last=Max("pk"))
    at, last = ends["first"], ends["last"]
    while at is not None and at <= last:
        page = list(rows.filter(pk__gte=at, pk__lt=at + size).order_by("pk").values_list("pk", *facts))
        at += size
        if page:
            yield page
        else:
            at = rows.filter(pk__gte=at).order_by().aggregate(first=Min("pk"))["first"]
