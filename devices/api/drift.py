"""Drift (N10): the pre-import list beside what a data center made of it."""

from typing import Any

from django.utils.http import urlencode
from rest_framework import serializers

from console.errors import Forbidden
from console.rest.endpoints import Call, Endpoint, operation
from console.rest.forms import Moment, Query
from console.rest.paging import MOST, USUAL, Cursor
from devices.api import finding
from devices.api.device_forms import STATES
from devices.models import Authentication, DeviceOrigin
from devices.rules.drift import Drift, Line
from devices.services import drift
from products.api.finding import product as product_of_key

TAG = "Devices"
STRETCHES = 10
"""Of the lists that one answer looks through at most."""

SHOWN = (Drift.DIFFERS, Drift.ONLY_HERE, Drift.ONLY_THERE)


class DriftQuery(Query):
    product_key = serializers.CharField(max_length=64)
    show = serializers.ChoiceField([str(choice) for choice in SHOWN], required=False, help_text="These lines alone; else every row.")
    limit = serializers.IntegerField(min_value=1, max_value=MOST, default=USUAL)
    cursor = Cursor(required=False, max_length=64, help_text="Where to go on: from the `next` of the answer before.")


class Facts(serializers.Serializer):
    nickname = serializers.CharField(allow_blank=True)
    sn = serializers.SerializerMethodField()
    authentication = serializers.ChoiceField(Authentication.choices)
    certificate_fingerprint = serializers.CharField(allow_blank=True)

    def get_sn(self, side: Any) -> str:
        return side.sn or ""


class There(Facts):
    id = serializers.IntegerField(source="pk", help_text="Of the device in this data center.")
    state = serializers.ChoiceField(STATES)
    origin = serializers.ChoiceField(DeviceOrigin.choices)
    registered_at = Moment(allow_null=True)
    activated_at = Moment(allow_null=True)


class Here(Facts):
    id = serializers.IntegerField(source="pk", help_text="Of the row.")


class DriftLine(serializers.Serializer):
    device_name = serializers.CharField()
    drift = serializers.ChoiceField([str(choice) for choice in Drift])
    differing = serializers.ListField(child=serializers.CharField(), help_text="The members that differ.")
    row = Here(allow_null=True, help_text="The pre-import row.")
    there = There(allow_null=True, help_text="The device in the data center's list.")


class DriftPage(serializers.Serializer):
    items = DriftLine(many=True)
    next = serializers.CharField(allow_null=True)
    looked_through = serializers.IntegerField(help_text="Rows that were compared for this answer.")


class DriftLines(Endpoint):
    @operation(
        name="list_drift",
        summary="What a data center made of the pre-import list",
        tag=TAG,
        permission="devices.view_device",
        answer=DriftPage,
        query=DriftQuery,
        words=(
            "A difference is no error (Q3). Lines are looked for a stretch at a time: an answer may hold few and still have a `next`. "
            "Needs `devices.view_preimporteddevice` too."
        ),
    )
    def get(self, call: Call, code: str) -> dict[str, Any]:
        if not call.user.has_perm("devices.view_preimporteddevice"):
            raise Forbidden
        product, center = product_of_key(call, call.query["product_key"]), finding.data_center(code)
        wanted = Drift(call.query["show"]) if "show" in call.query else None
        found = drift.page(product, center, wanted=wanted, after=call.query.get("cursor", 0), size=call.query["limit"], stretches=STRETCHES)
        lines: list[Line] = found.lines
        following = {**call.request.query_params.dict(), "cursor": Cursor().to_representation(found.next)}
        path = f"{call.request.path}?{urlencode(following)}" if found.next is not None else None
        return {"items": lines, "next": path, "looked_through": found.looked_through}
