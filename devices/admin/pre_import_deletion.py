"""Deleting several rows: a page that names them, says what hangs on them, and asks; then one service call."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from console.errors import DomainError
from console.shared.actors import actor_of
from console.shared.page_actions import put_error
from devices.admin.pre_import_forms import DeleteForm, DeleteRowsForm
from devices.models import Device, PreImportedDevice
from devices.services import pre_import
from products.models import DataCenter

AT_MOST = 10_000
"""Rows at a time."""
NAMED = 10
TOGETHER = 1_000


def ask_or_delete(model_admin: Any, request: HttpRequest, queryset: QuerySet[PreImportedDevice]) -> HttpResponse | None:
    """The page that asks, or None when it was confirmed and done."""
    rows = list(queryset.select_related("product").order_by("pk").only("device_name", "product__name")[: AT_MOST + 1])
    if len(rows) > AT_MOST:
        messages.error(request, _("Delete at most %(count)s rows at a time.") % {"count": f"{AT_MOST:,}"})
        return None
    confirmed = "confirmed" in request.POST
    form = DeleteRowsForm(request.POST if confirmed else None, count=len(rows), initial={"devices": DeleteForm.KEEP})
    if confirmed and form.is_valid():
        try:
            done = _delete(request, rows, form)
        except DomainError as error:
            put_error(form, error)
        else:
            messages.success(request, ngettext("%(count)d row was deleted.", "%(count)d rows were deleted.", done) % {"count": done})
            return None
    return _page(model_admin, request, rows, form)


def _delete(request: HttpRequest, rows: list[PreImportedDevice], form: DeleteRowsForm) -> int:
    void = form.cleaned_data["devices"] == DeleteForm.VOID
    ids = [row.pk for row in rows]
    return pre_import.delete(ids, with_devices=void, reason=form.cleaned_data["reason"], by=actor_of(request), at=timezone.now())


def _page(model_admin: Any, request: HttpRequest, rows: list[PreImportedDevice], form: DeleteRowsForm) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": ngettext("Delete %(count)s row?", "Delete %(count)s rows?", len(rows)) % {"count": f"{len(rows):,}"},
        "count": len(rows),
        "rows": rows[:NAMED],
        "more": max(0, len(rows) - NAMED),
        "centers": [(center, number) for center in DataCenter.objects.order_by("pk") if (number := _devices_at(center, rows))],
        "form": form,
        "checkbox": ACTION_CHECKBOX_NAME,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "devices/delete_rows.html", context)


def _devices_at(center: DataCenter, rows: list[PreImportedDevice]) -> int:
    """How many devices of these names the data center has."""
    by_product: dict[int, list[str]] = {}
    for row in rows:
        by_product.setdefault(row.product_id, []).append(row.device_name)
    return sum(
        Device.objects.at(center).filter(product_id=product_id, device_name__in=names[at : at + TOGETHER]).count()
        for product_id, names in by_product.items()
        for at in range(0, len(names), TOGETHER)
    )
