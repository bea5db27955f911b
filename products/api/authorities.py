"""CA certificates: upload, prove, activate, choose products; and how a product reads its devices' certificates."""

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample

from console.rest.endpoints import Call, Endpoint, operation
from console.rest.forms import ReasonForm
from products.api import finding
from products.api.authority_forms import (
    AuthorityChange,
    AuthorityQuery,
    AuthorityRow,
    GivenReasonForm,
    NewAuthorityForm,
    PolicyForm,
    PolicyRow,
    ProofForm,
    ServedForm,
)
from products.models import CertificateAuthority, CertificatePolicy
from products.services import authorities, authority_proof, authority_states, authority_upkeep, certificate_policies

TAG = "Certificates"
VIEW, ADD = "products.view_certificateauthority", "products.add_certificateauthority"
CHANGE, DELETE = "products.change_certificateauthority", "products.delete_certificateauthority"
PEM = "-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----\n"


def _rows() -> QuerySet[CertificateAuthority]:
    return CertificateAuthority.objects.prefetch_related("products").select_related("verified_by")


class Authorities(Endpoint):
    @operation(
        name="list_certificate_authorities",
        summary="List CA certificates",
        tag=TAG,
        permission=VIEW,
        answer=AuthorityRow,
        many=True,
        query=AuthorityQuery,
    )
    def get(self, call: Call) -> object:
        finding.require_every_product(call)
        return _rows().filter(**{name: call.query[name] for name in ("state", "sha256") if name in call.query})

    @operation(
        name="upload_certificate_authority",
        summary="Upload a CA certificate",
        tag=TAG,
        permission=ADD,
        body=NewAuthorityForm,
        answer=AuthorityRow,
        status=201,
        once=True,
        words="It is pending: sign a certificate with `proof_code` as CN with its key, and send that as its proof.",
        examples=(OpenApiExample("A root", request_only=True, value={"certificate": PEM, "name": "Works root", "products": []}),),
    )
    def post(self, call: Call) -> CertificateAuthority:
        finding.require_every_product(call)
        facts = {"name": call.data["name"], "products": finding.products_named(call.data.get("products", ()))}
        new = authority_upkeep.NewAuthority(call.data["certificate"].encode(), **facts)
        return finding.authority(call, authority_upkeep.upload(new, by=call.by, at=call.at).pk)


class OneAuthority(Endpoint):
    @operation(name="get_certificate_authority", summary="A CA certificate", tag=TAG, permission=VIEW, answer=AuthorityRow)
    def get(self, call: Call, number: int) -> CertificateAuthority:
        return finding.authority(call, number)

    @operation(
        name="rename_certificate_authority",
        summary="Rename a CA certificate",
        tag=TAG,
        permission=CHANGE,
        body=AuthorityChange,
        answer=AuthorityRow,
        once=True,
    )
    def patch(self, call: Call, number: int) -> CertificateAuthority:
        found = finding.authority(call, number)
        if "name" in call.data:
            authority_upkeep.rename(found.pk, call.data["name"], by=call.by, at=call.at)
        return finding.authority(call, number)

    @operation(
        name="remove_certificate_authority",
        summary="Remove a CA certificate that no device has used",
        tag=TAG,
        permission=DELETE,
        once=True,
        words="One that was used stays, inactive or revoked.",
    )
    def delete(self, call: Call, number: int) -> None:
        authority_upkeep.remove(finding.authority(call, number).pk, by=call.by, at=call.at)


class ProofCode(Endpoint):
    @operation(
        name="make_proof_code",
        summary="Make a new proof code",
        tag=TAG,
        permission=CHANGE,
        answer=AuthorityRow,
        once=True,
        words="Good for seven days and one use; the one before is void.",
    )
    def post(self, call: Call, number: int) -> CertificateAuthority:
        authority_proof.new_code(finding.authority(call, number).pk, by=call.by, at=call.at)
        return finding.authority(call, number)


