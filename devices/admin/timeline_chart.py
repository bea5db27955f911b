"""The timeline of a device's page, as a template draws it: lanes of bars in percent, every bar and overlap with its words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.shared.durations import duration
from devices.admin.presence import Presence, Visit, timeline_of
from devices.rules import timeline

SPANS: Mapping[str, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
MOST_OVERLAPS = 8
LEGEND = (
    ("here", gettext_lazy("connected now")),
    ("past", gettext_lazy("was connected")),
    ("moment", gettext_lazy("came; nobody tells when it left")),
    ("overlap", gettext_lazy("two places at the same time")),
)


@dataclass(frozen=True, slots=True)
class Box:
    """`x`, `width`: SVG lengths. `kind`: here, past, moment (only its begin is known) or overlap."""

    x: str
    width: str
    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Lane:
    tag: str
    place: str
    bars: tuple[Box, ...]
    overlaps: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """An overlap in words. `end`: None while it lasts."""

    tags: tuple[str, ...]
    begin: datetime
    end: datetime | None
    lasted: str


@dataclass(frozen=True, slots=True)
class Chart:
    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[str, str], ...]
    overlaps: tuple[Together, ...]
    more_overlaps: int
    hand_overs: int
    begin: datetime
    end: datetime
    span: str

    @property
    def legend(self) -> list[tuple[str, Any]]:
        """What is on it, in words."""
        kinds = {box.kind for lane in self.lanes for box in (*lane.bars, *lane.overlaps)}
        return [(kind, words) for kind, words in LEGEND if kind in kinds]


def chart(presence: Presence, *, at: datetime, span: str = "") -> Chart:
    """`span`: one of SPANS, or everything that is on the page."""
    line = timeline_of(presence, at=at, span=SPANS.get(span))
    tags = {visit.place: visit.tag for visit in presence.visits}
    lanes = [
        Lane(tags[place], place, tuple(_bar(bar, presence.visits[bar.number], at) for bar in bars), tuple(_overlaps(line, place, tags)))
        for place, bars in line.lanes.items()
    ]
    every = [Together(tuple(sorted(tags[place] for place in one.places)), one.begin, one.end, duration((one.end or at) - one.begin))
             for one in reversed(line.overlaps)]  # fmt: skip
    return Chart(
        lanes=tuple(sorted(lanes, key=lambda lane: (len(lane.tag), lane.tag))),
        ticks=tuple((_percent(tick.left), _clock(tick.at, line)) for tick in line.ticks),
        overlaps=tuple(every[:MOST_OVERLAPS]),
        more_overlaps=max(0, len(every) - MOST_OVERLAPS),
        hand_overs=timeline.hand_overs(visit.stay for visit in presence.visits),
        begin=line.begin,
        end=line.end,
        span=span if span in SPANS else "",
    )


def _bar(bar: timeline.Bar, visit: Visit, at: datetime) -> Box:
    facts: dict[str, Any] = {"address": visit.connection.address or "?", "begin": _moment(visit.connection.connected_at)}
    if not visit.stay.end_known:
        return Box(_percent(bar.left), _percent(bar.width), "moment", _("Came from %(address)s at %(begin)s") % facts)
    if visit.is_here:
        return Box(_percent(bar.left), _percent(bar.width), "here", _("Connected from %(address)s since %(begin)s") % facts)
    facts["end"] = _moment(visit.connection.disconnected_at or at)
    return Box(_percent(bar.left), _percent(bar.width), "past", _("Connected from %(address)s, %(begin)s to %(end)s") % facts)


def _overlaps(line: timeline.Timeline, place: str, tags: Mapping[str, str]) -> list[Box]:
    return [
        Box(_percent(one.left), _percent(one.width), "overlap", " + ".join(sorted(tags[name] for name in one.places)))
        for one in line.overlaps
        if place in one.places
    ]


def _percent(number: float) -> str:
    """With a point in every language."""
    return f"{number:.3f}%"


def _moment(at: datetime) -> str:
    return localtime(at).strftime("%Y-%m-%d %H:%M:%S")


def _clock(at: datetime, line: timeline.Timeline) -> str:
    """The hour within a day, the day beyond it."""
    return at.strftime("%H:%M") if line.end - line.begin <= timedelta(hours=36) else at.strftime("%m-%d %H:%M").removesuffix(" 00:00")
