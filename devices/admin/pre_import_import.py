"""A workbook comes in: the import page, and the empty workbooks to fill in."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.errors import DomainError
from console.shared.actors import actor_of
from console.shared.files import csv_writer, xlsx_writer
from console.shared.page_actions import put_error
from console.shared.tasks import nudge
from devices.admin.pre_import_forms import UploadForm
from devices.models import Upload
from devices.rules import columns
from devices.services import upload_check, uploads
from products.admin.limits import seen_products

WORDS = {
    columns.PRODUCT_KEY: _("Optional. Must be the product's that you choose when you upload."),
    columns.DEVICE_NAME: _("Required. A MAC address in any usual spelling, an IMEI with its check digit, a serial number or free text."),
    columns.NICKNAME: _("Optional. A name for people, at most 64 characters."),
    columns.SN: _("Optional. Unique in the whole pre-import list; up to 64 letters, digits, - _ . or :"),
    columns.AUTHENTICATION: _("Optional: dynamic, static or x509. Empty: what you choose when you upload."),
    columns.DEVICE_SECRET: _("Optional. Only for devices that hold their secret already; empty: one is issued."),
    columns.FINGERPRINT: _(
        "Optional, only with x509: SHA-1 of the certificate as 40 hex digits, or SHA-256 as 64. Empty: that of its first connection."
    ),
}


def view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """GET shows the form; POST stores the file, has it checked, and leads to its page."""
    if not model_admin.has_import_permission(request):
        raise PermissionDenied
    classes = model_admin.get_import_resource_classes(request)
    initial = {"product": request.GET.get("product"), "duplicates": request.GET.get("duplicates")}
    form = UploadForm(model_admin.get_import_formats(), classes, data=request.POST or None, files=request.FILES or None, initial=initial)
    form.offer(seen_products(request))
    if request.method == "POST" and form.is_valid():
        try:
            upload = _receive(request, form)
        except DomainError as error:
            put_error(form, error, {"": "import_file"})
        else:
            return HttpResponseRedirect(reverse("admin:devices_upload_change", args=[upload.pk]))
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": _("Import a workbook"),
        "form": form,
        "columns": WORDS,
        "back_url": reverse("admin:devices_preimporteddevice_changelist"),
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "devices/import.html", context)


def _receive(request: HttpRequest, form: UploadForm) -> Upload:
    """A small file is checked at once. Raises FileRefused or StaticNotAllowed."""
    file = form.cleaned_data["import_file"]
    facts = {name: form.cleaned_data[name] for name in ("authentication", "duplicates")}
    new = uploads.NewUpload(file.name, file.size, file.chunks(), **facts)
    upload = uploads.receive(form.cleaned_data["product"], new, by=actor_of(request), at=timezone.now())
    if file.size <= uploads.SMALL:
        upload_check.check(upload.pk, clock=timezone.now)
    else:
        nudge("devices.check_upload", upload.pk)
    return upload


def template_view(request: HttpRequest, form: str) -> StreamingHttpResponse:
    """An empty workbook: its first sheet to fill in, its second says what the columns are."""
    if not request.user.has_perm("devices.add_preimporteddevice"):
        raise PermissionDenied
    if form == "xlsx":
        devices = xlsx_writer.Sheet("Devices", columns.COLUMNS, [], widths=[16, 22, 24, 20, 16, 36, 44])
        notes = xlsx_writer.Sheet(
            "Columns", ["Column", "What goes in"], [(column, str(words)) for column, words in WORDS.items()], widths=[18, 100]
        )
        pieces, content_type = xlsx_writer.stream(devices, notes), xlsx_writer.CONTENT_TYPE
    elif form == "csv":
        pieces, content_type = csv_writer.stream(columns.COLUMNS, []), "text/csv; charset=utf-8"
    else:
        raise Http404
    headers = {"Content-Disposition": f'attachment; filename="pre-import-template.{form}"'}
    return StreamingHttpResponse(pieces, content_type=content_type, headers=headers)
