"""The files of a run of serial numbers, made as they are sent: a list, QR codes, sheets of labels."""

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from console.errors import NotFound
from console.rest import files
from console.rest.endpoints import Call, Endpoint, operation
from console.rest.forms import Form, Whole
from devices.api import finding
from devices.api.serial_numbers import TAG
from devices.rules.labels import SHEETS
from devices.services import serial_number_files
from devices.services.serial_number_files import Download, FileKind, Part

DOWNLOAD = "devices.download_serialnumbers"
WHOLE = (FileKind.CSV, FileKind.PNG, FileKind.SVG)


class LabelsForm(Form):
    sheet = serializers.ChoiceField([(key, sheet.name) for key, sheet in SHEETS.items()])
    first = Whole(min_value=1, default=1, help_text="The first label, counted from 1 in the order in which the numbers were made.")
    last = Whole(required=False, min_value=1, help_text="The last label; else the last of the run.")


class RunFile(Endpoint):
    @operation(
        name="download_serial_numbers",
        summary="Download a run's file",
        tag=TAG,
        permission=DOWNLOAD,
        answer=OpenApiTypes.BINARY,
        media=files.BYTES,
        words="`csv`: the list. `png`, `svg`: a ZIP of QR codes, without those of void numbers. When the run has ended. Audited.",
    )
    def post(self, call: Call, number: int, form: str) -> StreamingHttpResponse:
        run = finding.one(finding.runs(call), number)
        kind = next((kind for kind in WHOLE if kind == form), None)
        if kind is None:
            raise NotFound("There is no file of this format.")
        return _sent(serial_number_files.download(run, kind, by=call.by, at=call.at))


class RunLabels(Endpoint):
    @operation(
        name="download_labels",
        summary="Download labels to print",
        tag=TAG,
        permission=DOWNLOAD,
        body=LabelsForm,
        answer=OpenApiTypes.BINARY,
        media=files.BYTES,
        words="A PDF; void numbers have no label. When the run has ended. Audited.",
        examples=(OpenApiExample("The first sheet", request_only=True, value={"sheet": "a4-3x8", "first": 1, "last": 24}),),
    )
    def post(self, call: Call, number: int) -> StreamingHttpResponse:
        run = finding.one(finding.runs(call), number)
        part = Part(call.data["first"], call.data.get("last", run.done), call.data["sheet"])
        return _sent(serial_number_files.download(run, FileKind.LABELS, part=part, by=call.by, at=call.at))


def _sent(file: Download) -> StreamingHttpResponse:
    return files.sent(file.name, file.pieces)
