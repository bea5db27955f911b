"""What goes in and out of the endpoints of products and data centers. No secret has a place but in the answer that was asked for it."""

from typing import Any

from rest_framework import serializers

from console.rest.forms import Flag, Form, Moment, Text, Whole
from console.rest.paging import PageQuery
from products.models import CodeGrant, DeviceNameKind, NetworkProtocol, Product, ProductStatus, Reregistration, WireProtocol
from products.models.product import DEVICE_QUOTA


class ProductRow(serializers.ModelSerializer):
    created_at = Moment()

    class Meta:
        model = Product
        fields = (
            "key", "name", "status", "wire_protocol", "network_protocol", "device_name_kind",
            "per_product_secret", "dynamic_registration", "auto_create", "auto_create_limit", "preregistration_free",
            "reregistration", "new_secret_each_time",
            "device_quota", "devices_taken", "codes_granted", "codes_used", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class ProductQuery(PageQuery):
    status = serializers.ChoiceField(ProductStatus.choices, required=False)
    wire_protocol = serializers.ChoiceField(WireProtocol.choices, required=False)
    name = serializers.CharField(required=False, max_length=64, help_text="The beginning of the name.")


class ProductFacts(Form):
    name = Text(max_length=64)
    network_protocol = serializers.ChoiceField(NetworkProtocol.choices)
    device_name_kind = serializers.ChoiceField(DeviceNameKind.choices)
    device_quota = Whole(min_value=1, max_value=DEVICE_QUOTA, required=False)


class NewProductForm(ProductFacts):
    wire_protocol = serializers.ChoiceField(WireProtocol.choices, help_text="Stays: firmware carries it.")
    key = Text(required=False, allow_blank=True, max_length=64, help_text="Generated where it is left out.")
    secret = Text(required=False, allow_blank=True, max_length=64, write_only=True, help_text="Generated where it is left out.")


class ProductChange(ProductFacts):
    reregistration = serializers.ChoiceField(Reregistration.choices)
    new_secret_each_time = Flag()


class TurnOnForm(Form):
    code = Text(max_length=16, help_text="The one-time code that was sent for this product.")
    auto_create = Flag(default=False, help_text="Whether names that nobody imported are created (T2).")
    auto_create_limit = Whole(max_value=DEVICE_QUOTA, default=0, help_text="How many at most; needed with auto_create.")


class AutoCreateForm(Form):
    enabled = Flag()
    limit = Whole(max_value=DEVICE_QUOTA, default=0)


class SwitchForm(Form):
    enabled = Flag()


class CodeSent(serializers.Serializer):
    sent = serializers.CharField(help_text="Where the code is, in words.")


class ProductSecretShown(serializers.Serializer):
    product_key = serializers.CharField()
    product_secret = serializers.CharField()


class GrantForm(Form):
    quantity = Whole(min_value=1, max_value=100_000_000)
    note = Text(required=False, allow_blank=True, max_length=200, default="")


class GrantRow(serializers.ModelSerializer):
    product_key = serializers.CharField(source="product.key")
    granted_at = Moment()
    granted_by = serializers.CharField(source="granted_by.username", default=None, allow_null=True)

    class Meta:
        model = CodeGrant
        fields = ("id", "product_key", "quantity", "note", "granted_at", "granted_by")
        read_only_fields = fields


class DataCenterForm(Form):
    code = serializers.RegexField(r"^[a-zA-Z0-9_-]{1,32}$")
    name = Text(max_length=64)
    database = Text(max_length=32, required=False, help_text="An alias of the settings; `default` where it is left out.")
    hosts = serializers.ListField(child=Text(max_length=253), required=False, max_length=1000, help_text="Host names without a port.")


class DataCenterChange(Form):
    name = Text(max_length=64)
    database = Text(max_length=32)
    hosts = serializers.ListField(child=Text(max_length=253), max_length=1000, help_text="Exactly these from now on.")


class DataCenterRow(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()
    is_home = serializers.BooleanField()
    database = serializers.CharField()
    hosts = serializers.SerializerMethodField()

    def get_hosts(self, center: Any) -> list[str]:
        return sorted(host.host for host in center.hosts.all())
