"""What goes in and out of the endpoints of workbooks."""

from typing import Any

from rest_framework import serializers

from console.rest.forms import Form, Moment, Query, Text, Whole
from console.rest.paging import PageQuery
from console.rest.work import WorkRow
from console.shared.jobs import JobState
from console.shared.translation import shown
from devices.models import Authentication, Duplicates, Upload, UploadPurpose, UploadStage


class Fault(serializers.Serializer):
    """Cells of one column that break one rule."""

    column = serializers.CharField()
    rule = serializers.CharField(help_text="What is wrong, in words.")
    count = serializers.IntegerField()


class UploadRow(WorkRow):
    id = serializers.IntegerField()
    product_key = serializers.CharField(source="product.key", default=None, allow_null=True)
    purpose = serializers.ChoiceField(UploadPurpose.choices)
    stage = serializers.ChoiceField(UploadStage.choices)
    authentication = serializers.ChoiceField(Authentication.choices)
    duplicates = serializers.ChoiceField(Duplicates.choices)
    file_name = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.CharField(help_text="Of the file.")
    checked_sha256 = serializers.CharField(allow_blank=True, help_text="Of the good rows: an import names it.")
    good_rows = serializers.IntegerField()
    bad_rows = serializers.IntegerField()
    skipped_rows = serializers.IntegerField()
    faults = serializers.SerializerMethodField()
    expires_at = Moment()

    def get_faults(self, upload: Upload) -> list[dict[str, Any]]:
        groups = upload.report.get("groups", [])
        return [{"column": group["column"], "rule": shown(group["rule"]), "count": group["count"]} for group in groups]


class UploadQuery(PageQuery):
    product_key = serializers.CharField(required=False, max_length=64)
    purpose = serializers.ChoiceField(UploadPurpose.choices, required=False)
    state = serializers.ChoiceField(JobState.choices, required=False)


class NewUploadForm(Form):
    """A form with a file, as browsers and `curl -F` send it."""

    product_key = serializers.CharField(max_length=64)
    file = serializers.FileField(help_text="Excel (.xlsx) or CSV.")
    purpose = serializers.ChoiceField(UploadPurpose.choices, default=UploadPurpose.PRE_IMPORT)
    authentication = serializers.ChoiceField(
        Authentication.choices, default=Authentication.DYNAMIC, help_text="Of rows that do not say it themselves."
    )
    duplicates = serializers.ChoiceField(Duplicates.choices, default=Duplicates.STOP, help_text="DeviceNames that are in the list already.")


class BadCellQuery(Query):
    skip = serializers.IntegerField(min_value=0, max_value=10_000_000, default=0)
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=100)


class BadCellRow(serializers.Serializer):
    number = serializers.IntegerField(help_text="Of the row in the sheet.")
    column = serializers.CharField()
    value = serializers.CharField(allow_blank=True)
    words = serializers.SerializerMethodField(help_text="What is wrong.")

    def get_words(self, cell: Any) -> str:
        return shown(cell.words)


class BadCells(serializers.Serializer):
    items = BadCellRow(many=True)


class CommitForm(Form):
    sha256 = Text(min_length=64, max_length=64, help_text="The upload's `checked_sha256`: what was looked at is what is imported.")
    leave_out = Whole(default=0, help_text="How many bad rows stay out: exactly as many as the check found.")


class CheckAgainForm(Form):
    duplicates = serializers.ChoiceField(Duplicates.choices, required=False, help_text="From now on; else as before.")
