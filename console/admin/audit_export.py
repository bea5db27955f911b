"""The export of the filtered audit: a page that says what will be in the file, then the file as a stream."""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from console.admin.audit_filters import in_words
from console.people import audit_export
from console.shared.actors import actor_of
from console.shared.files import csv_writer

CHANGELIST = "admin:console_auditentry_changelist"
COUNTED = 100_000
"""On the page; a file holds more."""


def view(model_admin: Any, request: HttpRequest) -> HttpResponseBase:
    """GET: how many entries, chosen how; POST: the file. The address has the list's filters."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    try:
        entries = model_admin.get_changelist_instance(request).queryset
    except IncorrectLookupParameters:
        return HttpResponseRedirect(reverse(CHANGELIST))
    return _file(request, entries) if request.method == "POST" else _page(model_admin, request, entries)


def _file(request: HttpRequest, entries: Any) -> StreamingHttpResponse:
    at = timezone.now()
    conditions = {str(what): value for what, value in in_words(request)}
    rows = audit_export.export(entries, conditions=conditions, by=actor_of(request), at=at)
    name = f"audit-log-{at:%Y-%m-%d-%H%M%S}.csv"
    return StreamingHttpResponse(
        csv_writer.stream(audit_export.COLUMNS, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )


def _page(model_admin: Any, request: HttpRequest, entries: Any) -> TemplateResponse:
    number, more = audit_export.number_of(entries, COUNTED)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": _("Export the audit log"),
        "conditions": in_words(request),
        "number": number,
        "more": more,
        "columns": audit_export.COLUMNS,
        "back_url": f"{reverse(CHANGELIST)}?{request.GET.urlencode()}",
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "people/audit_export.html", context)
