"""Data centers and their host names. They belong to no product: only who sees every product works with them."""

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample

from console.rest.endpoints import Call, Endpoint, operation
from console.rest.paging import PageQuery
from products.api import finding
from products.api.forms import DataCenterChange, DataCenterForm, DataCenterRow
from products.models import DataCenter
from products.services import data_centers

TAG = "Data centers"
FRANKFURT = {"code": "eu-frankfurt", "name": "Frankfurt", "hosts": ["frankfurt.devices.example.com"]}


def _centers() -> QuerySet[DataCenter]:
    return DataCenter.objects.prefetch_related("hosts")


class DataCenters(Endpoint):
    @operation(
        name="list_data_centers",
        summary="List data centers",
        tag=TAG,
        permission="products.view_datacenter",
        answer=DataCenterRow,
        many=True,
        query=PageQuery,
    )
    def get(self, call: Call) -> object:
        finding.require_every_product(call)
        return _centers()

    @operation(
        name="create_data_center",
        summary="Add a data center",
        tag=TAG,
        permission="products.add_datacenter",
        body=DataCenterForm,
        answer=DataCenterRow,
        status=201,
        once=True,
        examples=(OpenApiExample("Frankfurt", request_only=True, value=FRANKFURT),),
    )
    def post(self, call: Call) -> DataCenter:
        finding.require_every_product(call)
        facts = {"database": "default", "hosts": [], **call.data}
        return data_centers.save(DataCenter(), **facts, by=call.by, at=call.at)


class OneDataCenter(Endpoint):
    @operation(name="get_data_center", summary="A data center", tag=TAG, permission="products.view_datacenter", answer=DataCenterRow)
    def get(self, call: Call, code: str) -> DataCenter:
        finding.require_every_product(call)
        return finding.data_center(code)

    @operation(
        name="change_data_center",
        summary="Change a data center",
        tag=TAG,
        permission="products.change_datacenter",
        body=DataCenterChange,
        answer=DataCenterRow,
        once=True,
    )
    def patch(self, call: Call, code: str) -> DataCenter:
        finding.require_every_product(call)
        center = finding.data_center(code)
        hosts = list(center.hosts.values_list("host", flat=True))
        facts = {"name": center.name, "database": center.database, "hosts": hosts, **call.data}
        return data_centers.save(center, code=center.code, **facts, by=call.by, at=call.at)


class MakeHome(Endpoint):
    @operation(
        name="make_home_data_center",
        summary="Make it the home data center",
        tag=TAG,
        permission="products.change_datacenter",
        answer=DataCenterRow,
        once=True,
        words="Unknown host names lead there from now on.",
    )
    def post(self, call: Call, code: str) -> DataCenter:
        finding.require_every_product(call)
        data_centers.make_home(finding.data_center(code), by=call.by, at=call.at)
        return finding.data_center(code)
