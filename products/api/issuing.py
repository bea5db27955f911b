"""Issuing certificates: a product's issuing CA, and what was issued."""

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample

from console.errors import Invalid, NotFound
from console.rest.endpoints import Call, Endpoint, operation
from console.rest.forms import ReasonForm
from products.api import finding
from products.api.issuing_forms import (
    Counted,
    IssuedQuery,
    IssuedRow,
    IssuingRow,
    MakeForm,
    OutsideForm,
    ProfileForm,
    RevocationForm,
    RevokeDeviceCertificatesForm,
    TakeUpForm,
)
from products.models import CertificateAuthority, IssuedCertificate, IssuingCA
from products.services import access, issuing_ca, revocation
from products.services.issuing_ca import Outside

TAG = "Certificates"
VIEW, CHANGE = "products.view_issuingca", "products.change_issuingca"
SEE, REVOKE = "products.view_issuedcertificate", "products.revoke_issuedcertificate"
PEM = "-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----\n"


def _current(call: Call, key: str) -> IssuingCA:
    """Raises NotFound."""
    rows = IssuingCA.objects.select_related("authority")
    found = rows.filter(product=finding.product(call, key), current=True).first()
    if found is None:
        raise NotFound("The product has no issuing CA.")
    return found


class ProductIssuing(Endpoint):
    @operation(name="get_issuing_ca", summary="A product's issuing CA", tag=TAG, permission=VIEW, answer=IssuingRow)
    def get(self, call: Call, key: str) -> IssuingCA:
        return _current(call, key)

    @operation(
        name="make_issuing_ca",
        summary="Make an issuing CA",
        tag=TAG,
        permission=CHANGE,
        body=MakeForm,
        answer=IssuingRow,
        status=201,
        once=True,
        guarded=True,
        words="A new key, sealed in the console, and a certificate of twenty years that is active for the product.",
        examples=(OpenApiExample("A CA", request_only=True, value={"name": "Toaster devices", "kind": "ec-p256"}),),
    )
    def post(self, call: Call, key: str) -> IssuingCA:
        issuing_ca.make(finding.product(call, key), **call.data, by=call.by, at=call.at)
        return _current(call, key)

    @operation(
        name="change_issuing_ca",
        summary="Change what is issued",
        tag=TAG,
        permission=CHANGE,
        body=ProfileForm,
        answer=IssuingRow,
        once=True,
        examples=(OpenApiExample("Five years", request_only=True, value={"certificate_days": 1825}),),
    )
    def patch(self, call: Call, key: str) -> IssuingCA:
        issuing_ca.change(_current(call, key).pk, dict(call.data), by=call.by, at=call.at)
        return _current(call, key)


class TakeUp(Endpoint):
    @operation(
        name="take_up_issuing_ca",
        summary="Take up an issuing CA with its key",
        tag=TAG,
        permission=CHANGE,
        body=TakeUpForm,
        answer=IssuingRow,
        status=201,
        guarded=True,
        examples=(OpenApiExample("A CA", request_only=True, value={"certificate": PEM, "key": "-----BEGIN PRIVATE KEY-----\n..."}),),
    )
    def post(self, call: Call, key: str) -> IssuingCA:
        texts = {name: call.data[name].encode() for name in ("certificate", "key")}
        names = {name: call.data[name] for name in ("password", "name")}
        issuing_ca.take_up(finding.product(call, key), **texts, **names, by=call.by, at=call.at)
        return _current(call, key)


class UseOutside(Endpoint):
    @operation(
        name="use_outside_ca",
        summary="Have certificates issued by a CA outside",
        tag=TAG,
        permission=CHANGE,
        body=OutsideForm,
        answer=IssuingRow,
        status=201,
        words="A request (PKCS #10) is posted to the URL for each device and answered with its certificate.",
        examples=(OpenApiExample("A CA", request_only=True, value={"certificate_authority": 1, "url": "https://ca.example/sign"}),),
    )
    def post(self, call: Call, key: str) -> IssuingCA:
        data = call.data
        product = finding.product(call, key)
        authority = CertificateAuthority.objects.filter(pk=data["certificate_authority"]).first()
        if authority is None:
            raise Invalid("There is no CA certificate of this number.", field="certificate_authority")
        outside = Outside(data["url"], data["header"], data["secret"] or None, data["trust"])
        issuing_ca.use_outside(product, authority=authority, outside=outside, by=call.by, at=call.at)
        return _current(call, key)


class Retire(Endpoint):
    @operation(
        name="retire_issuing_ca",
        summary="Retire a product's issuing CA",
        tag=TAG,
        permission=CHANGE,
        body=ReasonForm,
        once=True,
        words="It issues no more; its certificates stay good, and its revocation list goes on.",
    )
    def post(self, call: Call, key: str) -> None:
        issuing_ca.retire(_current(call, key).pk, reason=call.data["reason"], by=call.by, at=call.at)


class RevokeDevice(Endpoint):
    @operation(
        name="revoke_device_certificates",
        summary="Revoke all certificates of a device",
        tag=TAG,
        permission=REVOKE,
        body=RevokeDeviceCertificatesForm,
        answer=Counted,
        once=True,
        examples=(OpenApiExample("A device", request_only=True, value={"device_name": "A4C138000001", "reason": "key_compromise"}),),
    )
    def post(self, call: Call, key: str) -> dict[str, int]:
        return {"revoked": revocation.revoke_device(finding.product(call, key), **call.data, by=call.by, at=call.at)}


def _issued(call: Call) -> QuerySet[IssuedCertificate]:
    return access.only(IssuedCertificate.objects.select_related("product", "data_center", "issuing_ca"), call.user)


class IssuedCertificates(Endpoint):
    @operation(
        name="list_issued_certificates",
        summary="List certificates that were issued",
        tag=TAG,
        permission=SEE,
        answer=IssuedRow,
        many=True,
        query=IssuedQuery,
    )
    def get(self, call: Call) -> object:
        wanted: dict[str, object] = {"device_name": call.query["device_name"]} if "device_name" in call.query else {}
        if "product_key" in call.query:
            wanted["product_id"] = finding.product(call, call.query["product_key"]).pk
        if "serial" in call.query:
            wanted["serial"] = revocation.read_serial(call.query["serial"])
        return _issued(call).filter(**wanted)


class OneIssued(Endpoint):
    @operation(name="get_issued_certificate", summary="A certificate that was issued", tag=TAG, permission=SEE, answer=IssuedRow)
    def get(self, call: Call, number: int) -> IssuedCertificate:
        return _one(call, number)


class RevokeIssued(Endpoint):
    @operation(
        name="revoke_issued_certificate",
        summary="Revoke a certificate that was issued",
        tag=TAG,
        permission=REVOKE,
        body=RevocationForm,
        answer=IssuedRow,
        once=True,
        examples=(OpenApiExample("A lost key", request_only=True, value={"reason": "key_compromise"}),),
    )
    def post(self, call: Call, number: int) -> IssuedCertificate:
        revocation.revoke(_one(call, number).pk, **call.data, by=call.by, at=call.at)
        return _one(call, number)


def _one(call: Call, number: int) -> IssuedCertificate:
    """Raises NotFound."""
    found: IssuedCertificate | None = _issued(call).filter(pk=number).first()
    if found is None:
        raise NotFound("There is no certificate of this number.")
    return found
