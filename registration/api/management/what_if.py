"""What would happen if this DeviceName called now (N2). Changes nothing."""

from typing import Any

from rest_framework import serializers

from console.rest.endpoints import Call, Endpoint, operation
from console.rest.forms import Query
from console.shared.translation import shown
from products.api import finding
from registration.decision_codes import DecisionCode
from registration.services import explain


class WhatIfQuery(Query):
    product_key = serializers.CharField(max_length=64)
    device_name = serializers.CharField(max_length=128, help_text="In any spelling; a name that no device may have is refused here too.")


class ForeseenRow(serializers.Serializer):
    code = serializers.ChoiceField(DecisionCode.choices)
    accepted = serializers.BooleanField()
    path = serializers.SerializerMethodField(help_text="What is checked, in whole sentences; the last one says why not.")
    client_id = serializers.CharField(allow_blank=True)

    def get_path(self, foreseen: Any) -> list[str]:
        return [shown(sentence) for sentence in foreseen.path]


class ExplanationRow(serializers.Serializer):
    device_name = serializers.CharField(allow_blank=True, help_text="As it would be stored.")
    registration = ForeseenRow(help_text="For its DeviceSecret.")
    free = ForeseenRow(allow_null=True, help_text="For a ClientID, where the product is preregistration-free.")
    connection = ForeseenRow(help_text="With its DeviceSecret.")
    clients = ForeseenRow(many=True, help_text="With the DeviceToken of each ClientID of the name.")


class WhatIf(Endpoint):
    @operation(
        name="what_if",
        summary="What would be decided now",
        tag="Log",
        permission="registration.view_devicelogentry",
        answer=ExplanationRow,
        query=WhatIfQuery,
        words="The code that decides about devices, up to the line that writes. A device's proof, clock and nonce are taken to be right.",
    )
    def get(self, call: Call, code: str) -> explain.Explanation:
        product = finding.product(call, call.query["product_key"])
        return explain.what_if(product=product, data_center=finding.data_center(code), device_name=call.query["device_name"], at=call.at)
