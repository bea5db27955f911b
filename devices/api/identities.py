"""The physical devices behind a name: who they are, who is connected, Switch (A12) and Clear (A13), and the orders to cut off."""

from drf_spectacular.utils import OpenApiExample

from console.rest.endpoints import Call, Endpoint, operation
from console.rest.forms import ReasonForm
from console.rest.paging import PageQuery
from devices.api import finding
from devices.api.device_forms import ConnectionRow, CutOff, IdentityRow, KeepForm, OrderQuery, OrderRow
from devices.models import ClientIdentity, Connection, DisconnectOrder
from devices.services import client_ids
from products.services import access

TAG = "Devices"
VIEW, SWITCH = "devices.view_device", "devices.switch_client_id"


class Identities(Endpoint):
    @operation(
        name="list_identities",
        summary="The ClientIDs of a name",
        tag=TAG,
        permission=VIEW,
        answer=IdentityRow,
        many=True,
        query=PageQuery,
    )
    def get(self, call: Call, code: str, number: int) -> object:
        return ClientIdentity.objects.of(finding.device(call, code, number)).defer("sealed_token_digest")


class Switch(Endpoint):
    @operation(
        name="switch_client_id",
        summary="Keep one ClientID",
        tag=TAG,
        permission=SWITCH,
        body=KeepForm,
        answer=CutOff,
        once=True,
        words="The others are forbidden to connect and cut off, and no further one registers until Clear (A12).",
        examples=(OpenApiExample("This one", request_only=True, value={"keep": "q7RkX2mB9sTfLw0c", "reason": "Clone found"}),),
    )
    def post(self, call: Call, code: str, number: int) -> dict[str, int]:
        return {"cut_off": client_ids.switch(finding.device(call, code, number), **call.data, by=call.by, at=call.at)}


class Clear(Endpoint):
    @operation(
        name="clear_client_ids",
        summary="Forbid all ClientIDs",
        tag=TAG,
        permission=SWITCH,
        body=ReasonForm,
        answer=CutOff,
        once=True,
        words="After that the physical devices of the name may register anew (A13).",
    )
    def post(self, call: Call, code: str, number: int) -> dict[str, int]:
        device = finding.device(call, code, number)
        return {"cut_off": client_ids.clear(device, reason=call.data["reason"], by=call.by, at=call.at)}


class Connections(Endpoint):
    @operation(
        name="list_connections",
        summary="A device's connections",
        tag=TAG,
        permission=VIEW,
        answer=ConnectionRow,
        many=True,
        query=PageQuery,
    )
    def get(self, call: Call, code: str, number: int) -> object:
        return Connection.objects.of(finding.device(call, code, number)).select_related("identity")


class DisconnectOrders(Endpoint):
    @operation(
        name="list_disconnect_orders",
        summary="Orders to cut off",
        tag=TAG,
        permission=VIEW,
        answer=OrderRow,
        many=True,
        query=OrderQuery,
        words="Of a data center; each tells what its broker made of it.",
    )
    def get(self, call: Call, code: str) -> object:
        orders = access.only(DisconnectOrder.objects.at(finding.data_center(code)), call.user)
        if call.query["waiting"] is None:
            return orders
        return orders.filter(done_at__isnull=call.query["waiting"])
