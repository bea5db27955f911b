"""When the physical devices of one name were connected, as bars over time, and when two of them were at once (N8).

A *place* is what tells them apart: the ClientID, or the address where all of them share one secret.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

SHORTEST, LONGEST = timedelta(minutes=10), timedelta(days=90)
NARROWEST_BAR = 0.6
"""Percent of the window: what can still be seen and pointed at."""
MOST_TICKS = 6
_STEPS = tuple(
    [timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30)]
    + [timedelta(hours=hours) for hours in (1, 2, 3, 6, 12)]
    + [timedelta(days=days) for days in (1, 2, 7, 14, 30)]
)


@dataclass(frozen=True, slots=True)
class Stay:
    """One connection. `end`: None while it lasts. `end_known`: somebody told when it ended; otherwise only its begin is certain.
    `credential`: what it proved itself with (the ClientID, or empty for the DeviceSecret). `taken_over`: it was cut off, perhaps
    since a newer connection had the same credential; every platform does that, so the moment in which both were there is no evidence."""

    place: str
    begin: datetime
    end: datetime | None
    end_known: bool = True
    credential: str = ""
    address: str = ""
    taken_over: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """`left` and `width`: percent of the window. `number`: of the stay, in the order given."""

    number: int
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Overlap:
    """`places`: in the order of their coming, at least two. `end`: None while it lasts."""

    places: tuple[str, ...]
    begin: datetime
    end: datetime | None
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Tick:
    at: datetime
    left: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """`lanes`: the bars of each place, places in the order of their first coming."""

    begin: datetime
    end: datetime
    lanes: dict[str, tuple[Bar, ...]]
    overlaps: tuple[Overlap, ...]
    ticks: tuple[Tick, ...]


def window(stays: Iterable[Stay], *, now: datetime, span: timedelta | None = None) -> tuple[datetime, datetime]:
    """From `span` ago until now; without it, from a little before the first stay, within SHORTEST and LONGEST."""
    if span is None:
        first = min((stay.begin for stay in stays), default=now)
        span = (now - first) * 1.04
    return now - min(max(span, SHORTEST), LONGEST), now


def draw(stays: Sequence[Stay], *, now: datetime, span: timedelta | None = None) -> Timeline:
    """Stays that ended before the window are left out; `now` tells the zone of the ticks, too."""
    begin, end = window(stays, now=now, span=span)
    lanes: dict[str, list[Bar]] = {}
    for number, stay in sorted(enumerate(stays), key=lambda numbered: numbered[1].begin):
        last = _certain_end(stay, now)
        if last < begin or stay.begin > end:
            continue
        left, width = _part(stay.begin, last, begin, end)
        lanes.setdefault(stay.place, []).append(Bar(number, left, width))
    found = []
    for places, since, until in overlaps(stays, now=now):
        if (until or now) > begin:
            found.append(Overlap(places, since, until, *_part(since, until or now, begin, end)))
    return Timeline(begin, end, {place: tuple(bars) for place, bars in lanes.items()}, tuple(found), _ticks(begin, end))


def overlaps(stays: Iterable[Stay], *, now: datetime) -> list[tuple[tuple[str, ...], datetime, datetime | None]]:
    """The times in which more than one place was connected for certain, with all the places that were; the last may have no end yet.

    What ends at the moment at which another begins is no overlap.
    """
    known = [(stay, end) for stay, end in _settled(stays, now) if end > stay.begin]
    moments = [(stay.begin, 1, stay) for stay, _end in known] + [(end, 0, stay) for stay, end in known]
    here: dict[str, int] = {}
    found: list[tuple[tuple[str, ...], datetime, datetime | None]] = []
    places: list[str] = []
    since: datetime | None = None
    for at, comes, stay in sorted(moments, key=lambda moment: moment[:2]):
        here[stay.place] = here.get(stay.place, 0) + (1 if comes else -1)
        present = [place for place, count in here.items() if count > 0]
        if len(present) > 1:
            since = since or at
            places += [place for place in present if place not in places]
        elif since is not None:
            found.append((tuple(places), since, None if stay.end is None else at))
            places, since = [], None
    return found


def together(stays: Sequence[Stay], *, now: datetime) -> list[tuple[str, ...]]:
    """For each stay the other places that were connected meanwhile, for certain."""
    spans = [(stay.place, stay.begin, end) for stay, end in _settled(stays, now)]
    return [
        tuple({other for other, since, until in spans if other != place and max(begin, since) < min(end, until)})
        for place, begin, end in spans
    ]


def hand_overs(stays: Iterable[Stay]) -> int:
    """How often a connection from one address ended one from another that had the same credential: physical devices that share it
    push each other out in turn. One alone may be a device that changed its network."""
    ordered = sorted(stays, key=lambda stay: (stay.credential, stay.begin))
    return sum(before.address != after.address for before, after in pairwise(ordered) if _took_over(before, after))


def _took_over(before: Stay, after: Stay) -> bool:
    came_before_its_end = before.end is not None and after.begin <= before.end
    return before.taken_over and came_before_its_end and before.credential == after.credential


def _settled(stays: Iterable[Stay], now: datetime) -> list[tuple[Stay, datetime]]:
    """Each stay with the end until which it was there for certain: one that was taken over, until its successor came."""
    begins: dict[str, list[datetime]] = {}
    given = list(stays)
    for stay in given:
        begins.setdefault(stay.credential, []).append(stay.begin)
    for listed in begins.values():
        listed.sort()
    found = []
    for stay in given:
        end = _certain_end(stay, now)
        listed = begins[stay.credential]
        next_one = bisect_right(listed, stay.begin)
        if stay.taken_over and next_one < len(listed):
            end = min(end, listed[next_one])
        found.append((stay, end))
    return found


def _certain_end(stay: Stay, now: datetime) -> datetime:
    if not stay.end_known:
        return stay.begin
    return now if stay.end is None else max(stay.begin, stay.end)


def _part(since: datetime, until: datetime, begin: datetime, end: datetime) -> tuple[float, float]:
    """Left edge and width in percent of the window, wide enough to be seen and within it."""
    whole = end - begin
    left = max(0.0, 100 * ((since - begin) / whole))
    width = max(NARROWEST_BAR, 100 * ((until - begin) / whole) - left)
    left = min(left, 100 - NARROWEST_BAR)
    return left, min(width, 100 - left)


def _ticks(begin: datetime, end: datetime) -> tuple[Tick, ...]:
    """At round times of the zone of `begin`, not too close to the edges."""
    step = next((step for step in _STEPS if (end - begin) / step <= MOST_TICKS), _STEPS[-1])
    at = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    while at < end:
        left = 100 * ((at - begin) / (end - begin))
        if 4 <= left <= 96:
            found.append(Tick(at, left))
        at += step
    return tuple(found)
