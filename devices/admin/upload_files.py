"""What goes back to the operator: the list of all faults as CSV, and the workbook itself with its bad cells marked."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from console.errors import DomainError
from console.shared import confirmation
from console.shared.actors import actor_of
from console.shared.files import csv_writer, tables
from console.shared.tasks import nudge
from console.shared.translation import shown
from devices.models import MarkedWorkbook, Upload
from devices.services import marked_workbooks, uploads


def marked_context(user: Any, upload: Upload, marked: MarkedWorkbook | None) -> dict[str, Any]:
    """What the page says of the marked workbook. `marked_of` is None where there is nothing to mark."""
    if not upload.is_over or not upload.has_findings:
        return {"marked_of": None}
    current = marked if marked is not None and marked.findings == upload.report.get("findings") else None
    return {
        "marked_of": upload,
        "marked": current,
        "marked_ready": current is not None and marked_workbooks.is_ready(current, upload),
        "marked_at_once": upload.total <= marked_workbooks.AT_ONCE,
        "marked_is_text": tables.is_text(upload.file_name),
        "marked_holds_secrets": marked_workbooks.holds_secrets(upload),
        "may_have_marked": marked_workbooks.may_have(user, upload),
    }


class UploadFiles:
    """For the ModelAdmin of uploads; goes before it."""

    # What the ModelAdmin brings.
    admin_site: Any
    page_url: Any
    _find: Any

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        return [
            path("<int:upload_id>/bad-cells.csv", guarded(self.bad_cells_view), name="devices_upload_bad_cells"),
            path("<int:upload_id>/marked/", guarded(self.marked_view), name="devices_upload_marked"),
            *super().get_urls(),
        ]

    def bad_cells_view(self, request: HttpRequest, upload_id: int) -> HttpResponseBase:
        """Every bad cell as CSV, in the order of the page; ?group= of one group alone."""
        upload = self._find(request, str(upload_id))
        if not upload.has_findings:
            raise Http404
        group = group_of(upload, request.GET.get("group", ""))
        header = [_("Row"), _("Column"), _("Value"), _("What is wrong")]
        found = uploads.findings(upload, group=group["id"] if group else None)
        rows = ([str(cell.number), shown(cell.column), cell.value, shown(cell.words)] for cell in found)
        headers = {"Content-Disposition": f'attachment; filename="bad-cells-{upload.pk}.csv"', "Cache-Control": "no-store"}
        return StreamingHttpResponse(csv_writer.stream(header, rows), content_type="text/csv; charset=utf-8", headers=headers)

    def marked_view(self, request: HttpRequest, upload_id: int) -> HttpResponseBase:
        """POST: the file itself where it is ready or quickly made; else it is ordered, and the page shows how far it is."""
        upload = self._find(request, str(upload_id))
        if not marked_workbooks.may_have(request.user, upload):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if marked_workbooks.holds_secrets(upload) and not confirmation.is_fresh(request, timezone.now()):
            return confirmation.ask(self.page_url(upload))
        try:
            return self._marked(request, upload)
        except DomainError as error:
            messages.error(request, shown(error))
            return HttpResponseRedirect(self.page_url(upload))

    def _marked(self, request: HttpRequest, upload: Upload) -> HttpResponseBase:
        """Raises NothingToMark, NoRoomForReasons, NotMarkedYet or VaultMissing."""
        by, now = actor_of(request), timezone.now()
        marked = marked_workbooks.order(upload.pk, language=get_language() or "en", by=by, at=now)
        if not marked_workbooks.is_ready(marked, upload):
            if upload.total > marked_workbooks.AT_ONCE:
                nudge("devices.mark_workbook", marked.pk)
                return HttpResponseRedirect(self.page_url(upload))
            marked_workbooks.make(marked.pk, clock=timezone.now)
        file = marked_workbooks.download(upload, by=by, at=timezone.now())
        response = StreamingHttpResponse(file.pieces, content_type=file.content_type)
        response.headers["Content-Disposition"] = _attachment(file.name)
        response.headers["Content-Length"] = str(file.size)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def group_of(upload: Upload, number: str) -> dict[str, Any] | None:
    """The group of the report with this number, as a query gives it."""
    groups: list[dict[str, Any]] = upload.report.get("groups", [])
    return next((group for group in groups if str(group["id"]) == number), None)


def _attachment(name: str) -> str:
    """The operator's own file name may be in any script."""
    header = content_disposition_header(True, name)
    return header or "attachment"
