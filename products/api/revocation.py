"""Revocation of a CA's certificates: its list, and serial numbers by hand. For those who see every product, as CA certificates are."""

from drf_spectacular.utils import OpenApiExample

from console.errors import NotFound
from console.rest.endpoints import Call, Endpoint, operation
from console.rest.forms import ReasonForm
from console.rest.paging import PageQuery
from products.api import finding
from products.api.issuing_forms import ListForm, ListRow, RevokeSerialNumberForm, SerialRow, SourceForm
from products.models import RevocationList, RevokedSerial
from products.services import revocation, revocation_lists

TAG = "Certificates"
VIEW, CHANGE = "products.view_certificateauthority", "products.change_certificateauthority"
PEM = "-----BEGIN X509 CRL-----\n...\n-----END X509 CRL-----\n"


def _list(call: Call, number: int) -> RevocationList:
    """Raises NotFound."""
    found = RevocationList.objects.filter(authority=finding.authority(call, number)).first()
    if found is None:
        raise NotFound("The CA certificate has no revocation list.")
    return found


class AuthorityList(Endpoint):
    @operation(name="get_revocation_list", summary="The revocation list of a CA", tag=TAG, permission=VIEW, answer=ListRow)
    def get(self, call: Call, number: int) -> RevocationList:
        return _list(call, number)

    @operation(
        name="set_revocation_list_source",
        summary="Say where the list is fetched",
        tag=TAG,
        permission=CHANGE,
        body=SourceForm,
        answer=ListRow,
        once=True,
        examples=(OpenApiExample("Hourly", request_only=True, value={"url": "http://ca.example/works.crl", "interval_minutes": 60}),),
    )
    def put(self, call: Call, number: int) -> RevocationList:
        return revocation_lists.set_source(finding.authority(call, number).pk, **call.data, by=call.by, at=call.at)


class UploadList(Endpoint):
    @operation(
        name="upload_revocation_list",
        summary="Upload a revocation list",
        tag=TAG,
        permission=CHANGE,
        body=ListForm,
        answer=ListRow,
        words="The CA's complete list; its number and date do not go back. Delta lists are refused.",
        examples=(OpenApiExample("A list", request_only=True, value={"list": PEM}),),
    )
    def post(self, call: Call, number: int) -> RevocationList:
        return revocation_lists.upload(finding.authority(call, number).pk, call.data["list"].encode(), by=call.by, at=call.at)


class FetchList(Endpoint):
    @operation(
        name="fetch_revocation_list", summary="Fetch the list now", tag=TAG, permission=CHANGE, answer=ListRow, words="In the background."
    )
    def post(self, call: Call, number: int) -> RevocationList:
        revocation_lists.fetch_soon(_list(call, number).pk, at=call.at)
        return _list(call, number)


class RemoveList(Endpoint):
    @operation(
        name="remove_revocation_list",
        summary="Remove the list of a CA",
        tag=TAG,
        permission=CHANGE,
        body=ReasonForm,
        once=True,
        words="What it names passes again; what was revoked by hand stays revoked.",
    )
    def post(self, call: Call, number: int) -> None:
        revocation_lists.remove(_list(call, number).pk, reason=call.data["reason"], by=call.by, at=call.at)


class RevokedSerials(Endpoint):
    @operation(
        name="list_revoked_serials",
        summary="List revoked serial numbers of a CA",
        tag=TAG,
        permission=VIEW,
        answer=SerialRow,
        many=True,
        query=PageQuery,
    )
    def get(self, call: Call, number: int) -> object:
        return RevokedSerial.objects.filter(authority=finding.authority(call, number)).order_by("-id")

    @operation(
        name="revoke_serial",
        summary="Revoke a serial number",
        tag=TAG,
        permission=CHANGE,
        body=RevokeSerialNumberForm,
        answer=SerialRow,
        status=201,
        once=True,
        examples=(OpenApiExample("A lost key", request_only=True, value={"serial": "0A:1B:2C", "reason": "key_compromise"}),),
    )
    def post(self, call: Call, number: int) -> RevokedSerial:
        return revocation.revoke_serial(finding.authority(call, number).pk, **call.data, by=call.by, at=call.at)
