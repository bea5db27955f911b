"""Pages of a list that is never counted, found by the key of the row where the page before ended: the last costs what the first does.

A page is named `3-after-1234` or `3-before-1234` in the address, under the name that Django's lists use for a page's number; the number
itself is for the reader. A bare number is looked up the long way, as the links of old were.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

PAGE_VAR: Final = "p"
_PLACE: Final = re.compile(r"([1-9]\d{0,8})-(after|before)-(\d{1,18})", re.ASCII)


class Place(NamedTuple):
    """Page `number`, which begins behind the row `key` or ends in front of it."""

    number: int
    word: str
    key: int


class ListPage(Page):  # type: ignore[type-arg]
    """Knows its neighbours without a count. `by_key`: they are named by the rows at its ends, else by their numbers."""

    def __init__(
        self, rows: Sequence[Any], number: int, paginator: "KeysetPaginator", *, newer: bool, older: bool, by_key: bool = True
    ) -> None:
        super().__init__(rows, number, paginator)
        self._newer, self._older, self._by_key = newer, older, by_key

    def has_next(self) -> bool:
        return self._older

    def has_previous(self) -> bool:
        return self._newer

    @property
    def next_place(self) -> str:
        return f"{self.number + 1}-after-{self.object_list[-1].pk}" if self._by_key else f"{self.number + 1}"

    @property
    def previous_place(self) -> str:
        """The first page has no key: whatever is newest stands there."""
        if self.number <= 2 or not self._by_key or not self.object_list:
            return f"{max(1, self.number - 1)}"
        return f"{self.number - 1}-before-{self.object_list[0].pk}"


class KeysetPaginator(Paginator):  # type: ignore[type-arg]
    """By key where the rows are sorted by it, the newest first, else by number. `shown` is the page that was taken."""

    template_name = "unfold/helpers/pagination_infinite.html"
    count = 9_999_999_999
    """More than a page holds, which is all that is asked; nobody is shown it."""
    shown: ListPage

    def __init__(self, rows: QuerySet[Any], per_page: int, *, place: str = "") -> None:
        super().__init__(rows, per_page)
        self.rows: Any = rows
        self.by_key = sorted_by_key(rows)
        self.place = read_place(place) if self.by_key else None

    def page(self, number: Any) -> ListPage:
        """Raises InvalidPage."""
        if self.place is None:
            self.shown = self._numbered(self.validate_number(number))
        elif self.place.word == "after":
            self.shown = self._page(self.rows.filter(pk__lt=self.place.key), self.place.number)
        else:
            self.shown = self._in_front_of(self.place)
        return self.shown

    def _numbered(self, number: int) -> ListPage:
        return self._page(self.rows[(number - 1) * self.per_page :], number)

    def _page(self, rows: Any, number: int) -> ListPage:
        found = list(rows[: self.per_page + 1])
        return ListPage(found[: self.per_page], number, self, newer=number > 1, older=len(found) > self.per_page, by_key=self.by_key)

    def _in_front_of(self, place: Place) -> ListPage:
        nearest_first = self.rows.filter(pk__gt=place.key).order_by("pk")
        found = list(nearest_first[: self.per_page + 1])
        return ListPage(found[: self.per_page][::-1], place.number, self, newer=len(found) > self.per_page, older=bool(found))


def read_place(text: str) -> Place | None:
    """None for the first page, a bare number, and what is no place at all."""
    found = _PLACE.fullmatch(text)
    return Place(int(found[1]), found[2], int(found[3])) if found else None


def sorted_by_key(rows: Any) -> bool:
    """The newest first. A list may say so twice, its rows and the console each once."""
    ordering = set(rows.query.order_by) if isinstance(rows, QuerySet) else set()
    return bool(ordering) and ordering <= {"-pk", "-id"}


def paginate(request: HttpRequest, rows: QuerySet[Any], per_page: int) -> KeysetPaginator:
    """With the place that the address names."""
    return KeysetPaginator(rows, per_page, place=request.GET.get(PAGE_VAR, ""))
