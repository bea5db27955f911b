"""The device log in the console: one data center at a time, to read only (A14, N2)."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from console.shared.admin import NOTHING, ReadOnlyModelAdmin, badge, mono
from console.shared.page_actions import PageActions
from devices.admin import centers
from devices.models import Device
from devices.rules.pins import Match
from products.models import DataCenter, Product
from products.services import access
from registration.admin import log_export, log_search, what_if, what_if_certificate
from registration.admin.log_filters import LOG_FILTERS
from registration.admin.remedies import Remedy, remedy_of
from registration.decision_codes import DecisionCode
from registration.models import DeviceLogEntry
from registration.services import meanings

FACTS = {
    "signed_text": _("Text that should have been signed"),
    "server_time": _("Our clock, in seconds since 1970"),
    "notes": _("Notes"),
    "other_protocol": _("Protocol"),
    "broker": _("Broker"),
    "mqtt_client_id": _("MQTT client id"),
    "connected_at": _("Connected since"),
    "reason": _("In the broker's words"),
    "certificate": _("Certificate (SHA-256)"),
    "serial_number": _("Serial number"),
    "match": _("How it was recognised"),
    "expected": _("Expected certificate"),
    "following": _("Next certificate"),
    "seen": _("Certificate that was presented"),
    "verify": _("In the proxy's words"),
}
VALUES = {
    "match": {
        Match.FIRST.value: _("none was expected yet: it is pinned"),
        Match.CURRENT.value: _("the expected certificate"),
        Match.SAME_KEY.value: _("issued anew for the expected key"),
        Match.NEXT.value: _("the next certificate, which is the expected one now"),
    }
}
"""Words for values that a program reads."""


class EntryList(ChangeList):
    def url_for_result(self, result: DeviceLogEntry) -> str:
        page_url: str = self.model_admin.page_url(result)  # type: ignore[attr-defined]
        return page_url


@admin.register(DeviceLogEntry)
class DeviceLogEntryAdmin(PageActions, centers.CenterSelector, ReadOnlyModelAdmin):
    """Nobody writes here; entries go with their age."""

    list_display = ("time", "event_text", "product_text", "name_text", "decision", "address_text")
    list_display_links = ("time",)
    list_filter = LOG_FILTERS
    list_before_template = "device_log/before_list.html"
    sortable_by = ()
    search_fields = ("device_name",)
    search_help_text = _(
        "DeviceName from its beginning (a MAC address in any spelling), an address or a network as 192.0.2.0/24, or a whole ClientID, "
        "ProductKey or request number"
    )
    page_template = "device_log/entry.html"
    empty_list = {
        "icon": "receipt_long",
        "title": _("No device has called yet"),
        "text": _("Every attempt to register or to connect is listed here, with the path of its decision."),
    }

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        shown = {"export_url": reverse("admin:registration_devicelogentry_export")}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(lambda request: log_export.view(self, request))
        return [
            path("export/", view, name="registration_devicelogentry_export"),
            path("what-if/certificate/", self.admin_site.admin_view(what_if_certificate.view), name="registration_what_if_certificate"),
            path("what-if/", self.admin_site.admin_view(what_if.view), name="registration_what_if"),
            *super().get_urls(),
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return EntryList

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeviceLogEntry]:
        entries = DeviceLogEntry.objects.at(centers.selected(request)).order_by("-id")
        return entries.of_products(access.keys_seen(request.user))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[DeviceLogEntry], search_term: str
    ) -> tuple[QuerySet[DeviceLogEntry], bool]:
        """Exact values and beginnings alone: each has an index."""
        return log_search.search(queryset, search_term), False  # type: ignore[arg-type]

    def page_key(self, target: DeviceLogEntry) -> str:
        """Numbers of entries may meet in different databases."""
        return f"{target.data_center_id}-{target.pk}"

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> DeviceLogEntry | None:
        center_id, _dash, pk = object_id.partition("-")
        if not (center_id.isdecimal() and pk.isdecimal()):
            return None
        center = DataCenter.objects.filter(pk=center_id).first()
        return DeviceLogEntry.objects.at(center).of_products(access.keys_seen(request.user)).filter(pk=pk).first() if center else None

    def page_context(self, request: HttpRequest, target: DeviceLogEntry) -> dict[str, Any]:
        center = DataCenter.objects.get(pk=target.data_center_id)
        product = Product.objects.filter(pk=target.product_id).first() if target.product_id else None
        return {
            "title": target.device_name or target.product_key or _("Malformed request"),
            "center": center,
            "product": product,
            "explained": meanings.of(target.code),
            "remedy": self._remedy(request, target, center),
            "what_if_url": what_if.url_of(product.key, target.device_name) if product and target.device_name else "",
            "device_url": self._device_url(request, target),
            "list_url": reverse("admin:registration_devicelogentry_changelist"),
            "badge": badge_of(target),
            "facts": [(FACTS.get(name, name), _values(name, value)) for name, value in target.facts.items()],
        }

    def _remedy(self, request: HttpRequest, entry: DeviceLogEntry, center: DataCenter) -> Remedy | None:
        """The page where something can be done about a refusal."""
        if entry.accepted:
            return None
        return remedy_of(request, code=entry.code, data_center=center, product_id=entry.product_id, device_name=entry.device_name)

    def _device_url(self, request: HttpRequest, entry: DeviceLogEntry) -> str:
        """The page of the device, if there is one under the name now, for those who may see it."""
        if not entry.product_id or not request.user.has_perm("devices.view_device"):
            return ""
        center = DataCenter.objects.get(pk=entry.data_center_id)
        here = Device.objects.at(center).filter(product_id=entry.product_id, device_name=entry.device_name)
        found = here.values_list("pk", flat=True).first()
        return reverse("admin:devices_device_change", args=[f"{center.code}-{found}"]) if found else ""

    @display(description=_("Time"))
    def time(self, entry: DeviceLogEntry) -> str:
        """To the second: a device that tries again does so at once."""
        return format_html(
            '<time class="np-nowrap" datetime="{}">{}</time>', entry.at.isoformat(), localtime(entry.at).strftime("%Y-%m-%d %H:%M:%S")
        )

    @display(description=_("Event"))
    def event_text(self, entry: DeviceLogEntry) -> str:
        """With its protocol."""
        return format_html('{}<br><span class="np-muted">{}</span>', entry.get_event_display(), entry.protocol)

    @display(description=_("Product"))
    def product_text(self, entry: DeviceLogEntry) -> str:
        return mono(entry.product_key)

    @display(description=_("DeviceName"))
    def name_text(self, entry: DeviceLogEntry) -> str:
        """With the ClientID of the physical device, where it has one."""
        if not entry.client_id:
            return mono(entry.device_name)
        return format_html('{}<br><span class="np-muted">{}</span>', mono(entry.device_name), mono(entry.client_id))

    @display(description=_("Decision"))
    def decision(self, entry: DeviceLogEntry) -> str:
        return badge(badge_of(entry), entry.get_code_display())

    @display(description=_("Address"))
    def address_text(self, entry: DeviceLogEntry) -> str:
        return mono(entry.address) if entry.address else NOTHING


def _values(name: str, value: Any) -> list[Any]:
    return value if isinstance(value, list) else [VALUES.get(name, {}).get(value, value)]


def badge_of(entry: DeviceLogEntry) -> str:
    """Its colour: a connection that ended is neither good nor bad."""
    return "grey" if entry.code == DecisionCode.ENDED else "green" if entry.accepted else "red"
