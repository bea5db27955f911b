"""Filters of the device log: each compares whole values that have an index."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter, TextFilter

from console.shared.filters import MomentRangeFilter
from devices.admin.device_filters import as_stored_mac
from products.models import Product
from registration.models import DecisionCode, DeviceEvent, DeviceLogEntry
from registration.protocols.connection_schemes import SCHEMES
from registration.protocols.registry import protocols_by_name

UNREAD = "mqtt"
"""Of a connection that no scheme could read, and of one that ended."""
Entries = QuerySet[DeviceLogEntry]


class ProductFilter(DropdownFilter):
    title = _("product")
    parameter_name = "product"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, f"{name} ({key})") for key, name in Product.objects.order_by("name").values_list("key", "name")]

    def queryset(self, request: HttpRequest, queryset: Entries) -> Entries:
        return queryset.filter(product_key=self.value()) if self.value() else queryset


class DeviceFilter(TextFilter):
    """A whole DeviceName; a MAC address in any spelling."""

    title = _("DeviceName")
    parameter_name = "device"

    def queryset(self, request: HttpRequest, queryset: Entries) -> Entries:
        name = (self.value() or "").strip()
        return queryset.filter(device_name__in={name, as_stored_mac(name) or name}) if name else queryset


class ClientIdFilter(TextFilter):
    """A whole ClientID."""

    title = _("ClientID")
    parameter_name = "client_id"

    def queryset(self, request: HttpRequest, queryset: Entries) -> Entries:
        client_id = (self.value() or "").strip()
        return queryset.filter(client_id=client_id) if client_id else queryset


class ProtocolFilter(DropdownFilter):
    title = _("protocol")
    parameter_name = "protocol"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in dict.fromkeys([*protocols_by_name(), *SCHEMES, UNREAD])]

    def queryset(self, request: HttpRequest, queryset: Entries) -> Entries:
        return queryset.filter(protocol=self.value()) if self.value() else queryset


LOG_FILTERS = (
    ProductFilter,
    DeviceFilter,
    ClientIdFilter,
    ("event", ChoicesDropdownFilter),
    ("code", ChoicesDropdownFilter),
    ProtocolFilter,
    ("at", MomentRangeFilter),
)
_TITLES = {
    "q": _("Search"),
    "product": _("Product"),
    "device": _("DeviceName"),
    "client_id": _("ClientID"),
    "event__exact": _("Event"),
    "code__exact": _("Decision"),
    "protocol": _("Protocol"),
}


def in_words(request: HttpRequest) -> list[tuple[Any, str]]:
    """The conditions of a list's address as (what, value), for a person and for the audit."""
    asked = {name: text for name, value in request.GET.items() if (text := str(value).strip())}
    words: dict[str, dict[str, Any]] = {"event__exact": dict(DeviceEvent.choices), "code__exact": dict(DecisionCode.choices)}
    found = [(title, str(words.get(name, {}).get(asked[name], asked[name]))) for name, title in _TITLES.items() if name in asked]
    for end, title in (("from", _("From")), ("to", _("To"))):
        moment = " ".join(asked[part] for part in (f"at_{end}_0", f"at_{end}_1") if part in asked)
        if moment:
            found.append((title, moment))
    return found
