"""What goes in and out of the endpoints of a device's certificate. Fingerprints are lower-case hex, empty where they are not known."""

from rest_framework import serializers

from console.rest.forms import Form, Moment, Text

FINGERPRINT = "SHA-1 as 40 hex digits or SHA-256 as 64, with or without colons."


class CertificateRow(serializers.Serializer):
    sha256 = serializers.CharField(allow_blank=True, help_text="Of the certificate that is expected.")
    sha1 = serializers.CharField(allow_blank=True, help_text="Where it was given, or the certificate was seen.")
    spki_sha256 = serializers.CharField(allow_blank=True, help_text="Of its public key, once it was seen.")
    next_sha256 = serializers.CharField(allow_blank=True, help_text="Of the one that the device is about to change to.")
    next_sha1 = serializers.CharField(allow_blank=True)
    next_set_at = Moment(allow_null=True)
    first_seen_at = Moment(allow_null=True, help_text="Empty sha256 and sha1: the next certificate that it presents is taken.")
    subject = serializers.CharField(allow_blank=True)
    serial = serializers.CharField(allow_blank=True, help_text="Upper-case hexadecimal.")
    not_after = Moment(allow_null=True)
    certificate_authority = serializers.IntegerField(allow_null=True, help_text="The number of the CA certificate at the end of its path.")
    revoked_at = Moment(allow_null=True, help_text="All certificates of the device; none is accepted until its pin is reset.")


class NextForm(Form):
    fingerprint = Text(allow_blank=True, max_length=200, help_text=f"{FINGERPRINT} Empty: none is announced any more.")


class PinForm(Form):
    fingerprint = Text(
        required=False,
        allow_blank=True,
        default="",
        max_length=200,
        help_text=f"{FINGERPRINT} Empty: the next certificate that it presents is taken.",
    )
    reason = Text(required=False, allow_blank=True, max_length=500, default="", help_text="Goes to the audit log.")
