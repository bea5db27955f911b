"""Pools of MAC addresses (G7). They belong to no product: only who sees every product works with them."""

from drf_spectacular.utils import OpenApiExample

from console.rest.endpoints import Call, Endpoint, operation
from console.rest.paging import PageQuery
from devices.api import finding
from devices.api.batch_forms import MacPoolRow, NewPoolForm
from devices.models import MacPool
from devices.services import mac_pools

TAG = "Production"


class MacPools(Endpoint):
    @operation(
        name="list_mac_pools",
        summary="List MAC pools",
        tag=TAG,
        permission="devices.view_macpool",
        answer=MacPoolRow,
        many=True,
        query=PageQuery,
    )
    def get(self, call: Call) -> object:
        finding.require_every_product(call)
        return MacPool.objects.all()

    @operation(
        name="create_mac_pool",
        summary="Add a MAC pool",
        tag=TAG,
        permission="devices.add_macpool",
        body=NewPoolForm,
        answer=MacPoolRow,
        status=201,
        once=True,
        examples=(OpenApiExample("A block", request_only=True, value={"name": "Kettles", "kind": "MA-L", "prefix": "A4:DA:32"}),),
    )
    def post(self, call: Call) -> MacPool:
        finding.require_every_product(call)
        return mac_pools.create(mac_pools.NewPool(**call.data), by=call.by, at=call.at)


class OneMacPool(Endpoint):
    @operation(name="get_mac_pool", summary="A MAC pool", tag=TAG, permission="devices.view_macpool", answer=MacPoolRow)
    def get(self, call: Call, number: int) -> MacPool:
        finding.require_every_product(call)
        return finding.one(MacPool.objects.all(), number)

    @operation(name="remove_mac_pool", summary="Remove an unused MAC pool", tag=TAG, permission="devices.delete_macpool", once=True)
    def delete(self, call: Call, number: int) -> None:
        finding.require_every_product(call)
        mac_pools.remove(finding.one(MacPool.objects.all(), number).pk, by=call.by, at=call.at)
