"""The device lists: one for each data center, with a selector that stays; and the page of a device. Everything is written by services."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.views import ChangeList

from console.shared.admin import ConsoleModelAdmin, badge, moment, mono
from console.shared.filters import MomentRangeFilter
from console.shared.page_actions import PageAction, PageActions
from devices.admin import bulk_switch, centers, device_page
from devices.admin.certificate_actions import CERTIFICATE_ACTIONS
from devices.admin.client_id_pages import ClientIdPages
from devices.admin.compromised import CompromisedPage
from devices.admin.device_actions import DEVICE_ACTIONS
from devices.admin.device_filters import SEARCH_HELP, STATES, CertificateFilter, ClientIdsFilter, StateFilter
from devices.models import Device
from products.admin.limits import ProductFilter
from products.models import DataCenter, Product
from products.services import access


def device_key(device: Device) -> str:
    """What names a device in URLs: its data center's code and its number there."""
    return f"{device.data_center.code}-{device.pk}"


class DeviceChangeList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        """Products and the data center come from the center's database, whatever database holds the list."""
        super().get_results(request)
        equip(list(self.result_list), centers.selected(request))

    def url_for_result(self, result: Device) -> str:
        return reverse("admin:devices_device_change", args=[device_key(result)])


def equip(devices: list[Device], center: DataCenter) -> None:
    """One query for the products of all of them."""
    products = Product.objects.in_bulk({device.product_id for device in devices})
    for device in devices:
        device.data_center = center
        device.product = products[device.product_id]


@admin.register(Device)
class DeviceAdmin(ClientIdPages, CompromisedPage, PageActions, centers.CenterSelector, ConsoleModelAdmin):
    list_display = ("name", "nickname_text", "sn_text", "product_name", "state_badge", "registered", "activated", "last_here")
    list_display_links = ("name",)
    list_filter = (
        ProductFilter,
        StateFilter,
        ClientIdsFilter,
        CertificateFilter,
        ("authentication", ChoicesDropdownFilter),
        ("origin", ChoicesDropdownFilter),
        ("registered_at", MomentRangeFilter),
        ("activated_at", MomentRangeFilter),
    )
    list_disable_select_all = True
    search_fields = ("device_name",)
    search_help_text = SEARCH_HELP
    sortable_by = ()
    ordering = ("-id",)
    actions = ("disable_selected", "enable_selected")
    empty_list = {
        "icon": "developer_board",
        "title": _("No device in this data center yet"),
        "text": _(
            "A device appears here when it registers or connects at one of this data center's host names. Devices "
            "that may come are in the pre-import list."
        ),
        "label": _("Go to the pre-import list"),
        "url_name": "admin:devices_preimporteddevice_changelist",
        "permission": "devices.view_preimporteddevice",
    }
    page_actions = (*DEVICE_ACTIONS, *CERTIFICATE_ACTIONS)
    page_template = "devices/device.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return DeviceChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Device]:
        return access.only(Device.objects.at(centers.selected(request)).defer("sealed_secret").order_by("-id"), request.user)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return queryset.matching(search_term), False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Device | None:
        """Of the data center that the key names; a bare number is one of the selected data center."""
        code, _hyphen, number = object_id.rpartition("-")
        center = DataCenter.objects.filter(code=code).first() if code else centers.selected(request)
        if center is None or not number.isdecimal():
            return None
        device = Device.objects.at(center).filter(pk=int(number)).first()
        if device is None or not access.may_see(request.user, device.product_id):
            return None
        equip([device], center)
        return device

    def page_key(self, target: Device) -> str:
        return device_key(target)

    def after_url(self, action: PageAction, target: Device) -> str:
        return reverse("admin:devices_device_changelist") if action.name == "remove" else super().after_url(action, target)

    def page_context(self, request: HttpRequest, target: Device) -> dict[str, Any]:
        return {"title": target.device_name, **device_page.context(request, target, key=device_key(target))}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Device | None = None) -> bool:
        """Django's own delete page would write past the service; ours asks for devices.delete_device."""
        return False

    @action(description=_("Disable the selected devices"), permissions=["change"])
    def disable_selected(self, request: HttpRequest, queryset: QuerySet[Device]) -> HttpResponse | None:
        return self._switch(bulk_switch.disable, request, queryset)

    @action(description=_("Enable the selected devices"), permissions=["change"])
    def enable_selected(self, request: HttpRequest, queryset: QuerySet[Device]) -> HttpResponse | None:
        return self._switch(bulk_switch.enable, request, queryset)

    def _switch(self, switch: Callable[..., HttpResponse | None], request: HttpRequest, queryset: QuerySet[Device]) -> HttpResponse | None:
        center = centers.selected(request)
        devices = list(queryset[: bulk_switch.AT_MOST + 1])
        equip(devices, center)
        return switch(self, request, devices, center)

    @display(description=_("DeviceName"))
    def name(self, device: Device) -> str:
        """And what must be decided: several physical devices under one name."""
        if device.client_ids_active < 2:
            return mono(device.device_name)
        several = badge("red", _("%(count)d ClientIDs") % {"count": device.client_ids_active})
        return format_html("{}<br>{}", mono(device.device_name), several)

    @display(description=_("Nickname"))
    def nickname_text(self, device: Device) -> str:
        return device.nickname or self.empty_value_display

    @display(description=_("SN"))
    def sn_text(self, device: Device) -> str:
        return mono(device.sn)

    @display(description=_("Product"))
    def product_name(self, device: Device) -> str:
        return device.product.name

    @display(description=_("State"))
    def state_badge(self, device: Device) -> str:
        return badge(device.state, STATES[device.state])

    @display(description=_("Registered"))
    def registered(self, device: Device) -> str:
        return moment(device.registered_at)

    @display(description=_("Activated"))
    def activated(self, device: Device) -> str:
        return moment(device.activated_at)

    @display(description=_("Last connected"))
    def last_here(self, device: Device) -> str:
        """Or last seen, whichever is later."""
        return moment(max((at for at in (device.last_online_at, device.last_seen_at) if at), default=None))
