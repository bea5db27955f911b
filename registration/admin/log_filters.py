"""Filters of the device log: each compares whole values that have an index."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter, TextFilter

from console.shared.filters import MomentRangeFilter
from devices.admin.device_filters import as_stored_mac
from products.admin.limits import seen_products
from registration.admin import log_search
from registration.decision_codes import DecisionCode
from registration.models import DeviceEvent, DeviceLogEntry
from registration.protocols.connection_schemes import SCHEMES
from registration.protocols.registry import protocols_by_name
from registration.services import device_log

UNREAD = "mqtt"
"""Of a connection that no scheme could read, and of one that ended."""
Entries = QuerySet[DeviceLogEntry]


class ProductFilter(DropdownFilter):
    title = _("product")
    parameter_name = "product"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, f"{name} ({key})") for key, name in seen_products(request).values_list("key", "name")]

    def queryset(self, request: HttpRequest, queryset: Entries) -> Entries:
        return queryset.filter(product_key=self.value()) if self.value() else queryset


class DeviceFilter(TextFilter):
    """A whole DeviceName, or with a star behind it its beginning; a MAC address in any spelling."""

    title = _("DeviceName (with * its beginning)")
    parameter_name = "device"

    def queryset(self, request: HttpRequest, queryset: Entries) -> Entries:
        name = (self.value() or "").strip()
        if name.endswith("*"):
            return queryset.filter(log_search.beginning(name.rstrip("*")))
        return queryset.filter(device_name__in={name, as_stored_mac(name) or name}) if name else queryset


class AddressFilter(TextFilter):
    """One address or a network."""

    title = _("address or network")
    parameter_name = "address"

    def queryset(self, request: HttpRequest, queryset: Any) -> Entries:
        text = (self.value() or "").strip()
        network = log_search.network_of(text)
        if network is None:
            return queryset.none() if text else queryset
        return log_search.from_network(queryset, network)


class OutcomeFilter(DropdownFilter):
    """Refusals have an index of their own."""

    title = _("outcome")
    parameter_name = "outcome"
    ACCEPTED, REFUSED = "accepted", "refused"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(self.ACCEPTED, _("Accepted")), (self.REFUSED, _("Refused"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Entries:
        words = {self.ACCEPTED: queryset.accepted, self.REFUSED: queryset.refused}
        found: Entries = words[self.value()]() if self.value() in words else queryset
        return found


class CodeFilter(DropdownFilter):
    """The decision. A refusal is looked for among the refusals alone."""

    title = _("decision")
    parameter_name = "code__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(DecisionCode.choices)

    def queryset(self, request: HttpRequest, queryset: Any) -> Entries:
        code = self.value()
        found: Entries = queryset.filter(code=code) if code else queryset
        return found if not code or code in device_log.NO_REFUSALS else found.filter(accepted=False)


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
    AddressFilter,
    ("event", ChoicesDropdownFilter),
    OutcomeFilter,
    CodeFilter,
    ProtocolFilter,
    ("at", MomentRangeFilter),
)
_TITLES = {
    "q": _("Search"),
    "product": _("Product"),
    "device": _("DeviceName"),
    "client_id": _("ClientID"),
    "address": _("Address"),
    "event__exact": _("Event"),
    "outcome": _("Outcome"),
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
