"""Revocation lists that nobody renews: they are too old, or could not be fetched for a while."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from console.shared.attention import DANGER, WARNING, Alert, attention
from console.shared.translation import shown
from products.models import RevocationList
from products.services import access

SHOWN = 5
HELD_UP = timedelta(hours=6)
"""A server may be away for a moment: the list on file is good until its own end."""


@attention
def revocation_lists_in_trouble(user: Any, at: datetime) -> Iterator[Alert]:
    if not user.has_perm("products.view_certificateauthority") or not access.sees_every_product(user):
        return
    old = Q(next_update__lt=at) | Q(this_update=None, url__gt="", error__gt="")
    held_up = Q(error__gt="", taken_at__lt=at - HELD_UP)
    for row in RevocationList.objects.filter(old | held_up).select_related("authority").order_by("next_update")[:SHOWN]:
        is_old = row.this_update is None or (row.next_update is not None and row.next_update < at)
        title = _("The revocation list of %(name)s is too old") if is_old else _("The revocation list of %(name)s cannot be fetched")
        yield Alert(
            title=title % {"name": row.authority.name},
            sentence=shown(row.error) if row.error else _("Upload the list that follows it, or say where it can be fetched."),
            url=reverse("admin:products_certificateauthority_change", args=[row.pk]),
            label=_("CA certificate"),
            severity=DANGER if is_old else WARNING,
        )
