"""The device list of each data center: look, edit, reset, disable, enable, delete, read a secret."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiExample

from console.rest.endpoints import Call, Endpoint, operation
from console.rest.forms import ReasonForm
from devices.api import finding
from devices.api.device_forms import DeviceChange, DeviceQuery, DeviceRow, ReasonQuery
from devices.api.pre_import_forms import DeviceSecretShown
from devices.models import Device
from devices.querysets import DeviceQuerySet
from devices.services import lifecycle
from products.models import Product

TAG = "Devices"
VIEW, CHANGE = "devices.view_device", "devices.change_device"
BOUNDS = {
    "registered_from": "registered_at__gte",
    "registered_to": "registered_at__lte",
    "activated_from": "activated_at__gte",
    "activated_to": "activated_at__lte",
    "authentication": "authentication",
    "origin": "origin",
}


class Devices(Endpoint):
    @operation(
        name="list_devices",
        summary="List a data center's devices",
        tag=TAG,
        permission=VIEW,
        answer=DeviceRow,
        many=True,
        query=DeviceQuery,
    )
    def get(self, call: Call, code: str) -> object:
        center = finding.data_center(code)
        found: Any = finding.of_product(finding.devices(call, center), call.query)
        wanted = {lookup: call.query[name] for name, lookup in BOUNDS.items() if name in call.query}
        found = _in_words(found, call.query, call.at).filter(**wanted).matching(call.query.get("search", ""))
        return found, _keys


class OneDevice(Endpoint):
    @operation(name="get_device", summary="A device", tag=TAG, permission=VIEW, answer=DeviceRow)
    def get(self, call: Call, code: str, number: int) -> Device:
        return finding.device(call, code, number)

    @operation(
        name="change_device",
        summary="Change a device's local facts",
        tag=TAG,
        permission=CHANGE,
        body=DeviceChange,
        answer=DeviceRow,
        once=True,
        words="They belong to this data center; the pre-import row keeps its own (Q3).",
        examples=(OpenApiExample("Another name", request_only=True, value={"nickname": "Living room"}),),
    )
    def patch(self, call: Call, code: str, number: int) -> Device:
        device = finding.device(call, code, number)
        facts = {"nickname": device.nickname, "sn": device.sn, **call.data}
        lifecycle.edit(device, **facts, by=call.by, at=call.at)
        return finding.device(call, code, number)

    @operation(
        name="delete_device",
        summary="Delete a device",
        tag=TAG,
        permission="devices.delete_device",
        query=ReasonQuery,
        once=True,
        words="Its DeviceSecret is void (A7), and it is cut off where it is connected.",
    )
    def delete(self, call: Call, code: str, number: int) -> None:
        lifecycle.delete(finding.device(call, code, number), reason=call.query["reason"], by=call.by, at=call.at)


class ResetDevice(Endpoint):
    @operation(
        name="reset_device",
        summary="Reset a device",
        tag=TAG,
        permission="devices.reset_device",
        body=ReasonForm,
        answer=DeviceRow,
        once=True,
        words="It may register again and receives the same DeviceSecret (A8).",
        examples=(OpenApiExample("Repaired", request_only=True, value={"reason": "Flash replaced"}),),
    )
    def post(self, call: Call, code: str, number: int) -> Device:
        lifecycle.reset(finding.device(call, code, number), reason=call.data["reason"], by=call.by, at=call.at)
        return finding.device(call, code, number)


class DisableDevice(Endpoint):
    @operation(
        name="disable_device",
        summary="Disable a device",
        tag=TAG,
        permission=CHANGE,
        body=ReasonForm,
        answer=DeviceRow,
        once=True,
        words="It can neither register nor connect, and is cut off where it is connected; its data stays.",
    )
    def post(self, call: Call, code: str, number: int) -> Device:
        lifecycle.disable(finding.device(call, code, number), reason=call.data["reason"], by=call.by, at=call.at)
        return finding.device(call, code, number)


class EnableDevice(Endpoint):
    @operation(name="enable_device", summary="Enable a device", tag=TAG, permission=CHANGE, answer=DeviceRow, once=True)
    def post(self, call: Call, code: str, number: int) -> Device:
        lifecycle.enable(finding.device(call, code, number), by=call.by, at=call.at)
        return finding.device(call, code, number)


class DeviceSecret(Endpoint):
    @operation(
        name="reveal_device_secret",
        summary="Read a device's DeviceSecret",
        tag=TAG,
        permission="devices.reveal_device_secret",
        answer=DeviceSecretShown,
        guarded=True,
        words="Each reading is audited.",
    )
    def post(self, call: Call, code: str, number: int) -> dict[str, str]:
        device = finding.device(call, code, number)
        secret = lifecycle.reveal_secret(device, by=call.by, at=call.at)
        return {"product_key": device.product.key, "device_name": device.device_name, "device_secret": secret}


def _keys(devices: list[Device]) -> dict[str, Any]:
    """One query for the ProductKeys of a page."""
    return {"keys": dict(Product.objects.filter(pk__in={device.product_id for device in devices}).values_list("pk", "key"))}


def _in_words(devices: DeviceQuerySet, query: Any, at: datetime) -> DeviceQuerySet:
    """By state, by ClientIDs and by certificate, as the page filters."""
    if "certificate" in query:
        devices = devices.with_certificate(query["certificate"], at)
    if "state" in query:
        devices = devices.in_state(query["state"])
    if query.get("client_ids") == "several":
        devices = devices.with_several_client_ids()
    if query.get("client_ids") == "switched":
        devices = devices.switched()
    return devices
