"""Uploaded workbooks: the list, and the page of one with its check, its bad cells and its import."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from console.shared.admin import ReadOnlyModelAdmin, badge, moment
from console.shared.jobs import JobState
from console.shared.page_actions import PageActions
from devices.admin import upload_progress
from devices.admin.upload_actions import IMPORT, UPLOAD_ACTIONS
from devices.admin.upload_files import UploadFiles, group_of, marked_context
from devices.models import Batch, MarkedWorkbook, Upload, UploadPurpose
from devices.rules.findings import row_ranges
from devices.services import uploads
from products.admin.limits import OfChosenProducts, ProductFilter
from products.services import access

FINDINGS_A_PAGE = 50


def _texts(upload: Upload, room: int) -> dict[str, str]:
    """Figures as people read them."""
    cells, good = upload.report.get("cells", 0), upload.good_rows
    bad, skipped = upload.bad_rows, upload.skipped_rows
    return {
        "rows_text": f"{good + bad + skipped:,}",
        "good_text": f"{good:,}",
        "bad_text": f"{bad:,}",
        "skipped_text": f"{skipped:,}",
        "room_text": f"{room:,}",
        "secrets_text": f"{upload.report.get('secrets_given', 0):,}",
        "cells_words": ngettext("%(count)s bad cell", "%(count)s bad cells", cells) % {"count": f"{cells:,}"},
        "verdict": ngettext("%(cells)s bad cell was found", "%(cells)s bad cells were found", cells) % {"cells": f"{cells:,}"},
        "import_label": ngettext("Import %(rows)s row", "Import %(rows)s rows", good) % {"rows": f"{good:,}"},
        "import_good_label": ngettext("Import the %(rows)s good row only", "Import the %(rows)s good rows only", good)
        % {"rows": f"{good:,}"},
        "good_words": ngettext("The one row is good", "All %(rows)s rows are good", good) % {"rows": f"{good:,}"},
        "imported_words": ngettext("%(rows)s row was imported", "%(rows)s rows were imported", good) % {"rows": f"{good:,}"},
        "skipped_words": ngettext(
            "%(rows)s row is left out: the pre-import list has its DeviceName already. Nothing there changes, its secret least of all.",
            "%(rows)s rows are left out: the pre-import list has their DeviceNames already. Nothing there changes, secrets least of all.",
            skipped,
        )
        % {"rows": f"{skipped:,}"},
        "left_bad_words": ngettext("%(rows)s bad row stayed out.", "%(rows)s bad rows stayed out.", bad) % {"rows": f"{bad:,}"},
    }


def _findings(request: HttpRequest, upload: Upload) -> dict[str, Any]:
    """The groups with the ranges of their rows, and a page of the cells: of all groups, or of the one that is asked for."""
    if not upload.has_findings or not upload.is_over:
        return {"found": [], "groups": []}
    group = group_of(upload, request.GET.get("group", ""))
    count = group["count"] if group else upload.report["cells"] + upload.skipped_rows
    number = request.GET.get("p", "1")
    page = int(number) if number.isdecimal() and 0 < int(number) < 1_000_000 else 1
    skip = (page - 1) * FINDINGS_A_PAGE
    return {
        "found": list(uploads.findings(upload, group=group["id"] if group else None, skip=skip, count=FINDINGS_A_PAGE)),
        "group": group,
        "groups": [_in_words(each) for each in upload.report["groups"]],
        "page": page,
        "pages": -(-count // FINDINGS_A_PAGE),
    }


def _in_words(group: dict[str, Any]) -> dict[str, Any]:
    rows = ngettext("%(count)s row", "%(count)s rows", group["count"]) % {"count": f"{group['count']:,}"}
    return group | {"rows_words": rows, "rows": row_ranges(group)}


@admin.register(Upload)
class UploadAdmin(OfChosenProducts, UploadFiles, PageActions, ReadOnlyModelAdmin):
    list_display = ("file_name", "product_name", "purpose", "state_badge", "rows", "bad", "uploaded", "received_by")
    list_display_links = ("file_name",)
    list_select_related = ("product", "received_by")
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
            *super().get_urls(),
        ]

    def has_view_permission(self, request: HttpRequest, obj: Upload | None = None) -> bool:
        """Whoever may import sees what becomes of it."""
        user: Any = request.user
        return user.has_perm("devices.view_upload") or user.has_perm(IMPORT) or user.has_perm("devices.add_batch")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upload]:
        return super().get_queryset(request).select_related("product", "requested_by", "received_by")

    def page_context(self, request: HttpRequest, target: Upload) -> dict[str, Any]:
        room = target.product.devices_left if target.product else 0
        marked = MarkedWorkbook.objects.filter(upload=target).first()
        return {
            **_texts(target, room),
            **_findings(request, target),
            **marked_context(request.user, target, marked),
            "title": target.file_name,
            "upload": target,
            "has_report": bool(target.report.get("columns")) and target.state != JobState.CANCELLED and target.is_over,
            "progress": upload_progress.of_upload(target, marked, timezone.now()),
            "is_imported": uploads.is_imported(target),
            "has_room": room >= target.good_rows,
            "same": uploads.imports_of_the_same(target, access.only(Upload.objects.all(), request.user)),
            "batch": Batch.objects.filter(upload=target).first() if target.purpose == UploadPurpose.BATCH else None,
        }

    def progress_view(self, request: HttpRequest, upload_id: int) -> JsonResponse:
        upload = self._find(request, str(upload_id))
        marked = MarkedWorkbook.objects.filter(upload=upload).first()
        return JsonResponse(upload_progress.of_upload(upload, marked, timezone.now()), headers={"Cache-Control": "no-store"})

    @display(description=_("Product"))
    def product_name(self, upload: Upload) -> str:
        return upload.product.name if upload.product else self.empty_value_display

    @display(description=_("State"))
    def state_badge(self, upload: Upload) -> str:
        return badge(*upload_progress.state_of(upload))

    @display(description=_("Rows"))
    def rows(self, upload: Upload) -> str:
        return f"{upload.good_rows + upload.bad_rows + upload.skipped_rows:,}" if upload.report else self.empty_value_display

    @display(description=_("Bad rows"))
    def bad(self, upload: Upload) -> str:
        return f"{upload.bad_rows:,}" if upload.report else self.empty_value_display

    @display(description=_("Uploaded"))
    def uploaded(self, upload: Upload) -> str:
        return moment(upload.received_at or upload.requested_at)
