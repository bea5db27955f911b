"""What would happen if this DeviceName called now (N2). Changes nothing."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from console.crypto.certificates import reading
from console.crypto.certificates.errors import CertificateError
from console.rest.endpoints import Call, Endpoint, operation
from console.rest.forms import Form, Query, Text
from console.shared.translation import shown
from devices.api.finding import named_product
from products.api import finding
from registration.decision_codes import DecisionCode
from registration.services import explain, explain_certificate

PEM = "-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----\n"


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
    registration = ForeseenRow(help_text="For its DeviceSecret, or for a certificate where the product hands these out.")
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


class CertificateForm(Form):
    product_key = Text(max_length=64)
    device_name = Text(
        required=False, allow_blank=True, default="", max_length=128, help_text="Of its user name; empty for whatever the certificate says."
    )
    certificate = Text(max_length=100_000, help_text="PEM: the device's first, then those between it and the CA, if it sends them.")


class CertificateExplanation(serializers.Serializer):
    device_name = serializers.CharField(allow_blank=True, help_text="As it would be stored.")
    connection = ForeseenRow(source="answer")
    facts = serializers.DictField(help_text="As the log would have them: the fingerprints that were expected and seen, among others.")


class WhatIfCertificate(Endpoint):
    @operation(
        name="what_if_certificate",
        summary="What would be decided about a certificate now",
        tag="Log",
        permission="registration.view_devicelogentry",
        body=CertificateForm,
        answer=CertificateExplanation,
        words="Changes nothing. That the device holds the private key is taken to be so.",
        examples=(OpenApiExample("A certificate", request_only=True, value={"product_key": "a1ExpAkj9Hi", "certificate": PEM}),),
    )
    def post(self, call: Call, code: str) -> explain_certificate.Explanation:
        product, center, name = named_product(call), finding.data_center(code), call.data["device_name"]
        try:
            chain = [one.der for one in reading.read(call.data["certificate"].encode())]
        except CertificateError as error:
            error.field = "certificate"
            raise
        return explain_certificate.what_if(product=product, data_center=center, device_name=name, chain=chain, at=call.at)