class Proof(Endpoint):
    @operation(
        name="prove_certificate_authority",
        summary="Prove the possession of its private key",
        tag=TAG,
        permission=CHANGE,
        body=ProofForm,
        answer=AuthorityRow,
        once=True,
        words="With the verification certificate, which is kept as evidence. It is verified then, and not active yet.",
        examples=(OpenApiExample("A proof", request_only=True, value={"verification": PEM}),),
    )
    def post(self, call: Call, number: int) -> CertificateAuthority:
        found = finding.authority(call, number)
        authority_proof.prove(found.pk, call.data["verification"].encode(), by=call.by, at=call.at)
        return finding.authority(call, number)


class WithoutProof(Endpoint):
    @operation(
        name="accept_certificate_authority_without_proof",
        summary="Accept a CA certificate without proof",
        tag=TAG,
        permission="products.accept_without_proof",
        body=GivenReasonForm,
        answer=AuthorityRow,
        once=True,
        guarded=True,
        words="Somebody vouches for it: with a reason that stays.",
        examples=(OpenApiExample("A reason", request_only=True, value={"reason": "Root of our own, offline in the safe"}),),
    )
    def post(self, call: Call, number: int) -> CertificateAuthority:
        found = finding.authority(call, number)
        authority_proof.accept_without_proof(found.pk, reason=call.data["reason"], by=call.by, at=call.at)
        return finding.authority(call, number)


class Activate(Endpoint):
    @operation(
        name="activate_certificate_authority",
        summary="Activate a CA certificate",
        tag=TAG,
        permission=CHANGE,
        answer=AuthorityRow,
        once=True,
        words="Devices of its products can come with certificates of this CA. A product may have several active ones.",
    )
    def post(self, call: Call, number: int) -> CertificateAuthority:
        authority_states.activate(finding.authority(call, number).pk, by=call.by, at=call.at)
        return finding.authority(call, number)


class Deactivate(Endpoint):
    @operation(
        name="deactivate_certificate_authority",
        summary="Deactivate a CA certificate",
        tag=TAG,
        permission=CHANGE,
        body=ReasonForm,
        answer=AuthorityRow,
        once=True,
        words="Devices with certificates of this CA are refused, and those connected are cut off.",
    )
    def post(self, call: Call, number: int) -> CertificateAuthority:
        authority_states.deactivate(finding.authority(call, number).pk, reason=call.data["reason"], by=call.by, at=call.at)
        return finding.authority(call, number)


class Revoke(Endpoint):
    @operation(
        name="revoke_certificate_authority",
        summary="Revoke a whole CA",
        tag=TAG,
        permission=CHANGE,
        body=GivenReasonForm,
        answer=AuthorityRow,
        once=True,
        words="For good: no certificate of it counts any more, and devices that are connected by one are cut off.",
        examples=(OpenApiExample("A lost key", request_only=True, value={"reason": "The key was copied"}),),
    )
    def post(self, call: Call, number: int) -> CertificateAuthority:
        authority_states.revoke(finding.authority(call, number).pk, reason=call.data["reason"], by=call.by, at=call.at)
        return finding.authority(call, number)


class Served(Endpoint):
    @operation(
        name="set_products_of_certificate_authority",
        summary="Choose the products that it serves",
        tag=TAG,
        permission=CHANGE,
        body=ServedForm,
        answer=AuthorityRow,
        once=True,
        examples=(OpenApiExample("One product", request_only=True, value={"products": ["a1ExpAkj9Hi"]}),),
    )
    def put(self, call: Call, number: int) -> CertificateAuthority:
        found, products = finding.authority(call, number), finding.products_named(call.data["products"])
        authority_upkeep.set_products(found.pk, products, by=call.by, at=call.at)
        return finding.authority(call, number)


class ProductCertificatePolicy(Endpoint):
    @operation(name="get_certificate_policy", summary="How its devices' certificates are read", tag=TAG, permission=VIEW, answer=PolicyRow)
    def get(self, call: Call, key: str) -> CertificatePolicy:
        return authorities.policy_of(finding.product(call, key).pk)

    @operation(
        name="change_certificate_policy",
        summary="Change how its devices' certificates are read",
        tag=TAG,
        permission=CHANGE,
        body=PolicyForm,
        answer=PolicyRow,
        once=True,
        examples=(OpenApiExample("The serial number", request_only=True, value={"identity": "serial_number"}),),
    )
    def patch(self, call: Call, key: str) -> CertificatePolicy:
        return certificate_policies.change(finding.product(call, key).pk, dict(call.data), by=call.by, at=call.at)
