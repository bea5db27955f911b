"""Figures are kept behind the doors: a sweep reads the log from its checkpoint on and adds to hourly figures, and counts the device lists.

Registrations pay nothing for it. The checkpoint moves in the transaction that adds what was read, so a killed worker counts nothing twice
and leaves nothing out, and two workers at once do not either. The first sweep goes through all that the log still holds.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import connections, transaction
from django.db.models import Count
from django.db.models.functions import TruncHour

from devices.models import Device
from devices.querysets import DeviceQuerySet
from products.models import DataCenter
from registration.models import DeviceLogEntry, FigureState, FleetFigure, HourlyFigure

STEP: Final = 20_000
"""Numbers of log entries that are read in one transaction."""
STEPS: Final = 200
"""At most so many in one sweep; the next one goes on."""
LONGEST: Final = timedelta(minutes=10)
"""A transaction that still has not committed its log entry by then is not waited for."""
KEEP: Final = timedelta(days=400)
REST: Final = 20
"""Counting the devices takes at most one part in so many of a worker's time."""
ADD: Final = f"""
INSERT INTO {HourlyFigure._meta.db_table} AS f (hour, data_center_id, product_id, event, code, count) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (data_center_id, hour, product_id, event, code) DO UPDATE SET count = f.count + excluded.count"""  # noqa: S608  (ours)
WRITERS: Final = """
SELECT virtualtransaction FROM pg_locks
WHERE relation = %s::regclass AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND mode = 'RowExclusiveLock' AND granted AND pid <> pg_backend_pid() ORDER BY 1"""

Clock = Callable[[], datetime]


def roll_up(*, clock: Clock) -> int:
    """Adds the log's new entries to the hourly figures of every database; returns how many there were."""
    return sum(_roll_up(database, clock) for database in databases())


def databases() -> list[str]:
    return sorted(set(DataCenter.objects.values_list("database", flat=True)))


def _roll_up(database: str, clock: Clock) -> int:
    states = FigureState.objects.using(database)
    state, _made = states.get_or_create(pk=FigureState.ONLY)
    if state.seen_at is not None and not _is_settled(state, database, clock()):
        return 0
    counted = 0
    for _step in range(STEPS):
        if state.counted_to >= state.seen_to:
            _look_ahead(database, state, clock())
            break
        upto = min(_first_behind(database, state.counted_to) + STEP - 1, state.seen_to)
        added = _add(database, state.counted_to, upto)
        if added is None:
            break
        state.counted_to, counted = upto, counted + added
    return counted


def _first_behind(database: str, number: int) -> int:
    """The log's first entry behind this number: what was purged, or never committed, is passed over in one stride."""
    found = DeviceLogEntry.objects.using(database).filter(pk__gt=number).order_by("pk").values_list("pk", flat=True).first()
    return found or number + 1


def _add(database: str, after: int, upto: int) -> int | None:
    """These entries and the checkpoint behind them, in one transaction; None where another worker was faster."""
    with transaction.atomic(using=database):
        if not FigureState.objects.using(database).filter(pk=FigureState.ONLY, counted_to=after).update(counted_to=upto):
            return None
        groups = list(_groups(database, after, upto))
        with connections[database].cursor() as cursor:
            cursor.executemany(ADD, groups)
    return sum(group[-1] for group in groups)


def _groups(database: str, after: int, upto: int) -> Iterator[tuple[Any, int, int, str, str, int]]:
    """In the order of the key, so that nobody waits for anybody in a circle."""
    adapt = connections[database].ops.adapt_datetimefield_value
    entries = DeviceLogEntry.objects.using(database).filter(pk__gt=after, pk__lte=upto)
    hours = entries.annotate(hour=TruncHour("at", tzinfo=UTC)).order_by("data_center_id", "hour", "product_id", "event", "code")
    for row in hours.values_list("data_center_id", "hour", "product_id", "event", "code").annotate(Count("pk")):
        center, hour, product_id, event, code, count = row
        yield adapt(hour), center, product_id or 0, event, code, count


def _look_ahead(database: str, state: FigureState, at: datetime) -> None:
    """All that was seen is counted: from here the next sweep goes on."""
    seen_to = DeviceLogEntry.objects.using(database).order_by("-pk").values_list("pk", flat=True).first() or 0
    FigureState.objects.using(database).filter(pk=state.pk, counted_to=state.seen_to).update(
        counted_at=state.seen_at, seen_to=max(seen_to, state.seen_to), seen_at=at, writers=_writers(database)
    )


def _is_settled(state: FigureState, database: str, at: datetime) -> bool:
    """Whether every entry up to `seen_to` is visible. On PostgreSQL an entry has its number before it is committed, so those who wrote to
    the log when the last number was read must have ended."""
    overdue = state.seen_at is not None and at - state.seen_at >= LONGEST
    return overdue or not state.writers or not set(state.writers) & set(_writers(database))


def _writers(database: str) -> list[str]:
    """The other transactions that write to the log now; each has the table's lock before its entries have numbers."""
    connection = connections[database]
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(WRITERS, [DeviceLogEntry._meta.db_table])
        return [row[0] for row in cursor.fetchall()]


def count_fleet(*, clock: Clock) -> None:
    """Counts the device lists anew, each database as often as its size allows."""
    for database in databases():
        state, _made = FigureState.objects.using(database).get_or_create(pk=FigureState.ONLY)
        if state.fleet_at is None or clock() - state.fleet_at >= timedelta(seconds=REST * state.fleet_seconds):
            _count_database(database, clock)


def _count_database(database: str, clock: Clock) -> None:
    at, began = clock(), time.monotonic()
    for center in DataCenter.objects.filter(database=database):
        figures = _figures_of(center)
        with transaction.atomic(using=database):
            kept = FleetFigure.objects.using(database)
            FigureState.objects.using(database).select_for_update().get(pk=FigureState.ONLY)
            kept.filter(data_center_id=center.pk).delete()
            kept.bulk_create(figures)
    took = time.monotonic() - began
    FigureState.objects.using(database).filter(pk=FigureState.ONLY).update(fleet_at=at, fleet_seconds=took)


def _figures_of(center: DataCenter) -> list[FleetFigure]:
    here = Device.objects.at(center)
    counts = {
        "registered": _by_product(here.registered()),
        "activated": _by_product(here.activated()),
        "online": _by_product(here.online()),
        "disabled": _by_product(here.disabled()),
    }
    products = sorted(set().union(*counts.values()))
    return [
        FleetFigure(data_center_id=center.pk, product_id=pk, **{name: found.get(pk, 0) for name, found in counts.items()})
        for pk in products
    ]


def _by_product(devices: DeviceQuerySet) -> dict[int, int]:
    return dict(devices.order_by().values_list("product_id").annotate(Count("pk")))


def purge(*, at: datetime) -> int:
    """Deletes the hours that were kept long enough; returns how many rows went."""
    return sum(HourlyFigure.objects.using(database).filter(hour__lt=at - KEEP).delete()[0] for database in databases())
