"""Download codes (Q8): one file of one batch for somebody without an account. Redeeming takes no API key: the code is the credential."""

from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample

from console.errors import Forbidden
from console.rest.endpoints import Call, Endpoint, operation
from console.rest.forms import Form, Text
from console.shared.addresses import client_address
from devices.api import finding
from devices.api.batch_forms import DownloadCodeQuery, DownloadCodeRow, MadeDownloadCode, NewDownloadCodeForm, RedeemForm
from devices.api.batches import DOWNLOAD, streamed
from devices.models import DownloadCode
from devices.services import download_codes
from products.services import access

TAG = "Production"
VIEW = "devices.view_downloadcode"


class DownloadCodes(Endpoint):
    @operation(
        name="list_download_codes",
        summary="List download codes",
        tag=TAG,
        permission=VIEW,
        answer=DownloadCodeRow,
        many=True,
        query=DownloadCodeQuery,
    )
    def get(self, call: Call) -> object:
        found = _seen(call)
        return found.filter(batch_id=call.query["batch_id"]) if "batch_id" in call.query else found


class MakeDownloadCode(Endpoint):
    @operation(
        name="make_download_code",
        summary="Make a download code",
        tag=TAG,
        permission="devices.add_downloadcode",
        body=NewDownloadCodeForm,
        answer=MadeDownloadCode,
        status=201,
        once=True,
        guarded=True,
        words="For a batch and a format. The code is in this answer alone.",
        examples=(OpenApiExample("For the factory", request_only=True, value={"format": "csv", "note": "Factory 2", "hours": 48}),),
    )
    def post(self, call: Call, number: int) -> download_codes.MadeCode:
        if not call.user.has_perm(DOWNLOAD):  # Who may not have the codes hands out none.
            raise Forbidden
        batch = finding.one(finding.batches(call), number)
        facts = dict(call.data)
        new = download_codes.NewCode(lasts=timedelta(hours=facts.pop("hours")), **facts)
        return download_codes.make(batch.pk, new, by=call.by, at=call.at)


class OneDownloadCode(Endpoint):
    @operation(name="get_download_code", summary="A download code", tag=TAG, permission=VIEW, answer=DownloadCodeRow)
    def get(self, call: Call, number: int) -> DownloadCode:
        return finding.one(_seen(call), number)


class RevokeForm(Form):
    reason = Text(max_length=200)


class RevokeDownloadCode(Endpoint):
    @operation(
        name="revoke_download_code",
        summary="Revoke a download code",
        tag=TAG,
        permission="devices.delete_downloadcode",
        body=RevokeForm,
        answer=DownloadCodeRow,
        once=True,
        examples=(OpenApiExample("Lost", request_only=True, value={"reason": "Sent to the wrong address"}),),
    )
    def post(self, call: Call, number: int) -> DownloadCode:
        download_codes.revoke(finding.one(_seen(call), number).pk, reason=call.data["reason"], by=call.by, at=call.at)
        return finding.one(_seen(call), number)


class RedeemDownloadCode(Endpoint):
    """For who has a code and nothing else."""

    authentication_classes = ()
    permission_classes = ()

    @operation(
        name="redeem_download_code",
        summary="Redeem a download code",
        tag=TAG,
        body=RedeemForm,
        answer=OpenApiTypes.BINARY,
        media="application/octet-stream",
        words="The file; each redemption is counted and audited. A code that opens nothing is 404, whatever the reason.",
        examples=(OpenApiExample("A code", request_only=True, value={"code": "2345-6789-ABCD-EFGH-JKLM-NPQR-STVW-XZ23"}),),
    )
    def post(self, call: Call) -> StreamingHttpResponse:
        address = client_address(call.request.META, settings.NAMEPLATE_TRUSTED_PROXIES)
        return streamed(download_codes.redeem(call.data["code"], address=address, at=call.at))


def _seen(call: Call) -> QuerySet[DownloadCode]:
    return access.only(DownloadCode.objects.select_related("batch", "made_by"), call.user, field="batch__product_id")
