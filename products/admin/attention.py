"""What needs attention on this floor: supplies that run out, and ProductSecrets that end."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from console.shared.attention import Alert, attention
from products.models import Product, ProductSecret
from products.services.access import only

NEARLY_USED_UP = 10
"""Less than one part in so many left."""
ENDS_SOON = timedelta(days=14)
SHOWN = 5


@attention
def supplies_nearly_used_up(user: Any, at: datetime) -> Iterator[Alert]:
    if not user.has_perm("products.view_product"):
        return
    scarce_codes = Q(codes_granted__gt=0, codes_used__gt=F("codes_granted") - F("codes_granted") / NEARLY_USED_UP)
    scarce_quota = Q(devices_taken__gt=F("device_quota") - F("device_quota") / NEARLY_USED_UP)
    published = only(Product.objects.published(), user, field="pk")
    for product in published.filter(scarce_codes).order_by(F("codes_granted") - F("codes_used"))[:SHOWN]:
        yield Alert(
            title=_("%(product)s: activation codes are running out") % {"product": product.name},
            sentence=_("%(left)s of %(granted)s codes are left: production ends when they are used up. Have more granted.")
            % {"left": f"{product.codes_left:,}", "granted": f"{product.codes_granted:,}"},
            url=_page(product),
            label=_("Product"),
        )
    for product in published.filter(scarce_quota).order_by(F("device_quota") - F("devices_taken"))[:SHOWN]:
        yield Alert(
            title=_("%(product)s: the quota is nearly used up") % {"product": product.name},
            sentence=_("The product has room for %(left)s more devices of %(quota)s.")
            % {"left": f"{product.devices_left:,}", "quota": f"{product.device_quota:,}"},
            url=_page(product),
            label=_("Product"),
        )


@attention
def secrets_that_end(user: Any, at: datetime) -> Iterator[Alert]:
    """Those whose firmware will be refused from a day on that is near (N7)."""
    if not user.has_perm("products.view_product"):
        return
    ending = ProductSecret.objects.filter(valid_until__gt=at, valid_until__lte=at + ENDS_SOON).select_related("product")
    for secret in only(ending, user).order_by("valid_until")[:SHOWN]:
        yield Alert(
            title=_("%(product)s: a ProductSecret ends on %(day)s")
            % {"product": secret.product.name, "day": f"{localtime(secret.valid_until):%Y-%m-%d}"},
            sentence=_("Devices whose firmware has this ProductSecret cannot register from then on."),
            url=_page(secret.product),
            label=_("Product"),
        )


def _page(product: Product) -> str:
    return reverse("admin:products_product_change", args=[product.pk])
