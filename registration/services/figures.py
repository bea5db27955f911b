"""What the figures say (kept by registration.services.figure_keeping): attempts over time, and how many devices each list holds."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDay, TruncHour

from products.models import DataCenter
from products.services.access import Limit
from registration.models import FigureState, FleetFigure, HourlyFigure

AT_MOST_OLD: Final = 45
"""Seconds that the newest hourly figure lags behind the log while a worker runs: two sweeps and the time they take."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """`slot`: the beginning of the hour, or of the day in the zone that was asked for."""

    slot: datetime
    data_center_id: int
    event: str
    code: str
    count: int


@dataclass(frozen=True, slots=True)
class Fleet:
    """Devices of one data center's list."""

    registered: int = 0
    activated: int = 0
    online: int = 0
    disabled: int = 0


@dataclass(frozen=True, slots=True)
class Freshness:
    """What the oldest part of the figures holds: attempts up to `attempts_at`, devices as of `fleet_at`. None: not counted yet."""

    attempts_at: datetime | None
    fleet_at: datetime | None


def attempts(centers: Sequence[DataCenter], *, since: datetime, zone: tzinfo, by_day: bool, limit: Limit) -> list[Attempts]:
    """One query for each database. `limit`: products that the person works with; what no product was recognised for is for those who see
    all of them."""
    found: list[Attempts] = []
    slot = (TruncDay if by_day else TruncHour)("hour", tzinfo=zone)
    for database, pks in _by_database(centers).items():
        rows = _of(HourlyFigure.objects.using(database).filter(data_center_id__in=pks, hour__gte=since), limit)
        grouped = rows.annotate(slot=slot).order_by().values_list("slot", "data_center_id", "event", "code").annotate(Sum("count"))
        found += [Attempts(*row) for row in grouped]
    return found


def fleets(centers: Sequence[DataCenter], *, limit: Limit) -> dict[int, Fleet]:
    """By the data center's number; one query for each database."""
    sums = {name: Sum(name) for name in ("registered", "activated", "online", "disabled")}
    found = {center.pk: Fleet() for center in centers}
    for database, pks in _by_database(centers).items():
        rows = _of(FleetFigure.objects.using(database).filter(data_center_id__in=pks), limit)
        for pk, *numbers in rows.order_by().values_list("data_center_id").annotate(**sums):
            found[pk] = Fleet(*numbers)
    return found


def freshness(centers: Sequence[DataCenter]) -> Freshness:
    states = [FigureState.objects.using(database).filter(pk=FigureState.ONLY).first() for database in _by_database(centers)]
    return Freshness(
        _oldest(state.counted_at if state else None for state in states), _oldest(state.fleet_at if state else None for state in states)
    )


def _of(rows: QuerySet[Any], limit: Limit) -> QuerySet[Any]:
    return rows if limit is None else rows.filter(product_id__in=limit)


def _by_database(centers: Iterable[DataCenter]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for center in centers:
        found[center.database].append(center.pk)
    return found


def _oldest(moments: Iterable[datetime | None]) -> datetime | None:
    listed = list(moments)
    known = [moment for moment in listed if moment is not None]
    return min(known) if known and len(known) == len(listed) else None
