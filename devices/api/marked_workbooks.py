"""The workbook as it goes back to whoever sent it: its bad cells marked. The same protection as on its page."""

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import get_language
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers

from console.errors import Forbidden, NotFound
from console.rest import files
from console.rest.endpoints import Call, Endpoint, need_confirmation, operation
from console.rest.work import WorkRow
from console.shared.tasks import nudge
from devices.api import finding
from devices.api.uploads import IMPORT, PRODUCE, SEE, TAG
from devices.models import MarkedWorkbook, Upload
from devices.services import marked_workbooks


class MarkedRow(WorkRow):
    upload_id = serializers.IntegerField()
    language = serializers.CharField(help_text="Of the reasons: what `Accept-Language` asked for.")
    is_ready = serializers.SerializerMethodField(help_text="Whether it can be downloaded.")
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.CharField(allow_blank=True)
    downloads = serializers.IntegerField()

    def get_is_ready(self, marked: MarkedWorkbook) -> bool:
        return marked_workbooks.is_ready(marked, marked.upload)


class Marked(Endpoint):
    @operation(name="get_marked_workbook", summary="How far the marked workbook is", tag=TAG, permission=SEE, answer=MarkedRow)
    def get(self, call: Call, number: int) -> MarkedWorkbook:
        return _of(finding.one(finding.uploads(call), number))

    @operation(
        name="order_marked_workbook",
        summary="Have the bad cells marked",
        tag=TAG,
        permission=(IMPORT, PRODUCE),
        answer=MarkedRow,
        once=True,
        words="After a check that named cells. A small one is ready with the answer; ask for a large one until `is_ready`.",
    )
    def post(self, call: Call, number: int) -> MarkedWorkbook:
        upload = finding.one(finding.uploads(call), number)
        _need_to_have(call, upload)
        marked = marked_workbooks.order(upload.pk, language=get_language() or "en", by=call.by, at=call.at)
        if upload.total > marked_workbooks.AT_ONCE:
            nudge("devices.mark_workbook", marked.pk)
        else:
            marked_workbooks.make(marked.pk, clock=timezone.now)
        return _of(upload)


class DownloadMarked(Endpoint):
    @operation(
        name="download_marked_workbook",
        summary="Download the marked workbook",
        tag=TAG,
        permission=(IMPORT, PRODUCE),
        answer=OpenApiTypes.BINARY,
        media=files.BYTES,
        words="Counted and audited. One that may hold secrets needs `devices.reveal_device_secret` as well.",
    )
    def post(self, call: Call, number: int) -> StreamingHttpResponse:
        upload = finding.one(finding.uploads(call), number)
        _need_to_have(call, upload)
        if marked_workbooks.holds_secrets(upload):
            need_confirmation(call.request)
        file = marked_workbooks.download(upload, by=call.by, at=call.at)
        return files.sent(file.name, file.pieces, size=file.size)


def _need_to_have(call: Call, upload: Upload) -> None:
    """Raises Forbidden."""
    if not marked_workbooks.may_have(call.user, upload):
        raise Forbidden


def _of(upload: Upload) -> MarkedWorkbook:
    """Raises NotFound."""
    found = MarkedWorkbook.objects.select_related("upload", "requested_by").filter(upload=upload).first()
    if found is None:
        raise NotFound("No marked workbook was asked for.")
    return found
