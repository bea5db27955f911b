"""The export page (Q9): the library's form and resource, streamed by ours."""

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from console.errors import DomainError
from console.shared.actors import actor_of
from console.shared.page_actions import put_error
from devices.admin.pre_import_forms import ExportForm
from devices.resources import PreImportedDeviceResource, texts
from devices.services import exports
from products.admin.limits import seen_products


def view(model_admin: Any, request: HttpRequest) -> Any:
    if not model_admin.has_export_permission(request):
        raise PermissionDenied
    formats = model_admin.get_export_formats()
    initial = {"product": [request.GET.get("product")] if request.GET.get("product") else []}
    form = ExportForm(formats, model_admin.get_export_resource_classes(request), data=request.POST or None, initial=initial)
    form.offer(seen_products(request))
    if request.method == "POST" and form.is_valid():
        try:
            return _file(request, form, formats[int(form.cleaned_data["format"])](), timezone.now())
        except DomainError as error:
            put_error(form, error)
    return _page(model_admin, request, form)


def _file(request: HttpRequest, form: ExportForm, file_format: Any, at: datetime) -> StreamingHttpResponse:
    """Raises NothingChosen or TooManyRows."""
    resource = PreImportedDeviceResource()
    chosen = form.get_selected_resource_export_fields()
    fields = [resource.fields[name] for name in chosen]
    products, asked = list(form.cleaned_data["product"]), [field.attribute for field in fields]
    pages = exports.export(products, asked, at_most=file_format.rows_at_most, by=actor_of(request), at=at)
    name = f"pre-import-list-{at:%Y-%m-%d}.{file_format.get_extension()}"
    return StreamingHttpResponse(
        file_format.stream([field.column_name for field in fields], texts(pages)),
        content_type=file_format.get_content_type(),
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )


def _page(model_admin: Any, request: HttpRequest, form: ExportForm) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": _("Export the pre-import list"),
        "form": form,
        "back_url": reverse("admin:devices_preimporteddevice_changelist"),
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "devices/export.html", context)
