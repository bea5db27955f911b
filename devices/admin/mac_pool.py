"""MAC pools: the list, the form that makes one, and a page with what was handed out."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from console.shared.add_page import AddPage
from console.shared.admin import ConsoleModelAdmin, mono
from console.shared.page_actions import Occasion, PageAction, PageActions
from devices.models import Batch, MacBlockKind, MacPool
from devices.rules import macs
from devices.services import mac_pools
from products.admin.limits import OfEveryProduct, latest_changes

PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}


class NewPoolForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=64, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    kind = forms.ChoiceField(
        label=_("Block"),
        choices=MacBlockKind.choices,
        help_text=_("A block that the IEEE registered for you, or a private range for trials: its addresses are locally administered."),
    )
    registered_prefix = forms.CharField(
        label=_("Prefix"),
        required=False,
        max_length=16,
        widget=forms.TextInput(attrs=PLAIN | {"placeholder": "A4:DA:32"}),
        help_text=_("Of a registered block: 6 hex digits for MA-L, 7 for MA-M, 9 for MA-S."),
    )
    first = forms.CharField(
        label=_("First address"),
        required=False,
        max_length=17,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("Of a private range; or of a part of the block, which is otherwise used whole."),
    )
    last = forms.CharField(label=_("Last address"), required=False, max_length=17, widget=forms.TextInput(attrs=PLAIN))
    stride = forms.IntegerField(
        label=_("Addresses per device"),
        initial=1,
        min_value=1,
        max_value=mac_pools.HIGHEST_STRIDE,
        help_text=_("2 for Wi-Fi and Bluetooth, for example: the DeviceName is the first one, the next ones are kept for the same device."),
    )
    reserve = forms.IntegerField(
        label=_("Devices kept back"), initial=0, min_value=0, help_text=_("At the start of the range, for engineering: never handed out.")
    )


def _remove(occasion: Occasion) -> None:
    mac_pools.remove(occasion.target.pk, by=occasion.by, at=occasion.at)


REMOVE = PageAction(
    name="remove",
    permission="devices.delete_macpool",
    label=_("Remove"),
    title=_("Remove this MAC pool?"),
    words=(_("No batch has taken an address from it. The range can then be given to another pool."),),
    confirm=_("Remove"),
    done=_("The MAC pool was removed."),
    run=_remove,
    offered=lambda pool: not Batch.objects.filter(mac_pool=pool).exists(),
    danger=True,
)


@admin.register(MacPool)
class MacPoolAdmin(OfEveryProduct, AddPage, PageActions, ConsoleModelAdmin):
    list_display = ("name", "kind", "range", "stride", "left_of_size", "used")
    list_display_links = ("name",)
    search_fields = ("name", "prefix")
    search_help_text = _("Name or prefix")
    sortable_by = ("name",)
    empty_list = {
        "icon": "tag",
        "title": _("No MAC pool yet"),
        "text": _("Batches of devices named by their MAC address take their range from a pool. No address is handed out twice."),
        "label": _("Add a MAC pool"),
        "url_name": "admin:devices_macpool_add",
        "permission": "devices.add_macpool",
    }

    page_actions = (REMOVE,)
    page_template = "devices/mac_pool.html"

    add_form_class = NewPoolForm
    add_title = _("Add a MAC pool")
    add_sub = _("The range stays as it is from then on. It may not overlap another pool.")
    add_done = _("The MAC pool was added.")
    error_fields = {"prefix": "registered_prefix"}

    def add_row(self, occasion: Occasion) -> MacPool:
        facts = dict(occasion.data)
        new = mac_pools.NewPool(prefix=facts.pop("registered_prefix"), **facts)
        return mac_pools.create(new, by=occasion.by, at=occasion.at)

    def page_context(self, request: HttpRequest, target: MacPool) -> dict[str, Any]:
        user: Any = request.user
        context: dict[str, Any] = {
            "first": macs.from_number(target.first),
            "last": macs.from_number(target.last),
            "next": macs.from_number(target.next) if target.left else None,
            "used_percent": percent_used(target),
        }
        if user.has_perm("devices.view_batch"):
            context["batches"] = list(Batch.objects.filter(mac_pool=target).select_related("product")[:8])
        return context | latest_changes(request, target)

    def after_url(self, action: PageAction, target: MacPool) -> str:
        return reverse("admin:devices_macpool_changelist")

    def has_change_permission(self, request: HttpRequest, obj: MacPool | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: MacPool | None = None) -> bool:
        return False

    @display(description=_("Range"))
    def range(self, pool: MacPool) -> str:
        return format_html("{} – {}", mono(macs.from_number(pool.first)), mono(macs.from_number(pool.last)))

    @display(description=_("Left"))
    def left_of_size(self, pool: MacPool) -> str:
        return f"{pool.left:,} / {pool.size:,}"

    @display(description=_("Used"))
    def used(self, pool: MacPool) -> str:
        tone = " np-progress--failed" if not pool.left else ""
        return format_html('<div class="np-progress np-progress--slim{}"><span style="width: {}%"></span></div>', tone, percent_used(pool))


def percent_used(pool: MacPool) -> int:
    """Rounded up, so that something used is never shown as nothing."""
    return -(-(pool.size - pool.left) * 100 // pool.size)
