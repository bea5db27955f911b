"""The house's ModelAdmin: lists that stay fast at millions of rows, and rows that only services write."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.admin import ShowFacets
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from unfold.admin import ModelAdmin

from console.shared import keyset
from console.shared.keyset import KeysetPaginator

NOTHING = "–"


class ListTools(NamedTuple):
    """What stands above a list for the person who looks: `columns` that can be hidden, `saved` filters, `query` of this very view as it
    would be kept, and the names under which it is kept already."""

    page: str
    url: str
    columns: Sequence[Any]
    saved: Sequence[Any]
    query: str
    current: Sequence[str]


HiddenColumns = Callable[[HttpRequest, str], frozenset[str]]
ToolsOf = Callable[[HttpRequest, Any], ListTools]

_givers: dict[str, Any] = {}


def columns_by(function: HiddenColumns) -> HiddenColumns:
    """Registers who knows which columns of a list (the model's label in lower case) a person has hidden. A higher floor's business."""
    _givers["columns"] = function
    return function


def tools_by(function: ToolsOf) -> ToolsOf:
    _givers["tools"] = function
    return function


class ConsoleModelAdmin(ModelAdmin):
    """No count of the whole table, no facets, 25 rows a page. `empty_list`: icon, title, text and optionally URL name and label, shown
    where the list has no rows at all. `add_label`: on the button that adds a row, where "Add" and its name will not do."""

    list_per_page = 25
    list_max_show_all = 25
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    paginator: type[Paginator] = KeysetPaginator
    list_filter_submit = True
    list_fullwidth = True
    empty_value_display = NOTHING
    empty_list: dict[str, Any] = {}
    add_label: Any = ""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        own = {"empty_list": self.empty_list, "list_tools": _givers["tools"](request, self) if "tools" in _givers else None}
        return super().changelist_view(request, {**own, **(extra_context or {})})

    def get_paginator(self, request: HttpRequest, queryset: Any, per_page: int, *args: Any, **kwargs: Any) -> Paginator:
        if issubclass(self.paginator, KeysetPaginator):
            return keyset.paginate(request, queryset, per_page)
        return super().get_paginator(request, queryset, per_page, *args, **kwargs)

    def every_column(self, request: HttpRequest) -> list[str]:
        """Those of the list as it is declared, also what a person has hidden."""
        return [str(name) for name in super().get_list_display(request)]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Without those that the person has hidden; the first one leads to the row's page and stays."""
        every = self.every_column(request)
        hidden = _givers["columns"](request, self.opts.label_lower) if "columns" in _givers else frozenset()
        return every[:1] + [name for name in every[1:] if name not in hidden]


class SmallListAdmin(ConsoleModelAdmin):
    """Tables of tens or hundreds of rows: counted, with numbered pages."""

    paginator = Paginator
    show_full_result_count = True


class ReadOnlyModelAdmin(ConsoleModelAdmin):
    """Rows that the console shows and never writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


def badge(kind: str, words: object) -> SafeString:
    """`kind`: a colour or a state of np-badge (static/console.css)."""
    return format_html('<span class="np-badge np-badge--{}">{}</span>', kind, words)


def mono(text: object) -> SafeString:
    """Keys, names and numbers that people compare by eye."""
    return format_html('<span class="np-mono">{}</span>', text or NOTHING)


def moment(at: datetime | None) -> SafeString | str:
    """In the console's time zone, to the second where the pointer rests."""
    if at is None:
        return NOTHING
    local = localtime(at)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', at.isoformat(), local.strftime("%Y-%m-%d %H:%M:%S %Z"), date_format(local, "Y-m-d H:i")
    )
