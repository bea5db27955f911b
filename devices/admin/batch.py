"""Production records: the list, and the page of a batch with its facts, its progress and its files of activation codes (G9)."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from console.errors import DomainError
from console.shared import confirmation
from console.shared.admin import ReadOnlyModelAdmin, badge, moment
from console.shared.filters import MomentRangeFilter
from console.shared.page_actions import PageActions
from console.shared.translation import shown
from devices.admin import batch_devices, batch_downloads, production_center, production_way, progress, receipt
from devices.admin.batch_actions import CANCEL, MAKE_CODE, UNDO
from devices.models import Batch
from devices.rules import macs
from devices.services import undoing
from products.admin.limits import OfChosenProducts, ProductFilter, latest_changes

CODES_SHOWN = 10


@admin.register(Batch)
class BatchAdmin(OfChosenProducts, PageActions, ReadOnlyModelAdmin):
    list_display = ("number", "product", "flashing_method", "source", "state_badge", "made_of_total", "progress", "requested")
    list_display_links = ("number",)
    list_select_related = ("product",)
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ProductFilter,
        ("flashing_method", ChoicesDropdownFilter),
        ("requested_at", MomentRangeFilter),
    )
    search_fields = ("product__name", "product__key", "note")
    search_help_text = _("Batch number, product, ProductKey or note")
    sortable_by = ()
    empty_list = {
        "icon": "inventory_2",
        "title": _("No batch yet"),
        "text": _("A batch makes devices of a published product, with the activation codes that the factory flashes."),
        "label": _("Go to the production center"),
        "url_name": "admin:devices_production_center",
        "permission": "devices.view_batch",
    }

    page_actions = (CANCEL, UNDO, MAKE_CODE)
    page_template = "devices/batch.html"

    class Media:
        js = ("production.js",)

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        return [
            path("center/", guarded(production_center.CenterView.as_view(admin=self)), name="devices_production_center"),
            path("center/<int:product_id>/", guarded(production_center.ProduceView.as_view(admin=self)), name="devices_production_produce"),
            path("center/<int:product_id>/template/", guarded(production_center.template_view), name="devices_production_template"),
            path("progress/", guarded(self.progress_view), name="devices_batch_progress"),
            path("<int:batch_id>/codes/<slug:form>/", guarded(self.codes_view), name="devices_batch_codes"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        return super().get_queryset(request).prefetch_related("files")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Batch], search_term: str) -> tuple[QuerySet[Batch], bool]:
        """B000017 is a row's number in words."""
        term = search_term.strip().upper()
        if term.startswith("B") and term[1:].isdigit():
            return queryset.filter(pk=int(term[1:])), False
        return super().get_search_results(request, queryset, search_term)

    def page_context(self, request: HttpRequest, target: Batch) -> dict[str, Any]:
        user: Any = request.user
        now = timezone.now()
        context: dict[str, Any] = {
            "title": target.number,
            "progress": progress.of_batch(target, now),
            "took": progress.took(target),
            "left_out": target.total - target.made,
            "addresses": _addresses(target),
            "files": batch_downloads.lines(target, now),
            "may_download": user.has_perm("devices.download_activation_codes"),
            "way": production_way.of_batch(target),
            "undo": target.undos.select_related("requested_by").first(),
            "in_the_way": undoing.in_the_way(target),
            "devices": batch_devices.of_batch(target, request) if target.made and target.undone_at is None else None,
        }
        if user.has_perm("devices.view_downloadcode"):
            codes = list(target.download_codes.select_related("made_by")[:CODES_SHOWN])
            context["download_codes"] = [{"row": code, "state": code.state(now)} for code in codes]
        return context | receipt.of_batch(target, request) | latest_changes(request, target)

    def progress_view(self, request: HttpRequest) -> HttpResponse:
        """?ids=1,2,3: how far these batches are, at most 100 of them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        ids = [int(word) for word in request.GET.get("ids", "").split(",")[:100] if word.isdigit()]
        now = timezone.now()
        found = [progress.of_batch(batch, now) for batch in self.get_queryset(request).filter(pk__in=ids)]
        return JsonResponse({"batches": found}, headers={"Cache-Control": "no-store"})

    def codes_view(self, request: HttpRequest, batch_id: int, form: str) -> HttpResponseBase:
        """POST: the file itself where it is ready or quickly made; else it is ordered, and the page shows how far it is."""
        if not request.user.has_perm("devices.download_activation_codes"):
            raise PermissionDenied
        batch = self._find(request, str(batch_id))
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not confirmation.is_fresh(request, timezone.now()):
            return confirmation.ask(self.page_url(batch))
        try:
            return batch_downloads.hand_over(request, batch, form, page=self.page_url(batch))
        except DomainError as error:
            messages.error(request, shown(error))
            return HttpResponseRedirect(self.page_url(batch))

    @display(description=_("State"))
    def state_badge(self, batch: Batch) -> str:
        if batch.undo_began_at is not None:
            return badge("grey", _("Undone") if batch.undone_at else _("Being undone"))
        return format_html('<span data-batch="{}" data-batch-state>{}</span>', batch.pk, badge(batch.state, batch.get_state_display()))

    @display(description=_("Devices made"))
    def made_of_total(self, batch: Batch) -> str:
        return format_html(
            '<span class="np-number np-nowrap"><span data-batch="{}" data-batch-made>{}</span> / {}</span>',
            batch.pk,
            f"{batch.made:,}",
            f"{batch.total:,}",
        )

    @display(description=_("Progress"))
    def progress(self, batch: Batch) -> str:
        return format_html(
            '<div class="np-progress np-progress--slim{}" role="progressbar" aria-label="{}" aria-valuemin="0" aria-valuemax="100" '
            'aria-valuenow="{}" data-batch="{}" data-batch-bar{}><span style="width: {}%"></span></div>',
            {"done": " np-progress--done", "failed": " np-progress--failed"}.get(batch.state, ""),
            batch.number,
            batch.percent,
            batch.pk,
            "" if batch.is_over else " data-live",
            batch.percent,
        )

    @display(description=_("Requested"))
    def requested(self, batch: Batch) -> str:
        return moment(batch.requested_at)


def _addresses(batch: Batch) -> tuple[str, str] | None:
    """The first and the last MAC address of its range."""
    if batch.mac_first is None:
        return None
    return macs.from_number(batch.mac_first), macs.from_number(batch.mac_first + (batch.total - 1) * batch.mac_stride)
