"""Drift (N10): the pre-import list beside the device list of a data center, a stretch at a time.

The two may live in different databases, so they are never joined: a stretch of the one, in the order of its numbers, is looked up by name
in the other. Half a million rows are not compared before the first page is shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from console import audit
from console.shared import bulk
from console.shared.actors import Actor
from devices.models import Device, PreImportedDevice
from devices.rules.drift import Drift, Line, Row, There, beside
from products.models import DataCenter, Product

TOGETHER = 5_000
"""Names that are looked up at once, with two questions."""


@dataclass(frozen=True, slots=True)
class Page:
    """`next`: where to go on, None at the end. `looked_through`: rows that were compared for it, more than are shown where few fit."""

    lines: list[Line]
    next: int | None
    looked_through: int


def of_row(row: PreImportedDevice) -> list[tuple[DataCenter, Line]]:
    """The row beside what each data center made of it, one question for each."""
    mine = Row(row.pk, row.device_name, row.nickname, row.sn, row.authentication, row.certificate_fingerprint)
    found = []
    for center in DataCenter.objects.order_by("-is_home", "name"):
        there = Device.objects.at(center).filter(product_id=row.product_id, device_name=row.device_name)
        device = there.values_list(*There._fields).first()
        found.append((center, beside(mine, There(*device) if device else None)))
    return found


def page(product: Product, center: DataCenter, *, wanted: Drift | None = None, after: int = 0, size: int = 25, stretches: int = 1) -> Page:
    """Up to `size` lines from behind `after`; `wanted`: these alone, None for every row of the pre-import list.

    Asks two questions a stretch, `stretches` of TOGETHER rows at most; without `wanted` one stretch of `size` rows.
    """
    step = TOGETHER if wanted else size
    lines: list[Line] = []
    looked = 0
    for _stretch in range(stretches if wanted else 1):
        stretch = _stretch_of(product, center, wanted, after, step + 1)
        for number, line in stretch[:step]:
            looked, after = looked + 1, number
            if wanted is None or line.drift == wanted:
                lines.append(line)
            if len(lines) == size:
                return Page(lines, after if stretch[-1][0] != after else None, looked)
        if len(stretch) <= step:
            return Page(lines, None, looked)
    return Page(lines, after, looked)


def export(product: Product, center: DataCenter, *, wanted: Drift | None = None, by: Actor, at: datetime) -> Iterator[Line]:
    """All of them, compared as they are read; audited."""
    facts = {"product": product.key, "data_center": center.code, "shown": wanted or "all"}
    audit.record("pre_import.export_drift", product, by=by, at=at, after=facts)
    return (line for line in _all(product, center, wanted) if wanted is None or line.drift == wanted)


def _all(product: Product, center: DataCenter, wanted: Drift | None) -> Iterator[Line]:
    after = 0
    while stretch := _stretch_of(product, center, wanted, after, TOGETHER):
        yield from (line for _number, line in stretch)
        after = stretch[-1][0]


def _stretch_of(product: Product, center: DataCenter, wanted: Drift | None, after: int, count: int) -> list[tuple[int, Line]]:
    """Lines with the number by which one goes on: of the device list where it alone is asked for, else of the pre-import list."""
    mine = PreImportedDevice.objects.of(product)
    theirs = Device.objects.at(center).of(product)
    if wanted is Drift.ONLY_THERE:
        devices = [There(*facts) for facts in theirs.filter(pk__gt=after).order_by("pk").values_list(*There._fields)[:count]]
        names = [device.device_name for device in devices]
        known = {facts[1]: Row(*facts) for facts in mine.filter(device_name__in=bulk.among(names, using=mine.db)).values_list(*Row._fields)}
        return [(device.pk, beside(known.get(device.device_name), device)) for device in devices]
    rows = [Row(*facts) for facts in mine.filter(pk__gt=after).order_by("pk").values_list(*Row._fields)[:count]]
    names = [row.device_name for row in rows]
    came = {
        facts[1]: There(*facts) for facts in theirs.filter(device_name__in=bulk.among(names, using=theirs.db)).values_list(*There._fields)
    }
    return [(row.pk, beside(row, came.get(row.device_name))) for row in rows]
