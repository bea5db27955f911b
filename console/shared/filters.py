"""Filters of lists that the skin has not, or not right."""

from datetime import datetime, time

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import make_aware
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.utils import parse_datetime_str


class MomentRangeFilter(RangeDateTimeFilter):  # type: ignore[misc]
    """From and to, in the console's time zone (the skin's own compares times without a zone). A day without a time is taken whole."""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:  # type: ignore[type-arg]
        bounds = {"gte": self._moment("from", time.min), "lte": self._moment("to", time.max)}
        return queryset.filter(**{f"{self.parameter_name}__{lookup}": at for lookup, at in bounds.items() if at})

    def _moment(self, end: str, whole_day: time) -> datetime | None:
        day, clock = (self.used_parameters.get(f"{self.parameter_name}_{end}_{part}") for part in (0, 1))
        naive = parse_datetime_str(f"{day} {clock or whole_day.strftime('%H:%M:%S')}") if day else None
        return make_aware(naive) if naive else None
