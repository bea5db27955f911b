"""The house's ModelAdmin: lists that stay fast at millions of rows, and rows that only services write."""

from datetime import datetime
from typing import Any

from django.contrib.admin import ShowFacets
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

NOTHING = "–"


class ConsoleModelAdmin(ModelAdmin):
    """No count of the whole table, no facets, 25 rows a page. `empty_list`: icon, title, text and optionally URL name and label, shown
    where the list has no rows at all."""

    list_per_page = 25
    list_max_show_all = 25
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    paginator = InfinitePaginator
    list_filter_submit = True
    list_fullwidth = True
    empty_value_display = NOTHING
    empty_list: dict[str, Any] = {}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"empty_list": self.empty_list, **(extra_context or {})})


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
