"""Names behind which several physical devices are active (A10): told on the product's page, listed on a page of their own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from console.shared.panels import panel
from devices.admin.device_filters import STATES
from devices.models import Device
from products.admin.limits import seen_product
from products.models import DataCenter, Product

CAP = 1_000
SHOWN = 100
VIEW = "devices.view_device"


@dataclass(frozen=True, slots=True)
class Row:
    device: Device
    key: str
    last_connected_at: datetime | None
    state_words: Any


@dataclass(frozen=True, slots=True)
class Place:
    """One data center. `open`, `resolved`: how many names are to be decided, and how many were switched to one ClientID; at most
    SHOWN of each are in `rows`, the newest, those to be decided first."""

    center: DataCenter
    rows: tuple[Row, ...]
    open: str
    resolved: str
    more: bool


@panel("products.product.notice")
def notice(request: HttpRequest, product: Product) -> SafeString | str:
    """Counted up to CAP in each data center, over a partial index."""
    if not request.user.has_perm(VIEW):
        return ""
    counts = [(center, count(center, product)) for center in DataCenter.objects.order_by("-is_home", "name")]
    counts = [(center, number) for center, number in counts if number]
    if not counts:
        return ""
    context = {"product": product, "counts": counts, "number": sum(number for _center, number in counts), "cap": CAP}
    return render_to_string("devices/compromised_notice.html", context, request)


def count(center: DataCenter, product: Product) -> int:
    """At most CAP."""
    return Device.objects.at(center).of(product).with_several_client_ids().order_by()[:CAP].count()


class CompromisedPage:
    """For the ModelAdmin of devices; goes before it."""

    # What the ModelAdmin brings.
    opts: Any
    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.compromised_view)
        return [path("compromised/<int:product_id>/", view, name="devices_device_compromised"), *super().get_urls()]

    def compromised_view(self, request: HttpRequest, product_id: int) -> HttpResponse:
        if not request.user.has_perm(VIEW):
            raise PermissionDenied
        product = seen_product(request, product_id)
        places = [_place(center, product) for center in DataCenter.objects.order_by("-is_home", "name")]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Devices with several ClientIDs"),
            "product": product,
            "places": [place for place in places if place.rows],
            "shown": SHOWN,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "devices/compromised.html", context)


def _place(center: DataCenter, product: Product) -> Place:
    """Two short questions: each has an index that holds these rows alone."""
    here = Device.objects.at(center).of(product).defer("sealed_secret").order_by("-id")
    several, switched = list(here.with_several_client_ids()[: SHOWN + 1]), list(here.switched()[: SHOWN + 1])
    rows = [*several[:SHOWN], *switched[:SHOWN]]
    more = max(len(several), len(switched)) > SHOWN
    return Place(center, tuple(_row(center, device) for device in rows), _up_to(several), _up_to(switched), more)


def _up_to(found: list[Device]) -> str:
    return f"{SHOWN}+" if len(found) > SHOWN else str(len(found))


def _row(center: DataCenter, device: Device) -> Row:
    last = max((at for at in (device.last_online_at, device.last_seen_at) if at), default=None)
    return Row(device, f"{center.code}-{device.pk}", last, STATES[device.state])
