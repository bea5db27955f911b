"""The device log of each data center (A14): the filters of its page, and the path of each decision (N2)."""

from typing import Any

from rest_framework import serializers

from console.rest.endpoints import Call, Endpoint, operation
from console.rest.forms import Moment
from console.rest.paging import PageQuery
from console.shared.translation import shown
from devices.rules.macs import as_stored_mac
from products.api import finding
from products.models import DataCenter
from products.services import access
from registration.decision_codes import DecisionCode
from registration.models import DeviceEvent, DeviceLogEntry
from registration.querysets import DeviceLogEntryQuerySet

TAG, VIEW = "Log", "registration.view_devicelogentry"


class LogQuery(PageQuery):
    product_key = serializers.CharField(required=False, max_length=128, help_text="As devices sent it, known or not.")
    device_name = serializers.CharField(required=False, max_length=128, help_text="Whole; a MAC address in any spelling.")
    client_id = serializers.CharField(required=False, max_length=32)
    address = serializers.IPAddressField(required=False)
    event = serializers.ChoiceField(DeviceEvent.choices, required=False)
    code = serializers.ChoiceField(DecisionCode.choices, required=False)
    accepted = serializers.BooleanField(required=False, default=None, allow_null=True)
    protocol = serializers.CharField(required=False, max_length=16)
    request_id = serializers.UUIDField(required=False)
    at_from = Moment(required=False)
    at_to = Moment(required=False)


class LogRow(serializers.Serializer):
    id = serializers.IntegerField(help_text="In this data center.")
    at = Moment()
    event = serializers.ChoiceField(DeviceEvent.choices)
    protocol = serializers.CharField()
    product_key = serializers.CharField(allow_blank=True)
    device_name = serializers.CharField(allow_blank=True)
    client_id = serializers.CharField(allow_blank=True)
    address = serializers.IPAddressField(allow_null=True)
    code = serializers.ChoiceField(DecisionCode.choices)
    accepted = serializers.BooleanField()
    path = serializers.SerializerMethodField(help_text="The decision in whole sentences, in order.")
    request_id = serializers.UUIDField()

    def get_path(self, entry: DeviceLogEntry) -> list[str]:
        return [shown(sentence) for sentence in entry.path]


class DeviceLog(Endpoint):
    @operation(name="list_device_log", summary="What devices asked for", tag=TAG, permission=VIEW, answer=LogRow, many=True, query=LogQuery)
    def get(self, call: Call, code: str) -> object:
        found = _seen(call, finding.data_center(code))
        wanted = {name: value for name, value in call.query.items() if name not in _OWN_WORDS and value is not None}
        if name := call.query.get("device_name"):
            found = found.filter(device_name__in={name, as_stored_mac(name) or name})
        for bound, lookup in (("at_from", "at__gte"), ("at_to", "at__lte")):
            if bound in call.query:
                found = found.filter(**{lookup: call.query[bound]})
        return found.filter(**wanted)


class OneEntry(Endpoint):
    @operation(name="get_device_log_entry", summary="One entry", tag=TAG, permission=VIEW, answer=LogRow)
    def get(self, call: Call, code: str, number: int) -> DeviceLogEntry:
        entry: DeviceLogEntry = _seen(call, finding.data_center(code)).get(pk=number)
        return entry


_OWN_WORDS: Any = frozenset({"limit", "cursor", "device_name", "at_from", "at_to"})


def _seen(call: Call, center: DataCenter) -> DeviceLogEntryQuerySet:
    return DeviceLogEntry.objects.at(center).of_products(access.keys_seen(call.user))
