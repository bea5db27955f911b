"""The long work of this floor, for the jobs page."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from console.shared.actors import Actor
from console.shared.job_kinds import JobKind, register
from devices.models import Batch, BatchFile, BatchTree, BatchUndo, MarkedWorkbook, SerialNumberRun, Upload, UploadPurpose, UploadStage
from devices.services import batches, marked_workbooks, serial_numbers, uploads


def _discard(pk: int, *, reason: str, by: Actor, at: datetime) -> None:
    """The audit has no place for a reason here: the file is gone, and that is all."""
    uploads.discard(pk, by=by, at=at)


def _may_discard(upload: Upload) -> bool:
    return not upload.is_over and bool(upload.path) and not upload.cancel_requested


def _upload_does(upload: Upload) -> Any:
    if upload.stage == UploadStage.COMMIT:
        return _("Import into the pre-import list")
    return _("Check for batch production") if upload.purpose == UploadPurpose.BATCH else _("Check before the import")


register(
    JobKind(
        model=Batch,
        title=_("Production batch"),
        permission="devices.view_batch",
        page=lambda batch: reverse("admin:devices_batch_change", args=[batch.pk]),
        label=lambda batch: batch.number,
        product_field="product_id",
        cancel=batches.cancel,
        cancel_permission="devices.cancel_batch",
        cancel_words=_("What is made already stays, with its activation codes. Quota and codes of all others go back to the product."),
    )
)
register(
    JobKind(
        model=BatchFile,
        title=_("File of activation codes"),
        permission="devices.view_batch",
        page=lambda file: reverse("admin:devices_batch_change", args=[file.batch_id]),
        label=lambda file: f"{file.batch.number} {file.get_format_display()}",
        product_field="batch__product_id",
        related=("batch",),
    )
)
register(
    JobKind(
        model=BatchUndo,
        title=_("Undoing of a batch"),
        permission="devices.view_batch",
        page=lambda undo: reverse("admin:devices_batch_change", args=[undo.batch_id]),
        label=lambda undo: undo.batch.number,
        product_field="batch__product_id",
        doing=lambda undo: _("Rows are deleted") if undo.checked_at else _("The data centers are asked"),
        related=("batch",),
    )
)
register(
    JobKind(
        model=BatchTree,
        title=_("Receipt of a batch"),
        permission="devices.view_batch",
        page=lambda tree: reverse("admin:devices_batch_change", args=[tree.batch_id]),
        label=lambda tree: tree.batch.number,
        product_field="batch__product_id",
        related=("batch",),
    )
)
register(
    JobKind(
        model=Upload,
        title=_("Workbook"),
        permission="devices.view_upload",
        page=lambda upload: reverse("admin:devices_upload_change", args=[upload.pk]),
        label=lambda upload: upload.file_name,
        product_field="product_id",
        cancel=_discard,
        cancel_permission="devices.add_preimporteddevice",
        may_cancel=_may_discard,
        cancel_words=_("The file is deleted. Nothing of it goes into the pre-import list."),
        doing=_upload_does,
    )
)
register(
    JobKind(
        model=SerialNumberRun,
        title=_("Serial numbers"),
        permission="devices.view_serialnumberrun",
        page=lambda run: reverse("admin:devices_serialnumberrun_change", args=[run.pk]),
        label=lambda run: run.number,
        product_field="product_id",
        cancel=serial_numbers.cancel,
        cancel_permission="devices.cancel_serialnumberrun",
        cancel_words=_("The serial numbers that are made already stay, and can be downloaded and bound."),
    )
)
register(
    JobKind(
        model=MarkedWorkbook,
        title=_("Marked workbook"),
        permission="devices.view_upload",
        page=lambda marked: reverse("admin:devices_upload_change", args=[marked.upload_id]),
        label=lambda marked: marked.upload.file_name,
        product_field="upload__product_id",
        cancel=marked_workbooks.cancel,
        cancel_permission="devices.add_preimporteddevice",
        cancel_words=_("The uploaded workbook stays as it is, and can be marked again."),
        related=("upload",),
    )
)
