"""What needs attention on this floor: clones, orders that no broker carries out, pools that run out."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext as _

from console.shared.attention import DANGER, Alert, attention
from devices.models import Device, DisconnectOrder, MacPool
from devices.models.receipt import batches_due
from products.models import DataCenter, Product
from products.services import access
from products.services.access import only

READ = 1000
"""Names or orders of one data center that are counted."""
PRODUCTS_NAMED = 5
NEARLY_USED_UP = 10
"""A pool with less than one part in so many left."""
RECEIPT_OVERDUE = timedelta(minutes=15)


@attention
def names_with_several_client_ids(user: Any, at: datetime) -> Iterator[Alert]:
    """A line for each product (A10)."""
    if not user.has_perm("devices.view_device"):
        return
    several, capped = Counter[int](), False
    for center in DataCenter.objects.all():
        names = only(Device.objects.at(center).with_several_client_ids().order_by(), user)
        found = list(names.values_list("product_id", flat=True)[:READ])
        several.update(found)
        capped |= len(found) == READ
    products = Product.objects.only("name").in_bulk(several) if several else {}
    for pk, count in several.most_common(PRODUCTS_NAMED):
        yield Alert(
            title=_("%(product)s: names with several ClientIDs") % {"product": products[pk].name},
            sentence=_("More than one physical device uses each of these DeviceNames: keep one of them, or clear all."),
            url=reverse("admin:devices_device_compromised", args=[pk]),
            label=_("View"),
            count=count,
            at_least=capped,
            severity=DANGER,
        )


@attention
def orders_that_wait(user: Any, at: datetime) -> Iterator[Alert]:
    if not user.has_perm("devices.view_device"):
        return
    found = [only(DisconnectOrder.objects.at(center).unreachable().order_by(), user)[:READ].count() for center in DataCenter.objects.all()]
    if sum(found):
        may_look = user.has_perm("products.view_broker")
        yield Alert(
            title=_("Connections that cannot be cut off"),
            sentence=_("These clients are forbidden already and still connected: their broker does not answer. The attempts go on."),
            url=reverse("admin:products_broker_changelist") if may_look else "",
            label=_("Brokers"),
            count=sum(found),
            at_least=max(found) == READ,
            severity=DANGER,
        )


@attention
def pools_nearly_used_up(user: Any, at: datetime) -> Iterator[Alert]:
    if not (user.has_perm("devices.view_macpool") and access.sees_every_product(user)):
        return
    for pool in MacPool.objects.filter(next__gt=F("last") - (F("last") - F("first")) / NEARLY_USED_UP).order_by("name")[:READ]:
        yield Alert(
            title=_("MAC pool %(pool)s is nearly used up") % {"pool": pool.name},
            sentence=_("%(left)s of %(size)s addresses are left. Add a block before the next large batch.")
            % {"left": f"{pool.left:,}", "size": f"{pool.size:,}"},
            url=reverse("admin:devices_macpool_change", args=[pool.pk]),
            label=_("MAC pool"),
        )


@attention
def receipts_that_are_overdue(user: Any, at: datetime) -> Iterator[Alert]:
    """The job tries again and again, and something stands in its way: most likely that the key which signs does not open."""
    if not user.has_perm("devices.view_receipt"):
        return
    if found := only(batches_due(at, since=at - RECEIPT_OVERDUE), user)[:READ].count():
        yield Alert(
            title=_("Batches without their receipt"),
            sentence=_("Their next signed receipt should have been issued long ago. The server's log says why it is not."),
            url=reverse("admin:devices_batch_changelist"),
            label=_("Production records"),
            count=found,
            at_least=found == READ,
        )
