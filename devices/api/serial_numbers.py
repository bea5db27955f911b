"""Serial numbers (Q7): runs that generate them, and the devices that their labels are on."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from console.rest.endpoints import Call, Endpoint, operation
from console.rest.forms import Flag, Form, Moment, ReasonForm, Text, Whole
from console.rest.paging import PageQuery
from console.rest.work import WorkRow
from console.shared.tasks import nudge
from devices.api import finding
from devices.models import SerialNumber, SerialNumberAlphabet, SerialNumberRun
from devices.rules.serial_numbers import LONGEST, SHORTEST, Design
from devices.services import binding, serial_numbers

TAG = "Serial numbers"
VIEW, CANCEL, BIND = "devices.view_serialnumberrun", "devices.cancel_serialnumberrun", "devices.bind_serialnumber"
STATES = ("free", "bound", "void")
RUN = {"product_key": "a1ExpAkj9Hi", "quantity": 1000, "prefix": "KT", "length": 8}


class RunRow(WorkRow):
    id = serializers.IntegerField()
    number = serializers.CharField(help_text="As people write it down: S000017.")
    product_key = serializers.CharField(source="product.key")
    prefix = serializers.CharField(allow_blank=True)
    alphabet = serializers.ChoiceField(SerialNumberAlphabet.choices)
    length = serializers.IntegerField(help_text="Random characters.")
    check_character = serializers.BooleanField()
    note = serializers.CharField(allow_blank=True)


class RunQuery(PageQuery):
    product_key = serializers.CharField(required=False, max_length=64)


class NewRunForm(Form):
    product_key = Text(max_length=64)
    quantity = Whole(min_value=1, max_value=10_000)
    prefix = Text(required=False, allow_blank=True, max_length=20, default="")
    alphabet = serializers.ChoiceField(SerialNumberAlphabet.choices, default=SerialNumberAlphabet.CLEAR)
    length = Whole(min_value=SHORTEST, max_value=LONGEST, default=10)
    check_character = Flag(default=False)
    note = Text(required=False, allow_blank=True, max_length=200, default="")


class NumberQuery(PageQuery):
    state = serializers.ChoiceField(STATES, required=False)


class NumberRow(serializers.Serializer):
    id = serializers.IntegerField()
    sn = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    device_name = serializers.CharField(allow_blank=True)
    bound_at = Moment(allow_null=True)
    voided_at = Moment(allow_null=True)


class BindForm(Form):
    product_key = Text(max_length=64)
    device_name = Text(max_length=128)
    sn = Text(max_length=64)
    add = Flag(default=False, help_text="Add the device to the pre-import list if it is not there.")


class UnbindForm(Form):
    product_key = Text(max_length=64)
    device_name = Text(max_length=128)
    sn = Text(max_length=64)
    reason = Text(required=False, allow_blank=True, max_length=500, default="")


class Bound(serializers.Serializer):
    device_name = serializers.CharField()
    sn = serializers.CharField()
    repeated = serializers.BooleanField(help_text="It was so already.")
    added = serializers.BooleanField(help_text="The device came into the pre-import list with it.")
    met_in = serializers.ListField(child=serializers.CharField(), help_text="Data centers that have the device already and keep its data.")


class Runs(Endpoint):
    @operation(name="list_serial_number_runs", summary="List runs", tag=TAG, permission=VIEW, answer=RunRow, many=True, query=RunQuery)
    def get(self, call: Call) -> object:
        return finding.of_product(finding.runs(call), call.query)

    @operation(
        name="request_serial_numbers",
        summary="Generate serial numbers",
        tag=TAG,
        permission="devices.add_serialnumberrun",
        body=NewRunForm,
        answer=RunRow,
        status=201,
        once=True,
        words="Up to 10,000 at a time. Ask for the run until its state is done.",
        examples=(OpenApiExample("A thousand", request_only=True, value=RUN),),
    )
    def post(self, call: Call) -> SerialNumberRun:
        product, data = finding.named_product(call), call.data
        design = Design(data["prefix"], data["alphabet"], data["length"], data["check_character"])
        run = serial_numbers.request(product, serial_numbers.NewRun(design, data["quantity"], data["note"]), by=call.by, at=call.at)
        nudge("devices.make_serial_numbers", run.pk)
        return finding.one(finding.runs(call), run.pk)


class OneRun(Endpoint):
    @operation(name="get_serial_number_run", summary="A run", tag=TAG, permission=VIEW, answer=RunRow)
    def get(self, call: Call, number: int) -> SerialNumberRun:
        return finding.one(finding.runs(call), number)


class CancelRun(Endpoint):
    @operation(
        name="cancel_serial_number_run",
        summary="Cancel a run",
        tag=TAG,
        permission=CANCEL,
        body=ReasonForm,
        answer=RunRow,
        once=True,
    )
    def post(self, call: Call, number: int) -> SerialNumberRun:
        run = finding.one(finding.runs(call), number)
        serial_numbers.cancel(run.pk, reason=call.data["reason"], by=call.by, at=call.at)
        return finding.one(finding.runs(call), number)


class Voided(serializers.Serializer):
    voided = serializers.IntegerField(help_text="How many numbers.")


class VoidRun(Endpoint):
    @operation(
        name="void_serial_number_run",
        summary="Void the free numbers of a run",
        tag=TAG,
        permission=CANCEL,
        body=ReasonForm,
        answer=Voided,
        once=True,
        words="For labels that were lost or stolen: no device will ever have one of these numbers. It cannot be undone.",
    )
    def post(self, call: Call, number: int) -> dict[str, int]:
        run = finding.one(finding.runs(call), number)
        return {"voided": serial_numbers.void_run(run.pk, reason=call.data["reason"], by=call.by, at=call.at)}


class VoidNumber(Endpoint):
    @operation(
        name="void_serial_number",
        summary="Void a number",
        tag=TAG,
        permission=CANCEL,
        body=ReasonForm,
        answer=NumberRow,
        once=True,
        words="One that is on no device: none will ever have it. It cannot be undone.",
    )
    def post(self, call: Call, number: int) -> SerialNumber:
        found = finding.one(finding.serial_numbers(call), number)
        serial_numbers.void(found.pk, reason=call.data["reason"], by=call.by, at=call.at)
        return finding.one(finding.serial_numbers(call), number)


class Numbers(Endpoint):
    @operation(
        name="list_serial_numbers",
        summary="The numbers of a run",
        tag=TAG,
        permission="devices.download_serialnumbers",
        answer=NumberRow,
        many=True,
        query=NumberQuery,
    )
    def get(self, call: Call, number: int) -> object:
        found: Any = SerialNumber.objects.filter(run=finding.one(finding.runs(call), number))
        words = {"free": found.free, "bound": found.bound, "void": found.void}
        numbers: QuerySet[SerialNumber] = words[call.query["state"]]() if "state" in call.query else found
        return numbers


class Bind(Endpoint):
    @operation(
        name="bind_serial_number",
        summary="Put a label on a device",
        tag=TAG,
        permission=BIND,
        body=BindForm,
        answer=Bound,
        once=True,
        examples=(
            OpenApiExample(
                "A kettle", request_only=True, value={"product_key": "a1ExpAkj9Hi", "device_name": "A4DA32000001", "sn": "KT7Q2MXH"}
            ),
        ),
    )
    def post(self, call: Call) -> binding.Binding:
        product, data = finding.named_product(call), call.data
        return binding.bind(product, data["device_name"], data["sn"], add=data["add"], by=call.by, at=call.at)


class Unbind(Endpoint):
    @operation(
        name="unbind_serial_number",
        summary="Take a label off a device",
        tag=TAG,
        permission=BIND,
        body=UnbindForm,
        once=True,
        words="The label is free again.",
    )
    def post(self, call: Call) -> None:
        product, data = finding.named_product(call), call.data
        binding.unbind(product.pk, data["device_name"], data["sn"], reason=data["reason"], by=call.by, at=call.at)
