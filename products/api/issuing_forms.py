"""What goes in and out of the endpoints of issuing and revocation. A private key and a secret go in alone."""

from rest_framework import serializers

from console.rest.forms import Flag, Form, Moment, Text, Whole
from console.rest.paging import PageQuery
from products.models import DeviceKeyKind, IssuedCertificate, IssuingCA, RevocationList, RevocationReason, RevokedSerial
from products.models.issuing import LONGEST_DAYS
from products.services.revocation_lists import MINUTES

LONGEST_PEM = 64 * 1024
LIST_MEDIA = "application/pkix-crl"


class IssuingRow(serializers.ModelSerializer):
    certificate_authority = serializers.IntegerField(source="authority_id", help_text="The number of its CA certificate.")
    name = serializers.CharField(source="authority.name")
    not_after = Moment(source="authority.not_after")
    created_at = Moment()

    class Meta:
        model = IssuingCA
        fields = (
            "certificate_authority", "name", "kind", "not_after", "answers_registration", "device_key_kind", "certificate_days",
            "organization", "unit", "list_url", "endpoint_url", "endpoint_header", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class MakeForm(Form):
    name = Text(max_length=64, help_text="The CN of the CA's certificate.")
    kind = serializers.ChoiceField(DeviceKeyKind.choices, default=DeviceKeyKind.EC_P256)


class TakeUpForm(Form):
    certificate = Text(max_length=LONGEST_PEM, help_text="PEM, one CA certificate.")
    key = Text(max_length=LONGEST_PEM, write_only=True, help_text="PEM. Stored encrypted, never shown again.")
    password = Text(required=False, allow_blank=True, max_length=500, default="", write_only=True)
    name = Text(required=False, allow_blank=True, max_length=64, default="")


class OutsideForm(Form):
    certificate_authority = Whole(min_value=1, help_text="The number of its CA certificate, which is active.")
    url = Text(max_length=300)
    header = Text(required=False, allow_blank=True, max_length=64, default="")
    secret = Text(required=False, allow_blank=True, max_length=500, default="", write_only=True)
    trust = Text(required=False, allow_blank=True, max_length=LONGEST_PEM, default="", help_text="PEM of who vouches for the server.")


class ProfileForm(Form):
    answers_registration = Flag(help_text="Whether a device that registers is handed a certificate in place of a secret.")
    device_key_kind = serializers.ChoiceField(DeviceKeyKind.choices)
    certificate_days = Whole(min_value=1, max_value=LONGEST_DAYS)
    organization = Text(allow_blank=True, max_length=64)
    unit = Text(allow_blank=True, max_length=64)
    list_url = Text(allow_blank=True, max_length=200)


class IssuedQuery(PageQuery):
    product_key = serializers.CharField(required=False, max_length=64)
    device_name = serializers.CharField(required=False, max_length=64, help_text="In its stored form.")
    serial = serializers.CharField(required=False, max_length=64, help_text="Hexadecimal.")


class IssuedRow(serializers.ModelSerializer):
    product_key = serializers.CharField(source="product.key")
    data_center = serializers.SerializerMethodField(help_text="Its code, where the device registered.")
    certificate_authority = serializers.SerializerMethodField(help_text="The number of the CA certificate.")
    issued_at, not_after = Moment(), Moment()
    revoked_at = Moment(allow_null=True)
    reason = serializers.ChoiceField([*RevocationReason.choices, ("", "Not revoked")], allow_blank=True)

    class Meta:
        model = IssuedCertificate
        fields = (
            "id", "product_key", "device_name", "data_center", "certificate_authority", "serial", "sha256", "spki_sha256",
            "own_request", "issued_at", "not_after", "revoked_at", "reason",
        )  # fmt: skip
        read_only_fields = fields

    def get_data_center(self, row: IssuedCertificate) -> str | None:
        return row.data_center.code if row.data_center else None

    def get_certificate_authority(self, row: IssuedCertificate) -> int:
        return row.issuing_ca.authority_id


class RevocationForm(Form):
    reason = serializers.ChoiceField(RevocationReason.choices, default=RevocationReason.UNSPECIFIED)
    note = Text(required=False, allow_blank=True, max_length=500, default="", help_text="Goes to the audit log.")


class RevokeDeviceCertificatesForm(RevocationForm):
    device_name = Text(max_length=64, help_text="In its stored form.")


class RevokeSerialNumberForm(RevocationForm):
    serial = Text(max_length=64, help_text="Hexadecimal, with or without colons.")


class Counted(serializers.Serializer):
    revoked = serializers.IntegerField(help_text="How many certificates.")


class ListRow(serializers.ModelSerializer):
    certificate_authority = serializers.IntegerField(source="authority_id")
    this_update, next_update = Moment(allow_null=True), Moment(allow_null=True)
    taken_at, checked_at = Moment(allow_null=True), Moment(allow_null=True)

    class Meta:
        model = RevocationList
        fields = (
            "certificate_authority", "url", "interval_minutes", "number", "this_update", "next_update", "entries", "sha256", "taken_at",
            "checked_at", "error",
        )  # fmt: skip
        read_only_fields = fields


class SourceForm(Form):
    url = Text(allow_blank=True, max_length=300, help_text="Empty for a list that is uploaded.")
    interval_minutes = Whole(min_value=MINUTES[0], max_value=MINUTES[-1], default=60)


class ListForm(Form):
    list = Text(max_length=30_000_000, help_text="The CA's complete revocation list as PEM.")


class SerialRow(serializers.ModelSerializer):
    revoked_at = Moment()

    class Meta:
        model = RevokedSerial
        fields = ("id", "serial", "source", "revoked_at", "reason")
        read_only_fields = fields
