"""Filters and search of the device lists: each has an index behind it."""

import re
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from devices.models import Device
from devices.rules import lifecycle, macs
from products.models import Product

STATES = {
    lifecycle.ONLINE: _("Online"),
    lifecycle.OFFLINE: _("Offline"),
    lifecycle.SEEN: _("Last seen"),
    lifecycle.INACTIVE: _("Inactive"),
    lifecycle.DISABLED: _("Disabled"),
}
_PARTIAL_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}[:-]){1,5}[0-9A-Fa-f]{0,2}|[0-9A-Fa-f]{4}\.(?:[0-9A-Fa-f]{0,4}\.?){0,2}")


class ProductFilter(DropdownFilter):
    title = _("product")
    parameter_name = "product"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Product.objects.order_by("name").values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Device]) -> QuerySet[Device]:
        chosen = self.value()
        return queryset.filter(product_id=int(chosen)) if chosen and chosen.isdecimal() else queryset


class StateFilter(DropdownFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Device]:
        found: QuerySet[Device] = queryset.in_state(self.value()) if self.value() in STATES else queryset
        return found


class ClientIdsFilter(DropdownFilter):
    """Names with several physical devices, and those that somebody has switched to one: a partial index each."""

    title = _("ClientIDs")
    parameter_name = "client_ids"
    SEVERAL, SWITCHED = "several", "switched"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(self.SEVERAL, _("Several are active")), (self.SWITCHED, _("Switched to one"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Device]:
        words = {self.SEVERAL: queryset.with_several_client_ids, self.SWITCHED: queryset.switched}
        found: QuerySet[Device] = words[self.value()]() if self.value() in words else queryset
        return found


def search(queryset: QuerySet[Device], text: str) -> QuerySet[Device]:
    """By the beginning of a DeviceName (a MAC address in any spelling, whole or in part) or by a whole SN."""
    text = text.strip()
    if not text:
        return queryset
    wanted = Q(device_name__startswith=text) | Q(sn=text)
    mac = as_stored_mac(text)
    return queryset.filter(wanted | Q(device_name__startswith=mac) if mac and mac != text else wanted)


def as_stored_mac(text: str) -> str:
    """The beginning of a stored MAC address that the text spells; empty where it is none."""
    try:
        return macs.normalise(text)
    except macs.BadMac:
        digits = re.sub(r"[:.\-]", "", text)
        looks_like_one = _PARTIAL_MAC.fullmatch(text) or re.fullmatch(r"[0-9A-Fa-f]{2,12}", text)
        return digits.upper() if looks_like_one else ""
