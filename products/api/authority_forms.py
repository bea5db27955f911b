"""What goes in and out of the endpoints of CA certificates. No form has a place for a private key."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from console.crypto.certificates import reading
from console.rest.forms import Flag, Form, Moment, Text, Whole
from console.rest.paging import PageQuery
from products.models import AuthorityState, CertificateAuthority, CertificatePolicy, IdentitySource
from products.models.authority import LONGEST_CRL_AGE
from products.services.authority_proof import LONGEST_REASON
from products.services.authority_upkeep import LONGEST_NAME

LONGEST_PEM = 1_000_000


class AuthorityQuery(PageQuery):
    state = serializers.ChoiceField(AuthorityState.choices, required=False)
    sha256 = serializers.RegexField("^[0-9a-f]{64}$", required=False, help_text="Of the certificate, as 64 lower-case hex digits.")


class AuthorityRow(serializers.ModelSerializer):
    expired = serializers.SerializerMethodField(help_text="Its time is over, whatever its state says.")
    products = serializers.SerializerMethodField(help_text="ProductKeys of those that it serves.")
    certificate = serializers.SerializerMethodField(help_text="As PEM.")
    proof_code = serializers.SerializerMethodField(help_text="The CN of the verification certificate; null once it was used.")
    proof_code_ends_at = Moment(allow_null=True)
    without_proof = serializers.BooleanField(source="is_without_proof", help_text="An administrator vouched for it.")
    verified_by = serializers.CharField(source="verified_by.username", default=None, allow_null=True)
    not_before, not_after, uploaded_at = Moment(), Moment(), Moment()
    verified_at, first_used_at, revoked_at = Moment(allow_null=True), Moment(allow_null=True), Moment(allow_null=True)

    class Meta:
        model = CertificateAuthority
        fields = (
            "id", "name", "state", "expired", "products", "subject", "issuer", "serial_number", "not_before", "not_after", "key_kind",
            "sha256", "sha1", "spki_sha256", "subject_key_id", "certificate", "proof_code", "proof_code_ends_at",
            "without_proof", "without_proof_reason", "verified_at", "verified_by", "uploaded_at", "first_used_at", "revoked_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_expired(self, authority: CertificateAuthority) -> bool:
        return authority.has_ended(timezone.now())

    def get_products(self, authority: CertificateAuthority) -> list[str]:
        return sorted(product.key for product in authority.products.all())

    def get_certificate(self, authority: CertificateAuthority) -> str:
        return reading.to_pem(reading.from_der(bytes(authority.certificate)))

    def get_proof_code(self, authority: CertificateAuthority) -> str | None:
        return authority.proof_code or None


class Pem(Text):
    """A certificate in a JSON string."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": LONGEST_PEM, **options})


class NewAuthorityForm(Form):
    certificate = Pem(help_text="As PEM, one certificate. A private key is refused and not kept.")
    name = Text(required=False, allow_blank=True, max_length=LONGEST_NAME, default="", help_text="The CN of its subject where left out.")
    products = serializers.ListField(child=Text(max_length=64), required=False, max_length=1000, help_text="ProductKeys.")


class AuthorityChange(Form):
    name = Text(max_length=LONGEST_NAME)


class ProofForm(Form):
    verification = Pem(help_text="The verification certificate as PEM: the proof code as CN, signed with the CA's key.")


class GivenReasonForm(Form):
    reason = Text(max_length=LONGEST_REASON, help_text="Stays with the CA certificate and goes to the audit log.")


class ServedForm(Form):
    products = serializers.ListField(child=Text(max_length=64), max_length=1000, help_text="ProductKeys: exactly these from now on.")


class PolicyForm(Form):
    identity = serializers.ChoiceField(IdentitySource.choices, help_text="Where in a certificate its DeviceName stands.")
    same_key = Flag(help_text="Whether a certificate issued anew for the key that is known passes.")
    crl_max_age_hours = Whole(min_value=1, max_value=LONGEST_CRL_AGE, allow_null=True, help_text="null: as the list says itself.")
    old_list_refuses = Flag(help_text="Whether devices are refused while the revocation list is too old or was never obtained.")


class PolicyRow(serializers.ModelSerializer):
    class Meta:
        model = CertificatePolicy
        fields = ("identity", "same_key", "crl_max_age_hours", "old_list_refuses")
        read_only_fields = fields
