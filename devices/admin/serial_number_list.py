"""Serial numbers one by one: search by the number or its beginning, and the page of one with what can be done to it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter
from unfold.decorators import display

from console.shared.admin import ReadOnlyModelAdmin, badge, moment, mono
from console.shared.page_actions import Occasion, PageAction, PageActions
from devices.admin import station
from devices.admin.serial_number_forms import ReasonForm
from devices.models import PreImportedDevice, SerialNumber, SerialNumberRun
from devices.rules import labels
from devices.services import binding, serial_numbers
from products.admin.limits import OfChosenProducts, ProductFilter, latest_changes

STATES = {"free": _("Free"), "bound": _("Bound"), "void": _("Void")}
COLOURS = {"free": "blue", "bound": "green", "void": "grey"}


def _void(occasion: Occasion) -> None:
    serial_numbers.void(occasion.target.pk, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)


def _unbind(occasion: Occasion) -> None:
    label: SerialNumber = occasion.target
    reason = occasion.data["reason"]
    binding.unbind(label.product_id, label.device_name, label.sn, reason=reason, by=occasion.by, at=occasion.at)


UNBIND = PageAction(
    name="unbind",
    permission="devices.bind_serialnumber",
    label=_("Take it off the device"),
    title=_("Take this serial number off its device?"),
    words=(
        _("The device has no SN in the pre-import list then, and the serial number is free for another one."),
        _("A device that is in a data center's device list already keeps its SN there."),
    ),
    confirm=_("Take off"),
    done=_("The serial number is free again."),
    form=ReasonForm,
    run=_unbind,
    offered=lambda label: label.state == "bound",
)
VOID = PageAction(
    name="void",
    permission="devices.cancel_serialnumberrun",
    label=_("Void"),
    title=_("Void this serial number?"),
    words=(_("For a label that was lost or spoiled: no device will ever have this serial number."),),
    warnings=(_("This cannot be undone."),),
    confirm=_("Void"),
    done=_("The serial number is void."),
    form=ReasonForm,
    run=_void,
    offered=lambda label: label.state == "free",
    danger=True,
)


class StateFilter(DropdownFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        words = {"free": queryset.free, "bound": queryset.bound, "void": queryset.void}
        return words[self.value()]() if self.value() in words else queryset


@admin.register(SerialNumber)
class SerialNumberAdmin(OfChosenProducts, PageActions, ReadOnlyModelAdmin):
    list_display = ("number", "product_name", "run_number", "state_badge", "device", "bound_when", "bound_by_name")
    list_display_links = ("number",)
    list_select_related = ("product", "bound_by")
    list_filter = (StateFilter, ProductFilter, ("run", AutocompleteSelectFilter))
    search_fields = ("sn",)
    search_help_text = _("Serial number from its beginning, or a whole DeviceName")
    sortable_by = ()
    empty_list = {
        "icon": "qr_code_2",
        "title": _("No serial number was generated yet"),
        "text": _("A run makes up to 10,000 serial numbers of a product, with QR codes and labels: an app binds a device by them."),
        "label": _("Generate SNs"),
        "url_name": "admin:devices_serialnumberrun_add",
        "permission": "devices.add_serialnumberrun",
    }
    page_actions = (UNBIND, VOID)
    page_template = "devices/serial_number.html"

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        choose, bind = station.ChooseView.as_view(admin=self), station.StationView.as_view(admin=self)
        return [
            path("station/", guarded(choose), name="devices_binding_station"),
            path("station/<int:product_id>/", guarded(bind), name="devices_binding_station_of"),
            *super().get_urls(),
        ]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("devices.view_serialnumberrun"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[SerialNumber], search_term: str) -> tuple[Any, bool]:
        """A scanned code of ours is its serial number."""
        scan = labels.read_scan(search_term)
        wanted = (scan.sn or scan.text).upper()
        if not wanted:
            return queryset, False
        rows = PreImportedDevice.objects.filter(device_name=scan.text, sn__isnull=False).values_list("sn", flat=True)
        return queryset.filter(sn__startswith=wanted) | queryset.filter(sn__in=list(rows[:25])), False

    def page_context(self, request: HttpRequest, target: SerialNumber) -> dict[str, Any]:
        text = labels.qr_text(target.product.key, target.sn)
        row = PreImportedDevice.objects.filter(sn=target.sn).values_list("pk", flat=True).first()
        return {
            "title": target.sn,
            "state_words": STATES[target.state],
            "colour": COLOURS[target.state],
            "qr_text": text,
            "qr": labels.svg(labels.matrix(text)).decode(),
            "row_url": reverse("admin:devices_preimporteddevice_change", args=[row]) if row else "",
        } | latest_changes(request, target)

    @display(description=_("SN"))
    def number(self, label: SerialNumber) -> str:
        return mono(label.sn)

    @display(description=_("Product"))
    def product_name(self, label: SerialNumber) -> str:
        return label.product.name

    @display(description=_("Run"))
    def run_number(self, label: SerialNumber) -> str:
        url = reverse("admin:devices_serialnumberrun_change", args=[label.run_id])
        return format_html('<a class="np-link np-mono" href="{}">{}</a>', url, SerialNumberRun(pk=label.run_id).number)

    @display(description=_("State"))
    def state_badge(self, label: SerialNumber) -> str:
        return badge(COLOURS[label.state], STATES[label.state])

    @display(description=_("DeviceName"))
    def device(self, label: SerialNumber) -> str:
        return mono(label.device_name)

    @display(description=_("Bound"))
    def bound_when(self, label: SerialNumber) -> str:
        return moment(label.bound_at)

    @display(description=_("Bound by"))
    def bound_by_name(self, label: SerialNumber) -> str:
        return label.bound_by.get_username() if label.bound_by else self.empty_value_display
