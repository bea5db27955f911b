"""Revocation lists that nobody renews: they are too old, or could not be fetched for a while."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from console.shared.attention import DANGER, WARNING, Alert, attention
from console.shared.translation import shown
from products.models import RevocationList
from products.services import access

SHOWN = 5
HELD_UP = timedelta(hours=6)
"""A server may be away for a moment: the list on file is good until its own end."""
POLICY = "authority__bindings__product__certificate_policy"


@attention
def revocation_lists_in_trouble(user: Any, at: datetime) -> Iterator[Alert]:
    """CA certificates are few, and so are their lists: all are looked at."""
    if not user.has_perm("products.view_certificateauthority") or not access.sees_every_product(user):
        return
    rows = RevocationList.objects.select_related("authority").annotate(
        most_hours=Min(f"{POLICY}__crl_max_age_hours"), refusing=Count(POLICY, filter=Q(**{f"{POLICY}__old_list_refuses": True}))
    )
    in_trouble = (row for row in rows.order_by("next_update", "pk") if _is_old(row, at) or _is_held_up(row, at))
    for _number, row in zip(range(SHOWN), in_trouble, strict=False):
        is_old = _is_old(row, at)
        title = _("The revocation list of %(name)s is too old") if is_old else _("The revocation list of %(name)s cannot be fetched")
        yield Alert(
            title=title % {"name": row.authority.name},
            sentence=" ".join(_sentences(row, is_old)),
            url=reverse("admin:products_certificateauthority_change", args=[row.authority_id]),
            label=_("CA certificate"),
            severity=DANGER if is_old else WARNING,
        )


def _is_old(row: Any, at: datetime) -> bool:
    """For one of the products at least."""
    if row.this_update is None:
        return bool(row.url and row.error)
    too_old = row.most_hours is not None and at > row.this_update + timedelta(hours=row.most_hours)
    return too_old or (row.next_update is not None and row.next_update < at)


def _is_held_up(row: RevocationList, at: datetime) -> bool:
    return bool(row.error) and row.taken_at is not None and row.taken_at < at - HELD_UP


def _sentences(row: Any, is_old: bool) -> Iterator[str]:
    yield shown(row.error) if row.error else _("Upload the list that follows it, or say where it can be fetched.")
    if is_old and row.refusing:
        yield _("Until then devices with certificates of this CA are refused, where their product says so.")
