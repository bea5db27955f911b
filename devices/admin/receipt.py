"""Receipts: the chain as a list, the page of each link with its file, and what the page of a batch shows of its own."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from console.shared.admin import ReadOnlyModelAdmin, badge, moment, mono
from console.shared.attachments import attachment
from console.shared.filters import MomentRangeFilter
from console.shared.page_actions import PageActions
from devices.models import Batch, Receipt
from devices.models.receipt import batches_due
from devices.rules import receipt_form
from devices.services import receipts
from products.admin.limits import OfChosenProducts, latest_changes

CONTENT_TYPE = "application/octet-stream"
EDITIONS_SHOWN = 5


@admin.register(Receipt)
class ReceiptAdmin(OfChosenProducts, PageActions, ReadOnlyModelAdmin):
    list_display = ("link_number", "batch_number", "product", "edition", "what", "devices_made", "issued", "signed_with")
    list_display_links = ("link_number",)
    list_select_related = ("batch__product", "key")
    list_filter = (("issued_at", MomentRangeFilter),)
    list_before_template = "devices/before_receipts.html"
    search_fields = ("batch__product__name", "batch__product__key")
    search_help_text = _("Receipt or batch number, product, ProductKey, or SHA-256 of a file or receipt")
    ordering = ("-pk",)
    sortable_by = ()
    product_field = "batch__product_id"
    empty_list = {
        "icon": "verified",
        "title": _("No receipt yet"),
        "text": _("Every batch has a signed receipt when it has ended, and a further edition for each file of activation codes."),
        "label": _("Go to the production records"),
        "url_name": "admin:devices_batch_changelist",
        "permission": "devices.view_batch",
    }

    page_template = "devices/receipt.html"

    def get_urls(self) -> list[URLPattern]:
        download = path("<int:receipt_number>/download/", self.admin_site.admin_view(self.download_view), name="devices_receipt_download")
        return [download, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Receipt]:
        return super().get_queryset(request).select_related("batch__product", "key")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Receipt], search_term: str) -> tuple[QuerySet[Receipt], bool]:
        """R000012, B000017, or 64 hex digits."""
        term = search_term.strip()
        letter, digits = term[:1].upper(), term[1:]
        if letter in ("R", "B") and digits.isdecimal() and len(digits) <= 18:
            return queryset.filter(**{"batch_id" if letter == "B" else "pk": int(digits)}), False
        if len(term) == 64:
            listed = queryset.filter(files__sha256=term.lower()) | queryset.filter(sha256=term.lower())
            return listed.distinct(), False
        return super().get_search_results(request, queryset, search_term)

    def page_context(self, request: HttpRequest, target: Receipt) -> dict[str, Any]:
        before = Receipt.objects.filter(pk=target.pk - 1).first() if target.pk > 1 else None
        return {
            "title": str(target),
            "facts": receipt_form.decode(target.file).facts,
            "files": receipts.files_of(target),
            "is_latest": not Receipt.objects.filter(batch_id=target.batch_id, edition__gt=target.edition).exists(),
            "before": before if before is not None and self.get_queryset(request).filter(pk=before.pk).exists() else None,
            **latest_changes(request, target),
        }

    def download_view(self, request: HttpRequest, receipt_number: int) -> HttpResponseBase:
        """The file as it was signed. It holds no secret, so no download of it is written down."""
        receipt: Receipt = self._find(request, str(receipt_number))
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return attachment(receipt.file_name, CONTENT_TYPE, len(receipt.file), [receipt.file])

    @display(description=_("Receipt"))
    def link_number(self, receipt: Receipt) -> str:
        return mono(receipt)

    @display(description=_("Batch"))
    def batch_number(self, receipt: Receipt) -> str:
        return mono(receipt.batch.number)

    @display(description=_("Product"))
    def product(self, receipt: Receipt) -> str:
        return str(receipt.batch.product)

    @display(description=_("Says"))
    def what(self, receipt: Receipt) -> str:
        return badge("grey", _("Batch undone")) if receipt.undone else badge("green", _("Devices made"))

    @display(description=_("Devices"))
    def devices_made(self, receipt: Receipt) -> str:
        return format_html('<span class="np-number">{}</span>', f"{receipt.batch.made:,}")

    @display(description=_("Issued"))
    def issued(self, receipt: Receipt) -> str:
        return moment(receipt.issued_at)

    @display(description=_("Key"))
    def signed_with(self, receipt: Receipt) -> str:
        return mono(receipt.key.key_id)


def of_batch(batch: Batch, request: HttpRequest) -> dict[str, Any]:
    """The latest editions for the batch's page, and whether the next one is on its way; nothing where the person may see no receipt."""
    user: Any = request.user
    if not user.has_perm("devices.view_receipt") or not batch.is_over or not batch.made:
        return {}
    found = list(Receipt.objects.filter(batch=batch).order_by("-edition")[:EDITIONS_SHOWN])
    return {"receipts": found, "receipt_due": batches_due(timezone.now()).filter(pk=batch.pk).exists() or not found}
