"""Workbooks: upload, look at the check, import what was checked (N3). The check and the import are jobs."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample
from rest_framework.parsers import MultiPartParser

from console.errors import Forbidden
from console.rest.endpoints import Call, Endpoint, operation
from console.shared.tasks import nudge
from devices.api import finding
from devices.api.upload_forms import BadCellQuery, BadCells, CheckAgainForm, CommitForm, NewUploadForm, UploadQuery, UploadRow
from devices.models import Upload, UploadPurpose
from devices.services import upload_check, upload_commit, uploads

TAG = "Pre-import"
IMPORT, PRODUCE = "devices.add_preimporteddevice", "devices.add_batch"
SEE = ("devices.view_upload", IMPORT, PRODUCE)
IMPORTED_AT_ONCE = 2_000
"""Rows that are imported before the answer: a moment."""


class Uploads(Endpoint):
    parser_classes = (MultiPartParser,)

    @operation(name="list_uploads", summary="List workbooks", tag=TAG, permission=SEE, answer=UploadRow, many=True, query=UploadQuery)
    def get(self, call: Call) -> object:
        wanted = {name: call.query[name] for name in ("purpose", "state") if name in call.query}
        return finding.of_product(finding.uploads(call), call.query).filter(**wanted)

    @operation(
        name="upload_workbook",
        summary="Upload a workbook",
        tag=TAG,
        permission=(IMPORT, PRODUCE),
        body=NewUploadForm,
        takes="multipart/form-data",
        answer=UploadRow,
        status=201,
        once=True,
        words="It is checked whole; nothing of it counts until it is imported or produced from. Ask for it until its state is done.",
    )
    def post(self, call: Call) -> Upload:
        """A small file is checked at once."""
        _refuse_other_purpose(call)
        file = call.data["file"]
        facts = {name: call.data[name] for name in ("purpose", "authentication", "duplicates")}
        new = uploads.NewUpload(file.name, file.size, file.chunks(), **facts)
        upload = uploads.receive(finding.named_product(call), new, by=call.by, at=call.at)
        if file.size <= uploads.SMALL:
            upload_check.check(upload.pk, clock=timezone.now)
        else:
            nudge("devices.check_upload", upload.pk)
        return finding.one(finding.uploads(call), upload.pk)


class OneUpload(Endpoint):
    @operation(name="get_upload", summary="A workbook and its check", tag=TAG, permission=SEE, answer=UploadRow)
    def get(self, call: Call, number: int) -> Upload:
        return finding.one(finding.uploads(call), number)


class UploadBadCells(Endpoint):
    @operation(
        name="list_bad_cells",
        summary="The cells that the check named",
        tag=TAG,
        permission=SEE,
        answer=BadCells,
        query=BadCellQuery,
        words="In the order of the sheet, from number `skip` on.",
    )
    def get(self, call: Call, number: int) -> dict[str, Any]:
        upload = finding.one(finding.uploads(call), number)
        if not upload.has_findings:
            return {"items": []}
        return {"items": list(uploads.findings(upload, skip=call.query["skip"], count=call.query["limit"]))}


class CommitUpload(Endpoint):
    @operation(
        name="import_upload",
        summary="Import a checked workbook",
        tag=TAG,
        permission=IMPORT,
        body=CommitForm,
        answer=UploadRow,
        once=True,
        words="Bound to the rows that were checked; bad rows stay out only if you say how many.",
        examples=(OpenApiExample("All of it", request_only=True, value={"sha256": "0" * 64, "leave_out": 0}),),
    )
    def post(self, call: Call, number: int) -> Upload:
        upload = finding.one(finding.uploads(call), number)
        upload = upload_commit.request(upload.pk, **call.data, by=call.by, at=call.at)
        if upload.good_rows > IMPORTED_AT_ONCE:
            nudge("devices.commit_upload", upload.pk)
        else:
            upload_commit.commit(upload.pk, clock=timezone.now)
        return finding.one(finding.uploads(call), number)


class CheckUploadAgain(Endpoint):
    @operation(
        name="check_upload_again", summary="Check again", tag=TAG, permission=IMPORT, body=CheckAgainForm, answer=UploadRow, once=True
    )
    def post(self, call: Call, number: int) -> Upload:
        upload = finding.one(finding.uploads(call), number)
        uploads.check_again(upload.pk, **call.data, by=call.by, at=call.at)
        nudge("devices.check_upload", upload.pk)
        return finding.one(finding.uploads(call), number)


class DiscardUpload(Endpoint):
    @operation(name="discard_upload", summary="Discard a workbook", tag=TAG, permission=IMPORT, answer=UploadRow, once=True)
    def post(self, call: Call, number: int) -> Upload:
        uploads.discard(finding.one(finding.uploads(call), number).pk, by=call.by, at=call.at)
        return finding.one(finding.uploads(call), number)


def _refuse_other_purpose(call: Call) -> None:
    """Raises Forbidden: who may import need not be who may produce."""
    needed = IMPORT if call.data["purpose"] == UploadPurpose.PRE_IMPORT else PRODUCE
    if not call.user.has_perm(needed):
        raise Forbidden
