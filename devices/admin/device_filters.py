"""Filters and search of the device lists: each has an index behind it."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from devices.models import Device
from devices.querysets import CERTIFICATE_WORDS
from devices.rules import lifecycle
from devices.rules.macs import as_stored_mac as as_stored_mac

STATES = {
    lifecycle.ONLINE: _("Online"),
    lifecycle.OFFLINE: _("Offline"),
    lifecycle.SEEN: _("Last seen"),
    lifecycle.INACTIVE: _("Inactive"),
    lifecycle.DISABLED: _("Disabled"),
}


SEARCH_HELP = _("DeviceName from its beginning (a MAC address in any spelling), a whole SN, or the whole fingerprint of a certificate")
CERTIFICATE_TITLES = (_("Ends within 30 days"), _("Has ended"), _("The next one is set"), _("Revoked for the device"))


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


class CertificateFilter(DropdownFilter):
    """Of devices with a certificate of their own."""

    title = _("certificate")
    parameter_name = "certificate"
    WORDS = dict(zip(CERTIFICATE_WORDS, CERTIFICATE_TITLES, strict=True))

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.WORDS.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Device]:
        known = self.value() in self.WORDS
        found: QuerySet[Device] = queryset.with_certificate(self.value(), timezone.now()) if known else queryset
        return found
