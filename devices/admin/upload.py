"""Uploaded workbooks: the list, and the page of one with its check, its bad cells and its import."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from console.shared.admin import ReadOnlyModelAdmin, badge, moment
from console.shared.files import csv_writer
from console.shared.jobs import JobState
from console.shared.page_actions import Occasion, PageAction, PageActions
from console.shared.tasks import nudge
from devices.admin import upload_progress
from devices.admin.device_filters import ProductFilter
from devices.models import Batch, Upload, UploadPurpose, UploadStage
from devices.services import upload_commit, uploads

IMPORT = "devices.add_preimporteddevice"
IMPORTED_AT_ONCE = 2_000
"""Rows that are imported while the person waits: a moment."""
BAD_CELLS_A_PAGE = 50


class CheckedForm(forms.Form):
    """Binds the import to the bytes that the page showed."""

    sha256 = forms.CharField(widget=forms.HiddenInput)


def _import(occasion: Occasion) -> str:
    upload = upload_commit.request(occasion.target.pk, sha256=occasion.data["sha256"], by=occasion.by, at=occasion.at)
    if upload.good_rows > IMPORTED_AT_ONCE:
        nudge("devices.commit_upload", upload.pk)
        return str(_("The import has started."))
    upload_commit.commit(upload.pk, clock=timezone.now)
    return ""


def _discard(occasion: Occasion) -> None:
    uploads.discard(occasion.target.pk, by=occasion.by, at=occasion.at)


def _check_again(occasion: Occasion) -> None:
    uploads.check_again(occasion.target.pk, by=occasion.by, at=occasion.at)
    nudge("devices.check_upload", occasion.target.pk)


def is_importable(upload: Upload) -> bool:
    """Checked, kept, and all or nothing: not one bad row."""
    checked = upload.stage == UploadStage.CHECK and upload.state == JobState.DONE and upload.purpose == UploadPurpose.PRE_IMPORT
    return checked and bool(upload.path) and bool(upload.good_rows) and not upload.bad_rows


UPLOAD_ACTIONS = (
    PageAction(
        name="commit",
        permission=IMPORT,
        label=_("Import"),
        title=_("Import these rows?"),
        words=(
            _("All rows of the workbook go into the pre-import list, valid in every data center, or none does."),
            _("A DeviceSecret is issued for every row that brings none."),
        ),
        confirm=_("Import"),
        form=CheckedForm,
        initial=lambda upload: {"sha256": upload.sha256},
        run=_import,
        offered=is_importable,
        primary=True,
        icon="playlist_add",
    ),
    PageAction(
        name="check_again",
        permission=IMPORT,
        label=_("Check again"),
        title=_("Check this workbook again?"),
        words=(_("The same file is compared with the pre-import list as it is now."),),
        confirm=_("Check again"),
        run=_check_again,
        offered=lambda upload: upload.is_over and bool(upload.path),
    ),
    PageAction(
        name="discard",
        permission=IMPORT,
        label=_("Discard"),
        title=_("Discard this workbook?"),
        words=(_("Its file is deleted. Nothing of it goes into the pre-import list."),),
        confirm=_("Discard"),
        done=_("The workbook was discarded."),
        run=_discard,
        offered=lambda upload: bool(upload.path) and not upload.cancel_requested and not _is_used(upload),
        danger=True,
    ),
)


def _texts(upload: Upload, room: int) -> dict[str, str]:
    """Figures as people read them."""
    cells, rows = upload.report.get("cells", 0), upload.good_rows + upload.bad_rows
    return {
        "rows_text": f"{rows:,}",
        "good_text": f"{upload.good_rows:,}",
        "bad_text": f"{upload.bad_rows:,}",
        "room_text": f"{room:,}",
        "secrets_text": f"{upload.report.get('secrets_given', 0):,}",
        "cells_words": ngettext("%(count)s bad cell", "%(count)s bad cells", cells) % {"count": f"{cells:,}"},
        "verdict": ngettext("%(cells)s bad cell was found", "%(cells)s bad cells were found", cells) % {"cells": f"{cells:,}"},
        "import_label": ngettext("Import %(rows)s row", "Import %(rows)s rows", rows) % {"rows": f"{rows:,}"},
    }


def _is_used(upload: Upload) -> bool:
    """A batch makes its devices from it."""
    return upload.purpose == UploadPurpose.BATCH and Batch.objects.filter(upload=upload).exists()


@admin.register(Upload)
class UploadAdmin(PageActions, ReadOnlyModelAdmin):
    list_display = ("file_name", "product_name", "purpose", "state_badge", "rows", "bad", "uploaded", "requested_by")
    list_display_links = ("file_name",)
    list_select_related = ("product", "requested_by")
    list_filter = (ProductFilter, ("purpose", ChoicesDropdownFilter), ("state", ChoicesDropdownFilter))
    search_fields = ("file_name",)
    search_help_text = _("Part of the file's name")
    sortable_by = ()
    ordering = ("-id",)
    empty_list = {
        "icon": "upload_file",
        "title": _("No workbook yet"),
        "text": _("Excel and CSV files of devices are checked whole, every bad cell named, before anything of them counts."),
        "label": _("Import a workbook"),
        "url_name": "admin:devices_preimporteddevice_import",
        "permission": IMPORT,
    }
    page_actions = UPLOAD_ACTIONS
    page_template = "devices/upload.html"

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        return [
            path("<int:upload_id>/progress/", guarded(self.progress_view), name="devices_upload_progress"),
            path("<int:upload_id>/bad-cells.csv", guarded(self.bad_cells_view), name="devices_upload_bad_cells"),
            *super().get_urls(),
        ]

    def has_view_permission(self, request: HttpRequest, obj: Upload | None = None) -> bool:
        """Whoever may import sees what becomes of it."""
        user: Any = request.user
        return user.has_perm("devices.view_upload") or user.has_perm(IMPORT) or user.has_perm("devices.add_batch")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upload]:
        return super().get_queryset(request).select_related("product", "requested_by")

    def page_context(self, request: HttpRequest, target: Upload) -> dict[str, Any]:
        number = request.GET.get("p", "1")
        page = int(number) if number.isdecimal() and 0 < int(number) < 1_000_000 else 1
        cells = target.report.get("cells", 0) if target.path else 0
        room = target.product.devices_left if target.product else 0
        return {
            **_texts(target, room),
            "title": target.file_name,
            "upload": target,
            "has_report": bool(target.report.get("columns")) and target.state != JobState.CANCELLED and target.is_over,
            "progress": upload_progress.of_upload(target, timezone.now()),
            "importable": is_importable(target),
            "has_room": room >= target.good_rows,
            "bad_cells": list(uploads.bad_cells(target, skip=(page - 1) * BAD_CELLS_A_PAGE, count=BAD_CELLS_A_PAGE)) if cells else [],
            "bad_page": page,
            "bad_pages": -(-cells // BAD_CELLS_A_PAGE),
            "batch": Batch.objects.filter(upload=target).first() if target.purpose == UploadPurpose.BATCH else None,
        }

    def progress_view(self, request: HttpRequest, upload_id: int) -> JsonResponse:
        upload = self._find(request, str(upload_id))
        return JsonResponse(upload_progress.of_upload(upload, timezone.now()), headers={"Cache-Control": "no-store"})

    def bad_cells_view(self, request: HttpRequest, upload_id: int) -> HttpResponseBase:
        """Every bad cell as CSV, in the order of the page."""
        upload = self._find(request, str(upload_id))
        if not upload.path or not upload.report.get("cells"):
            raise PermissionDenied
        header = [str(_("Row")), str(_("Column")), str(_("Value")), str(_("What is wrong"))]
        rows = ([str(cell.number), cell.column, cell.value, cell.words] for cell in uploads.bad_cells(upload))
        headers = {"Content-Disposition": f'attachment; filename="bad-cells-{upload.pk}.csv"', "Cache-Control": "no-store"}
        return StreamingHttpResponse(csv_writer.stream(header, rows), content_type="text/csv; charset=utf-8", headers=headers)

    @display(description=_("Product"))
    def product_name(self, upload: Upload) -> str:
        return upload.product.name if upload.product else self.empty_value_display

    @display(description=_("State"))
    def state_badge(self, upload: Upload) -> str:
        return badge(*upload_progress.state_of(upload))

    @display(description=_("Rows"))
    def rows(self, upload: Upload) -> str:
        return f"{upload.good_rows + upload.bad_rows:,}" if upload.report else self.empty_value_display

    @display(description=_("Bad rows"))
    def bad(self, upload: Upload) -> str:
        return f"{upload.bad_rows:,}" if upload.report else self.empty_value_display

    @display(description=_("Uploaded"))
    def uploaded(self, upload: Upload) -> str:
        return moment(upload.requested_at)
