"""Connections as bars over time, and what counts as two places at once (N8)."""

from datetime import UTC, datetime, timedelta

import pytest

from devices.rules import timeline
from devices.rules.timeline import Stay

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def stay(place: str, begin: float, end: float | None, **facts: object) -> Stay:
    """From so many minutes ago until so many minutes ago; None: until now."""
    return Stay(place, ago(begin), None if end is None else ago(end), **facts)  # type: ignore[arg-type]


def overlaps(*stays: Stay) -> list[tuple[tuple[str, ...], float, float | None]]:
    found = timeline.overlaps(stays, now=NOW)
    return [(places, (NOW - begin).total_seconds() / 60, end and (NOW - end).total_seconds() / 60) for places, begin, end in found]


def test_two_places_at_the_same_time_overlap_as_long_as_both_are_there() -> None:
    assert overlaps(stay("a", 60, 20), stay("b", 30, 10)) == [(("a", "b"), 30, 20)]


def test_an_overlap_that_lasts_has_no_end() -> None:
    assert overlaps(stay("a", 60, None), stay("b", 30, None)) == [(("a", "b"), 30, None)]


def test_a_third_place_belongs_to_the_same_overlap() -> None:
    assert overlaps(stay("a", 60, 10), stay("b", 50, 30), stay("c", 40, 20)) == [(("a", "b", "c"), 50, 20)]


def test_overlaps_with_a_pause_between_are_two() -> None:
    assert overlaps(stay("a", 60, 0), stay("b", 50, 40), stay("b", 30, 20)) == [(("a", "b"), 50, 40), (("a", "b"), 30, 20)]


@pytest.mark.parametrize(
    "stays",
    [
        (stay("a", 60, 30), stay("b", 30, 10)),
        (stay("a", 60, 30), stay("a", 50, 10)),
        (stay("a", 60, None, end_known=False), stay("b", 30, None)),
        (stay("a", 60, 40, end_known=False), stay("b", 50, None)),
        (stay("a", 60, 29, taken_over=True), stay("b", 30, None)),
        (),
    ],
    ids=["one after the other", "the same place twice", "nobody tells who left", "found gone later", "pushed out by the next", "nobody"],
)
def test_it_claims_nothing_that_is_not_certain(stays: tuple[Stay, ...]) -> None:
    assert overlaps(*stays) == []
    assert not any(timeline.together(stays, now=NOW))


def test_a_device_that_is_cut_off_overlapped_until_then_with_those_of_another_credential() -> None:
    pushed = stay("a", 60, 20, credential="a", taken_over=True)
    assert overlaps(pushed, stay("b", 30, None, credential="b")) == [(("a", "b"), 30, 20)]


def test_each_stay_knows_who_was_there_meanwhile() -> None:
    stays = [stay("a", 60, 40), stay("b", 50, 30), stay("c", 35, 10)]
    assert timeline.together(stays, now=NOW) == [("b",), tuple({"a", "c"}), ("b",)]


def test_places_that_push_each_other_out_are_counted() -> None:
    turns = [
        stay(f"192.0.2.{turn % 2}", 60 - 10 * turn, 50 - 10 * turn, address=f"192.0.2.{turn % 2}", taken_over=True) for turn in range(5)
    ]
    assert timeline.hand_overs(turns) == 4
    same = [stay("x", 60, 50, address="192.0.2.1", taken_over=True), stay("x", 50, None, address="192.0.2.1")]
    assert timeline.hand_overs(same) == 0
    gone_before = [stay("x", 60, 55, address="192.0.2.1", taken_over=True), stay("y", 50, None, address="192.0.2.2")]
    assert timeline.hand_overs(gone_before) == 0


def test_bars_are_parts_of_the_window_and_wide_enough_to_be_seen() -> None:
    line = timeline.draw([stay("a", 60, 30), stay("b", 45, 44.99)], now=NOW, span=timedelta(hours=1))
    assert [round(bar.left) for bar in line.lanes["a"]] == [0]
    assert [round(bar.width) for bar in line.lanes["a"]] == [50]
    assert line.lanes["b"][0].width == timeline.NARROWEST_BAR
    assert all(bar.left >= 0 and bar.left + bar.width <= 100.0001 for bars in line.lanes.values() for bar in bars)


def test_what_ended_before_the_window_is_left_out_and_what_began_before_it_is_cut() -> None:
    line = timeline.draw([stay("old", 300, 200), stay("long", 300, 30)], now=NOW, span=timedelta(hours=1))
    assert list(line.lanes) == ["long"]
    assert line.lanes["long"][0].left == 0


def test_without_a_span_the_window_begins_a_little_before_the_first_stay() -> None:
    begin, end = timeline.window([stay("a", 1000, None)], now=NOW)
    assert end == NOW
    assert ago(1100) < begin < ago(1000)
    assert timeline.window([], now=NOW)[0] == NOW - timeline.SHORTEST
    assert timeline.window([stay("a", 10**6, None)], now=NOW)[0] == NOW - timeline.LONGEST


@pytest.mark.parametrize("minutes", [10, 60, 600, 60 * 24, 60 * 24 * 7, 60 * 24 * 90])
def test_ticks_are_few_and_within_the_window(minutes: int) -> None:
    ticks = timeline.draw([], now=NOW, span=timedelta(minutes=minutes)).ticks
    assert 1 <= len(ticks) <= timeline.MOST_TICKS + 1
    assert all(0 < tick.left < 100 for tick in ticks)
