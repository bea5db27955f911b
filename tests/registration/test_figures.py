"""Figures kept behind the doors: each log entry counted once, whatever dies and whoever else counts."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from devices.models import Device
from devices.services import admission
from products.models import DataCenter
from products.services import lookup
from registration.decision_codes import DecisionCode
from registration.models import DeviceLogEntry, FigureState, FleetFigure, HourlyFigure
from registration.services import figure_keeping, figures
from tests import cast

pytestmark = [pytest.mark.django_db, pytest.mark.storage]
HOUR = timedelta(hours=1)


def entry(at: datetime = cast.NOON, *, center: DataCenter | None = None, product_id: int | None = None, **facts: Any) -> DeviceLogEntry:
    made = {"code": "not_imported", "accepted": False, "protocol": "native", "request_id": uuid4()} | facts
    return DeviceLogEntry.objects.create(at=at, data_center=center or cast.home(), product_id=product_id, **made)


def later(seconds: float) -> Callable[[], datetime]:
    return lambda: cast.NOON + timedelta(seconds=seconds)


def sweep_twice(start: float = 0) -> int:
    """One looks how far the log goes, the next one counts up to there."""
    return figure_keeping.roll_up(clock=later(start)) + figure_keeping.roll_up(clock=later(start + 15))


def kept() -> dict[tuple[str, int, str, str], int]:
    rows = HourlyFigure.objects.values_list("hour", "product_id", "event", "code", "count")
    return {(f"{hour.astimezone(UTC):%H}", product_id, event, code): count for hour, product_id, event, code, count in rows}


def test_entries_are_counted_by_hour_product_event_and_code() -> None:
    entry(product_id=7)
    entry(cast.NOON + timedelta(minutes=59), product_id=7)
    entry(cast.NOON + HOUR, event="connection", code="accepted", accepted=True)
    assert sweep_twice() == 3
    assert kept() == {("12", 7, "registration", "not_imported"): 2, ("13", 0, "connection", "accepted"): 1}


def test_a_further_sweep_adds_what_came_since_and_nothing_twice() -> None:
    entry()
    sweep_twice()
    entry()
    assert sweep_twice(60) == 1
    assert sweep_twice(120) == 0
    assert list(kept().values()) == [2]


def test_it_says_up_to_when_everything_is_in() -> None:
    entry()
    figure_keeping.roll_up(clock=later(0))
    assert figures.freshness([cast.home()]).attempts_at is None
    figure_keeping.roll_up(clock=later(15))
    assert figures.freshness([cast.home()]).attempts_at == cast.NOON


def test_a_sweep_that_dies_between_figures_and_checkpoint_counts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    entry()
    figure_keeping.roll_up(clock=later(0))
    with monkeypatch.context() as broken:
        broken.setattr(figure_keeping, "ADD", figure_keeping.ADD + " AND")
        with pytest.raises(DatabaseError), transaction.atomic():
            figure_keeping.roll_up(clock=later(15))
    assert not kept()
    assert figure_keeping.roll_up(clock=later(30)) == 1


def test_of_two_sweeps_at_once_one_counts() -> None:
    entry()
    figure_keeping.roll_up(clock=later(0))
    last = DeviceLogEntry.objects.latest("pk").pk
    assert figure_keeping._add("default", 0, last) == 1
    assert figure_keeping._add("default", 0, last) is None
    assert list(kept().values()) == [1]


def test_a_gap_in_the_log_is_passed_over_in_one_stride(monkeypatch: pytest.MonkeyPatch) -> None:
    entry()
    DeviceLogEntry.objects.update(id=5_000_000_000)
    monkeypatch.setattr(figure_keeping, "STEP", 2)
    assert sweep_twice() == 1
    assert list(kept().values()) == [1]


def test_a_long_log_is_gone_through_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    for _number in range(7):
        entry()
    monkeypatch.setattr(figure_keeping, "STEP", 2)
    assert sweep_twice() == 7
    assert list(kept().values()) == [7]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_entry_that_is_not_committed_yet_is_waited_for() -> None:
    """Its number is taken already, and a later number is visible."""
    from concurrent.futures import ThreadPoolExecutor
    from threading import Event

    center, written, go = cast.home(), Event(), Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                entry(center=center)
                written.set()
                go.wait(10)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(slow)
        written.wait(10)
        entry(center=center)
        figure_keeping.roll_up(clock=later(0))
        assert figure_keeping.roll_up(clock=later(60)) == 0
        go.set()
        running.result()
    assert figure_keeping.roll_up(clock=later(75)) == 2


def test_hours_that_were_kept_long_enough_go() -> None:
    entry(cast.NOON - timedelta(days=500))
    entry()
    sweep_twice()
    assert figure_keeping.purge(at=cast.NOON) == 1
    assert list(kept().values()) == [1]


def test_attempts_are_summed_by_hour_or_by_day_of_a_zone_for_the_products_somebody_works_with() -> None:
    for product_id, at in ((7, cast.NOON), (8, cast.NOON), (7, cast.NOON + 2 * HOUR), (None, cast.NOON)):
        entry(at, product_id=product_id)
    sweep_twice()
    asked: dict[str, Any] = {"since": cast.NOON - HOUR, "zone": UTC}
    by_hour = figures.attempts([cast.home()], by_day=False, limit=None, **asked)
    assert sorted((one.slot.hour, one.count) for one in by_hour) == [(12, 3), (14, 1)]
    by_day = figures.attempts([cast.home()], by_day=True, limit=frozenset({7}), **asked)
    assert [(one.slot.hour, one.count) for one in by_day] == [(0, 2)]
    assert not figures.attempts([cast.frankfurt()], by_day=True, limit=None, **asked)


def test_the_device_lists_are_counted_by_data_center_and_product() -> None:
    kettle = cast.kettle()
    for number in range(3):
        cast.row(kettle, f"A4C13800000{number}")
    known = lookup.find_for_registration(kettle.key, at=cast.NOON)
    for number in range(3):
        admission.admit(data_center=cast.home(), product=known, device_name=f"A4C13800000{number}", at=cast.NOON)
    first, second, third = Device.objects.at(cast.home()).order_by("pk")
    cast.activate(first)
    cast.activate(second)
    Device.objects.filter(pk=first.pk).update(last_online_at=cast.NOON)
    Device.objects.filter(pk=third.pk).update(enabled=False)
    figure_keeping.count_fleet(clock=later(0))
    centers = [cast.home(), cast.frankfurt()]
    found = figures.fleets(centers, limit=None)
    assert found[centers[0].pk] == figures.Fleet(registered=3, activated=2, online=1, disabled=1)
    assert found[centers[1].pk] == figures.Fleet()
    assert figures.fleets(centers, limit=frozenset())[centers[0].pk] == figures.Fleet()
    assert figures.freshness(centers).fleet_at == cast.NOON


def test_counting_the_devices_takes_a_small_part_of_a_worker_s_time() -> None:
    cast.home()
    figure_keeping.count_fleet(clock=later(0))
    FigureState.objects.update(fleet_seconds=30)
    figure_keeping.count_fleet(clock=later(300))
    assert figures.freshness([cast.home()]).fleet_at == cast.NOON
    figure_keeping.count_fleet(clock=later(601))
    assert figures.freshness([cast.home()]).fleet_at == cast.NOON + timedelta(seconds=601)


def test_a_device_that_was_deleted_is_not_counted_any_more() -> None:
    kettle = cast.kettle()
    cast.row(kettle, "A4C138000000")
    known = lookup.find_for_registration(kettle.key, at=cast.NOON)
    admission.admit(data_center=cast.home(), product=known, device_name="A4C138000000", at=cast.NOON)
    figure_keeping.count_fleet(clock=later(0))
    Device.objects.at(cast.home()).delete()
    figure_keeping.count_fleet(clock=later(60))
    assert not FleetFigure.objects.exists()


def test_every_code_fits_its_column() -> None:
    longest = max(len(code) for code in DecisionCode.values)
    assert longest <= (HourlyFigure._meta.get_field("code").max_length or 0)
