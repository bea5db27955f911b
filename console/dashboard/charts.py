"""Registrations and refusals over time as stacked bars, which a template draws in per cent, with the same figures as tables."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.timezone import get_current_timezone, localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from products.models import DataCenter
from products.services.access import limit_of
from registration.decision_codes import DecisionCode
from registration.models import DeviceEvent
from registration.services import figures
from registration.services.figures import Attempts

SERIES_AT_MOST = 6
"""Colours that an eye tells apart; the rest is one more, "others"."""
TICKS = 6
BY = {"reason": gettext_lazy("by reason"), "center": gettext_lazy("by data center")}
OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Span:
    words: Any
    slots: int
    by_day: bool


SPANS: Mapping[str, Span] = {
    "24h": Span(gettext_lazy("24 hours"), 24, by_day=False),
    "7d": Span(gettext_lazy("7 days"), 7, by_day=True),
    "30d": Span(gettext_lazy("30 days"), 30, by_day=True),
}


@dataclass(frozen=True, slots=True)
class Part:
    """A series' share of a bar: `colour` is its number, `height` in per cent of the bar."""

    colour: int
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """`height` in per cent of the chart; `tick`: what stands under it, empty under most; `words`: what the pointer shows."""

    label: str
    tick: str
    height: float
    parts: list[Part]
    words: str
    counts: list[int]
    total: int


@dataclass(frozen=True, slots=True)
class Chart:
    """`series`: (colour, name, total), the largest first. `top`: what the full height means."""

    series: list[tuple[int, Any, int]]
    bars: list[Bar]
    total: int
    top: int


def context(request: HttpRequest, centers: Sequence[DataCenter], at: datetime) -> dict[str, Any]:
    span_name = request.GET.get("span", "")
    span = SPANS.get(span_name) or SPANS["24h"]
    by = request.GET.get("by", "") if request.GET.get("by", "") in BY else "reason"
    slots = slots_of(span, localtime(at))
    limit = limit_of(request.user)
    found = figures.attempts(centers, since=slots[0], zone=get_current_timezone(), by_day=span.by_day, limit=limit)
    came = [one for one in found if one.event == DeviceEvent.REGISTRATION and one.code == DecisionCode.ACCEPTED]
    refused = [one for one in found if one.code not in (DecisionCode.ACCEPTED, DecisionCode.ENDED)]
    names = {str(center.pk): center.name for center in centers}
    colours = {str(center.pk): number % SERIES_AT_MOST for number, center in enumerate(centers)}
    reasons = {str(code): words for code, words in DecisionCode.choices}
    chosen = next((name for name, one in SPANS.items() if one is span), "24h")
    why = ((one, one.code if by == "reason" else str(one.data_center_id)) for one in refused)
    return {
        "came": draw(span, slots, ((one, str(one.data_center_id)) for one in came), names, colours),
        "refused": draw(span, slots, why, reasons | names, colours),
        "refused_at": _by_center(refused),
        "spans": [(name, one.words, name == chosen) for name, one in SPANS.items()],
        "span": chosen,
        "by": by,
        "ways": [(name, words, name == by) for name, words in BY.items()],
        "by_hour": not span.by_day,
        "log_url": reverse("admin:registration_devicelogentry_changelist"),
    }


def slots_of(span: Span, now: datetime) -> list[datetime]:
    """The beginnings of the bars, the last one's still running. `now` in the zone whose days are meant; a day may have 23 hours."""
    if not span.by_day:
        hour = now.replace(minute=0, second=0, microsecond=0)
        return [hour - timedelta(hours=back) for back in reversed(range(span.slots))]
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return [today - timedelta(days=back) for back in reversed(range(span.slots))]


def _by_center(found: Iterable[Attempts]) -> Counter[int]:
    counted: Counter[int] = Counter()
    for one in found:
        counted[one.data_center_id] += one.count
    return counted


def draw(
    span: Span,
    slots: Sequence[datetime],
    found: Iterable[tuple[Attempts, str]],
    names: Mapping[str, Any],
    colours: Mapping[str, int],
) -> Chart:
    """`found`: figures, each with the key of its series. `colours`: of series that have the same one in every chart; others by rank."""
    totals: Counter[str] = Counter()
    each: dict[datetime, Counter[str]] = {slot: Counter() for slot in slots}
    for one, key in found:
        if one.slot in each:
            totals[key] += one.count
            each[one.slot][key] += one.count
    keys = [key for key, _count in totals.most_common(SERIES_AT_MOST if len(totals) <= SERIES_AT_MOST else SERIES_AT_MOST - 1)]
    rest = totals.total() - sum(totals[key] for key in keys)
    series = [(colours.get(key, rank), names.get(key, key), totals[key]) for rank, key in enumerate(keys)]
    if rest:
        keys, series = [*keys, OTHERS], [*series, (SERIES_AT_MOST - 1, _("others"), rest)]
    top = _round_up(max((slot.total() for slot in each.values()), default=0))
    every = -(-len(slots) // TICKS)
    scale = _Scale(span, keys, series, top)
    bars = [_bar(scale, slot, each[slot], ticked=index % every == 0) for index, slot in enumerate(slots)]
    return Chart(series, bars, totals.total(), top)


@dataclass(frozen=True, slots=True)
class _Scale:
    """What the bars of a chart have in common: their series (as in Chart) with its keys, and what the full height means."""

    span: Span
    keys: Sequence[str]
    series: Sequence[tuple[int, Any, int]]
    top: int


def _bar(scale: _Scale, slot: datetime, counted: Counter[str], *, ticked: bool) -> Bar:
    counts = [counted[key] for key in scale.keys]
    total = counted.total()
    if OTHERS in scale.keys:
        counts[-1] = total - sum(counts[:-1])
    by_day = scale.span.by_day
    label = f"{slot:%Y-%m-%d}" if by_day else f"{slot:%Y-%m-%d %H:%M}"
    present = [(colour, name, count) for (colour, name, _total), count in zip(scale.series, counts, strict=True) if count]
    return Bar(
        label=label,
        tick="" if not ticked else f"{slot:%m-%d}" if by_day else f"{slot:%H:%M}",
        height=round(100 * total / scale.top, 2) if scale.top else 0,
        parts=[Part(colour, round(100 * count / total, 2)) for colour, _name, count in present],
        words=" · ".join([label, *([f"{name}: {count:,}" for _colour, name, count in present] or [_("none")])]),
        counts=counts,
        total=total,
    )


def _round_up(number: int) -> int:
    """To one digit with zeros, so that the axis has a number that one reads at a glance."""
    if not number:
        return 0
    power = int(10 ** (len(str(number)) - 1))
    return next(step * power for step in (1, 2, 3, 4, 5, 6, 8, 10) if step * power >= number)
