"""The pre-import list (Q1): one for the account, valid in every data center. Rows one by one, and up to 1,000 in one call."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

from console.rest.endpoints import Call, Endpoint, operation
from console.shared.translation import shown
from devices.api import finding
from devices.api.pre_import_forms import (
    BulkDeleteForm,
    BulkDeletion,
    BulkForm,
    BulkOutcome,
    DeleteQuery,
    DeviceSecretShown,
    NewRowForm,
    PreImportQuery,
    PreImportRow,
    RowFacts,
)
from devices.models import PreImportedDevice
from devices.services import pre_import, pre_import_bulk
from devices.services.pre_import_bulk import Outcome

TAG = "Pre-import"
VIEW, ADD = "devices.view_preimporteddevice", "devices.add_preimporteddevice"
CHANGE, DELETE = "devices.change_preimporteddevice", "devices.delete_preimporteddevice"
ONE = {"product_key": "a1ExpAkj9Hi", "device_name": "A4:DA:32:00:00:01", "nickname": "Kitchen", "sn": "SN-0001"}
TWO = {"product_key": "a1ExpAkj9Hi", "rows": [{"device_name": "A4DA32000002"}, {"device_name": "A4DA32000003", "authentication": "static"}]}


class PreImport(Endpoint):
    @operation(
        name="list_pre_import",
        summary="List pre-import rows",
        tag=TAG,
        permission=VIEW,
        answer=PreImportRow,
        many=True,
        query=PreImportQuery,
    )
    def get(self, call: Call) -> object:
        found: Any = finding.of_product(finding.pre_imported(call), call.query)
        wanted = {name: call.query[name] for name in ("authentication", "batch_id") if name in call.query}
        return found.filter(**wanted).matching(call.query.get("search", ""))

    @operation(
        name="add_pre_import_row",
        summary="Add a row",
        tag=TAG,
        permission=ADD,
        body=NewRowForm,
        answer=PreImportRow,
        status=201,
        once=True,
        words="Its DeviceSecret is issued now (A3), unless the device holds one already.",
        examples=(OpenApiExample("A kettle", request_only=True, value=ONE),),
    )
    def post(self, call: Call) -> PreImportedDevice:
        product = finding.named_product(call)
        return pre_import.add(product, _new(call.data), by=call.by, at=call.at)


class OneRow(Endpoint):
    @operation(name="get_pre_import_row", summary="A row", tag=TAG, permission=VIEW, answer=PreImportRow)
    def get(self, call: Call, number: int) -> PreImportedDevice:
        return finding.one(finding.pre_imported(call), number)

    @operation(
        name="change_pre_import_row",
        summary="Change a row",
        tag=TAG,
        permission=CHANGE,
        body=RowFacts,
        answer=PreImportRow,
        once=True,
        words="The row alone: no device that is in a data center's list already is touched (Q3).",
        examples=(OpenApiExample("Another name", request_only=True, value={"nickname": "Living room"}),),
    )
    def patch(self, call: Call, number: int) -> PreImportedDevice:
        row = finding.one(finding.pre_imported(call), number)
        return pre_import.edit(row.pk, dict(call.data), by=call.by, at=call.at)

    @operation(name="delete_pre_import_row", summary="Delete a row", tag=TAG, permission=DELETE, query=DeleteQuery, once=True)
    def delete(self, call: Call, number: int) -> None:
        row = finding.one(finding.pre_imported(call), number)
        pre_import.delete([row.pk], **call.query, by=call.by, at=call.at)


class RowSecret(Endpoint):
    @operation(
        name="reveal_pre_import_secret",
        summary="Read a row's DeviceSecret",
        tag=TAG,
        permission="devices.reveal_device_secret",
        answer=DeviceSecretShown,
        guarded=True,
        words="Each reading is audited.",
    )
    def post(self, call: Call, number: int) -> dict[str, str]:
        row = finding.one(finding.pre_imported(call), number)
        secret = pre_import.reveal_secret(row, by=call.by, at=call.at)
        return {"product_key": row.product.key, "device_name": row.device_name, "device_secret": secret}


class BulkAdd(Endpoint):
    @operation(
        name="add_pre_import_rows",
        summary="Add up to 1,000 rows",
        tag=TAG,
        permission=ADD,
        body=BulkForm,
        answer=BulkOutcome,
        once=True,
        words=(
            "Each row stands or falls by itself and has a result of its own; those that stand are stored in one transaction, with one line "
            "in the audit log. Where the quota does not hold them all, none is stored (409). A workbook takes half a million."
        ),
        examples=(OpenApiExample("Two kettles", request_only=True, value=TWO),),
    )
    def post(self, call: Call) -> dict[str, Any]:
        product = finding.named_product(call)
        outcomes = pre_import_bulk.add_many(product, [_new(row) for row in call.data["rows"]], by=call.by, at=call.at)
        results = [_result(index, outcome) for index, outcome in enumerate(outcomes)]
        created = sum(outcome.error is None for outcome in outcomes)
        return {"created": created, "refused": len(outcomes) - created, "results": results}


class BulkDelete(Endpoint):
    @operation(
        name="delete_pre_import_rows",
        summary="Delete up to 1,000 rows",
        tag=TAG,
        permission=DELETE,
        body=BulkDeleteForm,
        answer=BulkDeletion,
        once=True,
        words="In one transaction. Rows that are not there, or that the key does not see, are told and do no harm.",
        examples=(OpenApiExample("Two", request_only=True, value={"ids": [17, 18], "reason": "Scrapped"}),),
    )
    def post(self, call: Call) -> dict[str, Any]:
        asked = list(dict.fromkeys(call.data["ids"]))
        seen = set(finding.pre_imported(call).filter(pk__in=asked).values_list("pk", flat=True))
        how = {name: call.data[name] for name in ("with_devices", "reason")}
        deleted = pre_import.delete(sorted(seen), **how, by=call.by, at=call.at) if seen else 0
        results = [{"id": pk, "outcome": "deleted" if pk in seen else "not_found"} for pk in asked]
        return {"deleted": deleted, "results": results}


def _new(data: Any) -> pre_import.NewRow:
    return pre_import.NewRow(**{name: value for name, value in data.items() if name != "product_key"})


def _result(index: int, outcome: Outcome) -> dict[str, Any]:
    error = outcome.error
    return {
        "index": index,
        "device_name": outcome.device_name,
        "outcome": "refused" if error else "created",
        "id": outcome.row_id,
        "code": error.code if error else "",
        "field": error.field if error else "",
        "detail": shown(error) if error else "",
    }
