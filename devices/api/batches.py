"""Mass production: what it would use up, batches and their records, cancel, undo, and the files of activation codes."""

from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample

from console.errors import NotFound
from console.rest import files
from console.rest.endpoints import Call, Endpoint, operation
from console.rest.forms import ReasonForm
from console.shared.tasks import nudge
from devices.api import finding
from devices.api.batch_forms import BatchFileRow, BatchFiles, BatchPreview, BatchQuery, BatchRow, NewBatchForm, OneBatchRow, UndoForm
from devices.models import Batch, BatchFile, FileFormat
from devices.services import batch_files, batches
from devices.services.batch_files import Download

TAG = "Production"
VIEW, ADD, DOWNLOAD = "devices.view_batch", "devices.add_batch", "devices.download_activation_codes"
WISH = {"product_key": "a1ExpAkj9Hi", "source": "automatic", "quantity": 500, "mac_pool_id": 1, "note": "PO 4711"}
EXAMPLE = OpenApiExample("500 kettles", request_only=True, value=WISH)


class Batches(Endpoint):
    @operation(
        name="list_batches", summary="List production records", tag=TAG, permission=VIEW, answer=BatchRow, many=True, query=BatchQuery
    )
    def get(self, call: Call) -> object:
        found = finding.of_product(finding.batches(call), call.query)
        return found.filter(state=call.query["state"]) if "state" in call.query else found

    @operation(
        name="request_batch",
        summary="Start a batch",
        tag=TAG,
        permission=ADD,
        body=NewBatchForm,
        answer=BatchRow,
        status=201,
        once=True,
        words="Takes quota, activation codes and addresses for all its devices, or nothing. Ask for it until its state is done.",
        examples=(EXAMPLE,),
    )
    def post(self, call: Call) -> Batch:
        product = finding.named_product(call)
        batch = batches.request(product.pk, _wish(call), by=call.by, at=call.at)
        nudge("devices.fill_batch", batch.pk)
        return finding.one(finding.batches(call), batch.pk)


class Preview(Endpoint):
    @operation(
        name="preview_batch",
        summary="What a batch would use up",
        tag=TAG,
        permission=ADD,
        body=NewBatchForm,
        answer=BatchPreview,
        words="Changes nothing, and refuses what starting it would refuse.",
        examples=(EXAMPLE,),
    )
    def post(self, call: Call) -> batches.Preview:
        return batches.preview(finding.named_product(call).pk, _wish(call), at=call.at)


class OneBatch(Endpoint):
    @operation(name="get_batch", summary="A batch", tag=TAG, permission=VIEW, answer=OneBatchRow)
    def get(self, call: Call, number: int) -> Batch:
        return finding.one(finding.batches(call), number)


class CancelBatch(Endpoint):
    @operation(
        name="cancel_batch",
        summary="Cancel a batch",
        tag=TAG,
        permission="devices.cancel_batch",
        body=ReasonForm,
        answer=BatchRow,
        once=True,
        words="What was made stays; the rest is given back.",
    )
    def post(self, call: Call, number: int) -> Batch:
        batches.cancel(finding.one(finding.batches(call), number).pk, reason=call.data["reason"], by=call.by, at=call.at)
        return finding.one(finding.batches(call), number)


class UndoBatch(Endpoint):
    @operation(
        name="undo_batch",
        summary="Undo a batch",
        tag=TAG,
        permission="devices.undo_batch",
        body=UndoForm,
        answer=OneBatchRow,
        once=True,
        words="Until its first download, and until the first of its devices comes (N6). It goes on in the background.",
        examples=(OpenApiExample("Wrong pool", request_only=True, value={"reason": "Taken from the wrong pool"}),),
    )
    def post(self, call: Call, number: int) -> Batch:
        batch = finding.one(finding.batches(call), number)
        undo = batches.undo(batch.pk, reason=call.data["reason"], by=call.by, at=call.at)
        nudge("devices.undo_batch", undo.pk)
        return finding.one(finding.batches(call), number)


class Files(Endpoint):
    @operation(name="list_batch_files", summary="A batch's files", tag=TAG, permission=VIEW, answer=BatchFiles)
    def get(self, call: Call, number: int) -> dict[str, Any]:
        batch = finding.one(finding.batches(call), number)
        return {"items": list(BatchFile.objects.filter(batch=batch).select_related("requested_by"))}


class OneFile(Endpoint):
    @operation(
        name="prepare_batch_file",
        summary="Have a file prepared",
        tag=TAG,
        permission=DOWNLOAD,
        answer=BatchFileRow,
        once=True,
        words="A small one is ready with the answer; ask for a large one until `is_ready`.",
    )
    def post(self, call: Call, number: int, form: str) -> BatchFile:
        batch = finding.one(finding.batches(call), number)
        file = batch_files.order(batch.pk, _format(form), by=call.by, at=call.at)
        if batch.made > batch_files.AT_ONCE:
            nudge("devices.pack_batch", file.pk)
        else:
            batch_files.pack(file.pk, clock=timezone.now)
            nudge("devices.issue_receipt", batch.pk)
        return BatchFile.objects.select_related("requested_by").get(pk=file.pk)


class DownloadFile(Endpoint):
    @operation(
        name="download_batch_file",
        summary="Download a file",
        tag=TAG,
        permission=DOWNLOAD,
        answer=OpenApiTypes.BINARY,
        media=files.BYTES,
        guarded=True,
        words="With the secrets in it. Counted and audited; after the first one the batch cannot be undone.",
    )
    def post(self, call: Call, number: int, form: str) -> StreamingHttpResponse:
        batch = finding.one(finding.batches(call), number)
        return streamed(batch_files.download(batch, _format(form), by=call.by, at=call.at))


def streamed(file: Download) -> StreamingHttpResponse:
    return files.sent(file.name, file.pieces, size=file.size, sha256=file.sha256)


def _wish(call: Call) -> batches.NewBatch:
    return batches.NewBatch(**{name: value for name, value in call.data.items() if name != "product_key"})


def _format(form: str) -> str:
    """Raises NotFound."""
    if form not in FileFormat.values:
        raise NotFound("There is no file of this format.")
    return form
