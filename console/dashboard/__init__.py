"""The home page. Nothing here reads a big table: what is counted is kept by a sweep, everything else is a few rows by an index."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from console.dashboard import charts, steps, troubles
from console.navigation import link_to
from console.shared import attention
from devices.admin import progress
from devices.models import Batch
from products.models import DataCenter, Product
from products.services.access import limit_of, only
from registration.services import figures as kept
from registration.services.figures import AT_MOST_OLD, Fleet

__all__ = ["STALE", "figures", "troubles"]

STALE = timedelta(minutes=5)
"""Figures older than this are told to be old: no worker keeps them."""
LATEST = 5


def figures(request: HttpRequest) -> dict[str, Any]:
    """The template's context; a part that the person may not see is missing."""
    at, user = timezone.now(), request.user
    may = user.has_perm
    centers = list(DataCenter.objects.order_by("-is_home", "name"))
    context: dict[str, Any] = {"at": at, "alerts": attention.alerts(user, at)}
    if may("products.view_product"):
        context |= _supply(user)
    if may("devices.view_device"):
        context |= {"fleet": _fleet(user, centers)}
    if may("devices.view_batch"):
        context |= {"batches": _batches(user, at), "batches_url": link_to("devices_batch_changelist")}
    if may("registration.view_devicelogentry"):
        context |= charts.context(request, centers, at)
        for row in context.get("fleet", {}).get("rows", ()):
            row["refused"] = context["refused_at"][row["center"].pk]
    fresh = kept.freshness(centers)
    context |= {"fresh": fresh, "is_stale": bool(fresh.attempts_at and at - fresh.attempts_at > STALE), "at_most_old": AT_MOST_OLD}
    if may("products.add_product"):
        context |= {"steps": steps.first(centers)}
    return context


def _supply(user: Any) -> dict[str, Any]:
    """From the counters on the products: as many rows as there are products."""
    products = list(only(Product.objects.order_by("-devices_taken", "name"), user, field="pk"))
    used, granted = sum(product.codes_used for product in products), sum(product.codes_granted for product in products)
    supply = {
        "pre_imported": sum(product.devices_taken for product in products),
        "produced": used,
        "codes_left": granted - used,
    }
    return {"supply": supply, "product_rows": products[:LATEST]}


def _fleet(user: Any, centers: list[DataCenter]) -> dict[str, Any]:
    """Of each data center, and of all of them; as of the last count."""
    found = kept.fleets(centers, limit=limit_of(user))
    rows = [{"center": center, "is": found[center.pk]} for center in centers]
    every = Fleet(
        *(sum(getattr(fleet, name) for fleet in found.values()) for name in ("registered", "activated", "online", "disabled")),
    )
    return {"rows": rows, "every": every}


def _batches(user: Any, at: Any) -> list[dict[str, Any]]:
    latest = only(Batch.objects.select_related("product", "requested_by").prefetch_related("files").order_by("-id"), user)[:LATEST]
    return [{"batch": batch, "is": progress.of_batch(batch, at)} for batch in latest]
