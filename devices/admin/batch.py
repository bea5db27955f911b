"""Production records: the list, and the page of a batch with its facts, its progress and its files of activation codes (G9)."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from console.errors import DomainError
from console.models import AuditEntry
from console.shared.actors import actor_of
from console.shared.admin import ReadOnlyModelAdmin, badge, moment
from console.shared.filters import MomentRangeFilter
from console.shared.page_actions import Occasion, PageAction, PageActions
from console.shared.tasks import nudge
from devices.admin import production_center, progress
from devices.models import Batch, BatchFile, FileFormat
from devices.rules import macs
from devices.services import batch_files, batches

PACKED_AT_ONCE = 5_000
"""Devices whose file is made while the person waits: a moment."""


class CancelForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), required=False, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))


def _cancel(occasion: Occasion) -> None:
    batches.cancel(occasion.target.pk, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)


CANCEL = PageAction(
    name="cancel",
    permission="devices.cancel_batch",
    label=_("Cancel batch"),
    title=_("Cancel this batch?"),
    words=(
        _("The devices that are made already stay, with their activation codes."),
        _("The quota and the codes of all others go back to the product."),
        _("MAC addresses that were reserved for it are not handed out again."),
    ),
    confirm=_("Cancel batch"),
    done=_("The batch is being cancelled."),
    form=CancelForm,
    run=_cancel,
    offered=lambda batch: not batch.is_over and not batch.cancel_requested,
    danger=True,
)


@admin.register(Batch)
class BatchAdmin(PageActions, ReadOnlyModelAdmin):
    list_display = ("number", "product", "flashing_method", "source", "state_badge", "made_of_total", "progress", "requested")
    list_display_links = ("number",)
    list_select_related = ("product",)
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("product", RelatedDropdownFilter),
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

    page_actions = (CANCEL,)
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
            "files": _files(target, now) if target.is_over and target.made else [],
            "may_download": user.has_perm("devices.download_activation_codes"),
        }
        if user.has_perm("console.view_auditentry"):
            context["changes"] = list(AuditEntry.objects.filter(target_type="devices.batch", target_id=str(target.pk))[:8])
        return context

    def progress_view(self, request: HttpRequest) -> HttpResponse:
        """?ids=1,2,3: how far these batches are, at most 100 of them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        ids = [int(word) for word in request.GET.get("ids", "").split(",")[:100] if word.isdigit()]
        now = timezone.now()
        found = [progress.of_batch(batch, now) for batch in Batch.objects.filter(pk__in=ids).prefetch_related("files")]
        return JsonResponse({"batches": found}, headers={"Cache-Control": "no-store"})

    def codes_view(self, request: HttpRequest, batch_id: int, form: str) -> HttpResponseBase:
        """POST: the file itself where it is ready or quickly made; else it is ordered, and the page shows how far it is."""
        if not request.user.has_perm("devices.download_activation_codes"):
            raise PermissionDenied
        batch = self._find(request, str(batch_id))
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            return self._codes(request, batch, form)
        except DomainError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(self.page_url(batch))

    def _codes(self, request: HttpRequest, batch: Batch, form: str) -> HttpResponseBase:
        by, now = actor_of(request), timezone.now()
        file = batch_files.order(batch.pk, form, by=by, at=now)
        if not file.is_ready(now):
            if batch.made > PACKED_AT_ONCE:
                nudge("devices.pack_batch", file.pk)
                return HttpResponseRedirect(self.page_url(batch))
            batch_files.pack(file.pk, clock=timezone.now)
        return _attachment(batch_files.download(batch, form, by=by, at=timezone.now()))

    @display(description=_("State"))
    def state_badge(self, batch: Batch) -> str:
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
            '<div class="np-progress np-progress--slim{}" data-batch="{}" data-batch-bar{}><span style="width: {}%"></span></div>',
            {"done": " np-progress--done", "failed": " np-progress--failed"}.get(batch.state, ""),
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


WORDS = {
    FileFormat.CSV: _("For the flashing tools: plain text, one line a device."),
    FileFormat.XLSX: _("For people: every cell is text, so that nothing is shortened or computed."),
    FileFormat.ALIGENIE: _("The six columns that the factory tools of AliGenie's Wi-Fi and Bluetooth chips read, as Excel."),
}


def _files(batch: Batch, now: Any) -> list[dict[str, Any]]:
    """A line for each format that this batch can be had in."""
    made: dict[str, BatchFile] = {file.format: file for file in batch.files.all()}
    return [
        {
            "format": form,
            "words": WORDS[form],
            "file": made.get(form),
            "ready": form in made and made[form].is_ready(now),
            "working": form in made and not made[form].is_over,
            "percent": progress.percent(made[form]) if form in made else 0,
            "at_once": batch.made <= PACKED_AT_ONCE,
        }
        for form in FileFormat
        if batch_files.can_be_had(batch, form)
    ]


def _attachment(file: batch_files.Download) -> StreamingHttpResponse:
    """Kept by nobody on its way, opened by nobody as a page."""
    return StreamingHttpResponse(
        file.pieces,
        content_type=file.content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{file.name}"',
            "Content-Length": str(file.size),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        },
    )
