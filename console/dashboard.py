"""The home page: figures that cost next to nothing at any size, and what to do first.

Pre-imported and produced come from the products' own counters; devices are counted up to a cap. Nothing here scans a big table.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.navigation import link_to
from devices.models import Batch, Device, DisconnectOrder
from products.models import DataCenter, Product
from registration.models import DecisionCode, DeviceLogEntry

CAP = 100_000
LATELY = timedelta(hours=24)
REFUSALS_READ = 1000
CLONES_READ = 1000
"""In each data center."""


class Count(NamedTuple):
    """`at_least`: the true number is higher."""

    number: int
    at_least: bool


def figures(request: HttpRequest) -> dict[str, Any]:
    """The template's context; a part that the person may not see is missing."""
    at = timezone.now()
    may = request.user.has_perm
    centers = list(DataCenter.objects.order_by("-is_home", "name"))
    context: dict[str, Any] = {"at": at}
    if may("products.view_product"):
        context |= {"supply": supply(), "product_rows": list(Product.objects.order_by("-devices_taken", "name")[:6])}
    if may("devices.view_device"):
        context |= {"fleet": fleet(centers), "attention": attention(centers)}
    if may("devices.view_batch"):
        context |= {"batches": batches(at), "batches_url": link_to("devices_batch_changelist")}
    if may("registration.view_devicelogentry"):
        context |= {"refusals": refusals(centers, at), "log_url": link_to("registration_devicelogentry_changelist")}
    if may("products.add_product"):
        context |= {"steps": first_steps(context)}
    return context


def supply() -> dict[str, int]:
    """From the counters on the products: as many rows as there are products."""
    sums = Product.objects.aggregate(taken=Sum("devices_taken"), granted=Sum("codes_granted"), used=Sum("codes_used"))
    granted, used = sums["granted"] or 0, sums["used"] or 0
    return {
        "pre_imported": sums["taken"] or 0,
        "produced": used,
        "codes_left": granted - used,
        "published": Product.objects.published().count(),
    }


def fleet(centers: list[DataCenter]) -> dict[str, Any]:
    """Registered and activated devices of each data center, and of all of them."""
    rows = [{"center": center, "registered": capped(_registered(center)), "activated": capped(_activated(center))} for center in centers]
    return {"rows": rows, "registered": _sum(row["registered"] for row in rows), "activated": _sum(row["activated"] for row in rows)}


def attention(centers: list[DataCenter]) -> dict[str, Any]:
    """What somebody must decide or repair: names with several physical devices, by product (A10), and clients that a broker does not
    cut off. Two short questions for each data center; each has an index that holds these rows alone."""
    several: Counter[int] = Counter()
    waiting = 0
    for center in centers:
        several.update(Device.objects.at(center).with_several_client_ids().order_by().values_list("product_id", flat=True)[:CLONES_READ])
        waiting += DisconnectOrder.objects.at(center).unreachable().order_by()[:CLONES_READ].count()
    names = dict(Product.objects.filter(pk__in=several).values_list("pk", "name")) if several else {}
    rows = [{"product": pk, "name": names.get(pk, ""), "count": count} for pk, count in several.most_common(6)]
    return {"rows": rows, "total": several.total(), "capped": several.total() >= CLONES_READ, "unreachable": waiting}


def capped(queryset: QuerySet[Any]) -> Count:
    """Counts no further than CAP."""
    found = queryset.order_by()[: CAP + 1].count()
    return Count(min(found, CAP), found > CAP)


def batches(at: datetime) -> list[dict[str, Any]]:
    latest = Batch.objects.select_related("product").order_by("-id")[:5]
    return [{"batch": batch, "percent": 100 * batch.done // batch.total, "left": batch.time_left(at)} for batch in latest]


def refusals(centers: list[DataCenter], at: datetime) -> dict[str, Any]:
    """Why registrations were refused lately: the newest entries of each data center, counted by reason."""
    found: Counter[str] = Counter()
    for center in centers:
        lately = DeviceLogEntry.objects.at(center).refused().filter(at__gte=at - LATELY).order_by("-id")
        found.update(lately.values_list("code", flat=True)[:REFUSALS_READ])
    total = found.total()
    words = dict(DecisionCode.choices)
    rows = [
        {"words": words.get(code, code), "code": code, "count": count, "percent": 100 * count // total}
        for code, count in found.most_common(6)
    ]
    return {"rows": rows, "total": total, "capped": total >= REFUSALS_READ}


def first_steps(context: dict[str, Any]) -> list[dict[str, Any]]:
    """From an empty console to the first registered device; empty once that has happened."""
    if context.get("fleet", {}).get("registered", Count(0, False)).number:
        return []
    products = Product.objects.order_by("-id")
    product = products.first()
    page = reverse("admin:products_product_change", args=[product.pk]) if product else ""
    published = product is not None and products.published().exists()
    made = bool(context.get("supply", {}).get("pre_imported"))
    opened = product is not None and Product.objects.filter(dynamic_registration=True).exists()
    return [
        _step(
            product is not None,
            _("Create a product"),
            _("Its ProductKey and ProductSecret go into the firmware."),
            reverse("admin:products_product_add"),
        ),
        _step(published, _("Publish it"), _("Only published products are produced, and only their devices can register."), page),
        _step(
            made,
            _("Add its devices"),
            _("Upload a workbook of MAC addresses, IMEIs or SNs, or produce a batch."),
            link_to("devices_preimporteddevice_changelist"),
        ),
        _step(opened, _("Turn on dynamic registration"), _("A one-time code confirms that it is you."), page),
        _step(
            False,
            _("Register a device"),
            _("It calls a host name of one of your data centers and appears in that device list."),
            link_to("devices_device_changelist"),
        ),
    ]


def _step(done: bool, title: Any, text: Any, href: str) -> dict[str, Any]:
    return {"done": done, "title": title, "text": text, "href": href}


def _registered(center: DataCenter) -> QuerySet[Device]:
    return Device.objects.at(center).registered()


def _activated(center: DataCenter) -> QuerySet[Device]:
    return Device.objects.at(center).activated()


def _sum(counts: Any) -> Count:
    listed = list(counts)
    return Count(sum(count.number for count in listed), any(count.at_least for count in listed))
