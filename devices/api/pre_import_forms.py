"""What goes in and out of the endpoints of the pre-import list. A DeviceSecret comes in once and has a place in one answer alone."""

from rest_framework import serializers

from console.rest.forms import MOST_ROWS, Flag, Form, Moment, Query, RowId, Text, Whole
from console.rest.paging import PageQuery
from devices.models import Authentication, PreImportedDevice

KEY = "The ProductKey."
FINGERPRINT = "With x509 alone: SHA-1 as 40 hex digits or SHA-256 as 64, with or without colons."
SEARCH = (
    "The beginning of a DeviceName (a MAC address in any spelling), a whole SN, or the whole fingerprint of a certificate "
    "(SHA-1 or SHA-256, with or without colons)."
)
LONGEST_SEARCH = 128
"""SHA-256 with colons has 95 characters."""


class PreImportRow(serializers.ModelSerializer):
    product_key = serializers.CharField(source="product.key")
    sn = serializers.SerializerMethodField(help_text="Empty where there is none.")
    batch_id = serializers.IntegerField(allow_null=True)
    created_at = Moment()

    class Meta:
        model = PreImportedDevice
        fields = (
            "id", "product_key", "device_name", "nickname", "sn", "authentication", "certificate_fingerprint", "batch_id", "created_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_sn(self, row: PreImportedDevice) -> str:
        return row.sn or ""


class PreImportQuery(PageQuery):
    product_key = serializers.CharField(required=False, max_length=64, help_text=KEY)
    authentication = serializers.ChoiceField(Authentication.choices, required=False)
    batch_id = RowId(required=False)
    search = serializers.CharField(required=False, max_length=LONGEST_SEARCH, help_text=SEARCH)


class RowFacts(Form):
    nickname = Text(required=False, allow_blank=True, max_length=64)
    sn = Text(required=False, allow_blank=True, max_length=64)
    authentication = serializers.ChoiceField(Authentication.choices, required=False)
    certificate_fingerprint = Text(required=False, allow_blank=True, max_length=128, help_text=FINGERPRINT)


class OneRow(RowFacts):
    device_name = Text(max_length=128)
    device_secret = Text(
        required=False,
        allow_blank=True,
        max_length=128,
        write_only=True,
        help_text="Of a device that holds one already; else one is issued.",
    )


class NewRowForm(OneRow):
    product_key = Text(max_length=64, help_text=KEY)


class BulkForm(Form):
    product_key = Text(max_length=64, help_text=KEY)
    rows = serializers.ListField(child=OneRow(), min_length=1, max_length=MOST_ROWS)


class RowOutcome(serializers.Serializer):
    index = serializers.IntegerField(help_text="Its place in the request, from 0.")
    device_name = serializers.CharField()
    outcome = serializers.ChoiceField([("created", "Created"), ("refused", "Refused")])
    id = serializers.IntegerField(allow_null=True, help_text="Of the row that was created.")
    code = serializers.CharField(allow_blank=True, help_text="Why it was refused; empty otherwise.")
    field = serializers.CharField(allow_blank=True)
    detail = serializers.CharField(allow_blank=True)


class BulkOutcome(serializers.Serializer):
    created = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = RowOutcome(many=True)


class DeleteQuery(Query):
    with_devices = serializers.BooleanField(default=False, help_text="Also from every data center's list, which voids their secrets (A7).")
    reason = serializers.CharField(required=False, max_length=500, default="", allow_blank=True, help_text="Goes to the audit log.")


class BulkDeleteForm(Form):
    ids = serializers.ListField(child=Whole(min_value=1), min_length=1, max_length=MOST_ROWS)
    with_devices = Flag(default=False)
    reason = Text(required=False, allow_blank=True, max_length=500, default="")


class Deletion(serializers.Serializer):
    id = serializers.IntegerField()
    outcome = serializers.ChoiceField([("deleted", "Deleted"), ("not_found", "Not found")])


class BulkDeletion(serializers.Serializer):
    deleted = serializers.IntegerField()
    results = Deletion(many=True)


class DeviceSecretShown(serializers.Serializer):
    product_key = serializers.CharField()
    device_name = serializers.CharField()
    device_secret = serializers.CharField()
