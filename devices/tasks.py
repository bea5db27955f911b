"""Background jobs of devices. Each takes a row's number, resumes, and may run twice; the sweep sends again what was lost."""

from celery import shared_task
from django.utils import timezone

from console.shared.interruptions import noted
from console.shared.tasks import nudge
from devices.models import Batch, BatchFile, BatchUndo, MarkedWorkbook, SerialNumberRun, Upload, UploadStage
from devices.services import (
    batch_files,
    certificate_sweep,
    download_codes,
    marked_workbooks,
    production,
    receipts,
    serial_number_making,
    undoing,
    upload_check,
    upload_commit,
    uploads,
)
from products.services import revocation_news

UPLOAD_TASKS = {UploadStage.CHECK: "devices.check_upload", UploadStage.COMMIT: "devices.commit_upload"}


@shared_task(name="devices.check_upload")
def check_upload(upload_id: int) -> None:
    with noted(Upload.objects, upload_id):
        upload_check.check(upload_id, clock=timezone.now)


@shared_task(name="devices.commit_upload")
def commit_upload(upload_id: int) -> None:
    with noted(Upload.objects, upload_id):
        upload_commit.commit(upload_id, clock=timezone.now)


@shared_task(name="devices.mark_workbook")
def mark_workbook(marked_id: int) -> None:
    """`marked_id`: the number of a MarkedWorkbook."""
    with noted(MarkedWorkbook.objects, marked_id):
        marked_workbooks.make(marked_id, clock=timezone.now)


@shared_task(name="devices.fill_batch")
def fill_batch(batch_id: int) -> None:
    with noted(Batch.objects, batch_id):
        production.fill(batch_id, clock=timezone.now)
    nudge("devices.issue_receipt", batch_id)


@shared_task(name="devices.pack_batch")
def pack_batch(file_id: int) -> None:
    """`file_id`: the number of a BatchFile."""
    with noted(BatchFile.objects, file_id):
        batch_files.pack(file_id, clock=timezone.now)
    for batch_id in BatchFile.objects.filter(pk=file_id).values_list("batch_id", flat=True):
        nudge("devices.issue_receipt", batch_id)


@shared_task(name="devices.undo_batch")
def undo_batch(undo_id: int) -> None:
    """`undo_id`: the number of a BatchUndo."""
    with noted(BatchUndo.objects, undo_id):
        undoing.carry_out(undo_id, clock=timezone.now)
    for batch_id in BatchUndo.objects.filter(pk=undo_id).values_list("batch_id", flat=True):
        nudge("devices.issue_receipt", batch_id)


@shared_task(name="devices.issue_receipt")
def issue_receipt(batch_id: int) -> None:
    """The batch's next one, if one is due."""
    receipts.issue(batch_id, clock=timezone.now)


@shared_task(name="devices.issue_receipts")
def issue_receipts() -> None:
    """Finds the batches that lack their next receipt: the nudge behind their end or their file was lost, or its worker."""
    for batch_id in receipts.due(at=timezone.now()):
        nudge("devices.issue_receipt", batch_id)


@shared_task(name="devices.make_serial_numbers")
def make_serial_numbers(run_id: int) -> None:
    with noted(SerialNumberRun.objects, run_id):
        serial_number_making.fill(run_id, clock=timezone.now)


@shared_task(name=revocation_news.CUT_TASK)
def cut_revoked(authority_id: int) -> None:
    """`authority_id`: the number of a CertificateAuthority of which something was revoked. May run twice: its news are claimed."""
    certificate_sweep.cut_by(authority_id, at=timezone.now())


@shared_task(name="devices.cut_revoked_again")
def cut_revoked_again() -> None:
    """Revocations of the last minute or two, and those whose nudge or worker was lost."""
    certificate_sweep.cut_again(at=timezone.now())


@shared_task(name="devices.cut_all_revoked")
def cut_all_revoked() -> None:
    certificate_sweep.cut_all(at=timezone.now())


@shared_task(name="devices.sweep")
def sweep() -> None:
    """Sends again what waits too long or lost its worker, and deletes files that were kept long enough."""
    now = timezone.now()
    for pk, stage in Upload.objects.stale(now).values_list("pk", "stage"):
        nudge(UPLOAD_TASKS[UploadStage(stage)], pk)
    for pk in MarkedWorkbook.objects.stale(now).values_list("pk", flat=True):
        nudge("devices.mark_workbook", pk)
    for pk in Batch.objects.stale(now).values_list("pk", flat=True):
        nudge("devices.fill_batch", pk)
    for pk in BatchFile.objects.stale(now).values_list("pk", flat=True):
        nudge("devices.pack_batch", pk)
    for pk in BatchUndo.objects.stale(now).values_list("pk", flat=True):
        nudge("devices.undo_batch", pk)
    for pk in SerialNumberRun.objects.stale(now).values_list("pk", flat=True):
        nudge("devices.make_serial_numbers", pk)
    uploads.purge(at=now)
    batch_files.purge(at=now)
    download_codes.forget_failures(at=now)
