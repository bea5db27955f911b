"""The device log in the console: one data center at a time, to read only (A14, N2)."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from console.shared.admin import NOTHING, ReadOnlyModelAdmin, badge, mono
from console.shared.filters import MomentRangeFilter
from console.shared.page_actions import PageActions
from devices.admin import centers
from products.models import DataCenter, Product
from registration.models import DeviceLogEntry
from registration.protocols.registry import every_protocol

CENTER = "center"
FACTS = {
    "signed_text": _("Text that should have been signed"),
    "server_time": _("Our clock, in seconds since 1970"),
    "notes": _("Notes"),
    "other_protocol": _("Protocol"),
}


class ProductFilter(DropdownFilter):
    title = _("product")
    parameter_name = "product"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, f"{name} ({key})") for key, name in Product.objects.order_by("name").values_list("key", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeviceLogEntry]) -> QuerySet[DeviceLogEntry]:
        return queryset.filter(product_key=self.value()) if self.value() else queryset


class ProtocolFilter(DropdownFilter):
    title = _("protocol")
    parameter_name = "protocol"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(protocol.name, protocol.name) for protocol in every_protocol()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeviceLogEntry]) -> QuerySet[DeviceLogEntry]:
        return queryset.filter(protocol=self.value()) if self.value() else queryset


class EntryList(ChangeList):
    def url_for_result(self, result: DeviceLogEntry) -> str:
        page_url: str = self.model_admin.page_url(result)  # type: ignore[attr-defined]
        return page_url


@admin.register(DeviceLogEntry)
class DeviceLogEntryAdmin(PageActions, centers.CenterSelector, ReadOnlyModelAdmin):
    """Nobody writes here; entries go with their age."""

    list_display = ("time", "product_text", "name_text", "decision", "protocol_text", "address_text")
    list_display_links = ("time",)
    list_filter = (ProductFilter, ("code", ChoicesDropdownFilter), ProtocolFilter, ("at", MomentRangeFilter))
    sortable_by = ()
    search_fields = ("device_name",)
    search_help_text = _("DeviceName from its beginning, or a whole ProductKey or request number")
    page_template = "device_log/entry.html"
    empty_list = {
        "icon": "receipt_long",
        "title": _("No device has called yet"),
        "text": _("Every attempt to register is listed here, with the path of its decision."),
    }

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """A link may name the data center (?center=): it is selected, as if by hand."""
        if CENTER in request.GET and self.has_view_permission(request):
            centers.select(request, request.GET[CENTER])
            rest = request.GET.copy()
            del rest[CENTER]
            return HttpResponseRedirect(f"{request.path}?{rest.urlencode()}")
        return super().changelist_view(request, extra_context)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return EntryList

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeviceLogEntry]:
        return DeviceLogEntry.objects.at(centers.selected(request)).order_by("-id")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[DeviceLogEntry], search_term: str
    ) -> tuple[QuerySet[DeviceLogEntry], bool]:
        """Exact values and beginnings alone: each has an index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        number = _request_number(term)
        if number:
            return queryset.filter(request_id=number), False
        return queryset.filter(Q(device_name__startswith=term) | Q(product_key=term)), False

    def page_key(self, target: DeviceLogEntry) -> str:
        """Numbers of entries may meet in different databases."""
        return f"{target.data_center_id}-{target.pk}"

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> DeviceLogEntry | None:
        center_id, _dash, pk = object_id.partition("-")
        if not (center_id.isdecimal() and pk.isdecimal()):
            return None
        center = DataCenter.objects.filter(pk=center_id).first()
        return DeviceLogEntry.objects.at(center).filter(pk=pk).first() if center else None

    def page_context(self, request: HttpRequest, target: DeviceLogEntry) -> dict[str, Any]:
        return {
            "title": target.device_name or target.product_key or _("Malformed request"),
            "center": DataCenter.objects.get(pk=target.data_center_id),
            "product": Product.objects.filter(pk=target.product_id).first() if target.product_id else None,
            "facts": [(FACTS.get(name, name), value if isinstance(value, list) else [value]) for name, value in target.facts.items()],
        }

    @display(description=_("Time"))
    def time(self, entry: DeviceLogEntry) -> str:
        """To the second: a device that tries again does so at once."""
        return format_html(
            '<time class="np-nowrap" datetime="{}">{}</time>', entry.at.isoformat(), localtime(entry.at).strftime("%Y-%m-%d %H:%M:%S")
        )

    @display(description=_("Product"))
    def product_text(self, entry: DeviceLogEntry) -> str:
        return mono(entry.product_key)

    @display(description=_("DeviceName"))
    def name_text(self, entry: DeviceLogEntry) -> str:
        return mono(entry.device_name)

    @display(description=_("Decision"))
    def decision(self, entry: DeviceLogEntry) -> str:
        return badge("green" if entry.accepted else "red", entry.get_code_display())

    @display(description=_("Protocol"))
    def protocol_text(self, entry: DeviceLogEntry) -> str:
        return entry.protocol

    @display(description=_("Address"))
    def address_text(self, entry: DeviceLogEntry) -> str:
        return mono(entry.address) if entry.address else NOTHING


def _request_number(term: str) -> UUID | None:
    try:
        return UUID(term)
    except ValueError:
        return None
