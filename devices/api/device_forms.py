"""What goes in and out of the endpoints of a data center's devices."""

from rest_framework import serializers

from console.rest.forms import Form, Moment, Query, Text
from console.rest.paging import PageQuery
from devices.api.pre_import_forms import LONGEST_SEARCH, SEARCH
from devices.models import (
    Authentication,
    ConnectionEnd,
    CutReason,
    Device,
    DeviceOrigin,
    IdentityStatus,
    OrderOutcome,
)
from devices.querysets import CERTIFICATE_WORDS
from devices.rules import lifecycle

STATES = (lifecycle.ONLINE, lifecycle.OFFLINE, lifecycle.SEEN, lifecycle.INACTIVE, lifecycle.DISABLED)


class DeviceRow(serializers.Serializer):
    id = serializers.IntegerField(help_text="In this data center.")
    product_key = serializers.SerializerMethodField()
    device_name = serializers.CharField()
    nickname = serializers.CharField(allow_blank=True)
    sn = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(STATES)
    enabled = serializers.BooleanField()
    authentication = serializers.ChoiceField(Authentication.choices)
    origin = serializers.ChoiceField(DeviceOrigin.choices)
    certificate_fingerprint = serializers.CharField(
        allow_blank=True, help_text="Of an X.509 device: the certificate that is expected of it."
    )
    created_at = Moment()
    registered_at = Moment(allow_null=True)
    activated_at = Moment(allow_null=True)
    last_online_at = Moment(allow_null=True)
    last_offline_at = Moment(allow_null=True)
    last_seen_at = Moment(allow_null=True)
    client_ids_active = serializers.IntegerField(help_text="More than one: several physical devices under the name (A10).")
    switched_at = Moment(allow_null=True)

    def get_product_key(self, device: Device) -> str:
        """From the center's database, whatever database holds the list."""
        keys: dict[int, str] = self.context.get("keys", {})
        return keys.get(device.product_id) or device.product.key


class DeviceQuery(PageQuery):
    product_key = serializers.CharField(required=False, max_length=64)
    search = serializers.CharField(required=False, max_length=LONGEST_SEARCH, help_text=SEARCH)
    state = serializers.ChoiceField(STATES, required=False)
    client_ids = serializers.ChoiceField(("several", "switched"), required=False)
    certificate = serializers.ChoiceField(
        CERTIFICATE_WORDS,
        required=False,
        help_text="Its certificate ends within 30 days, has ended, has its next one announced, or was revoked for the device.",
    )
    authentication = serializers.ChoiceField(Authentication.choices, required=False)
    origin = serializers.ChoiceField(DeviceOrigin.choices, required=False)
    registered_from = Moment(required=False)
    registered_to = Moment(required=False)
    activated_from = Moment(required=False)
    activated_to = Moment(required=False)


class ReasonQuery(Query):
    reason = serializers.CharField(required=False, max_length=500, default="", allow_blank=True, help_text="Goes to the audit log.")


class DeviceChange(Form):
    nickname = Text(allow_blank=True, max_length=64)
    sn = Text(allow_blank=True, max_length=64)


class KeepForm(Form):
    keep = Text(max_length=32, help_text="The ClientID that stays; all others are forbidden.")
    reason = Text(required=False, allow_blank=True, max_length=500, default="", help_text="Goes to the audit log.")


class CutOff(serializers.Serializer):
    cut_off = serializers.IntegerField(help_text="Connections that are cut now; the orders tell what became of them.")


class IdentityRow(serializers.Serializer):
    client_id = serializers.CharField()
    status = serializers.ChoiceField(IdentityStatus.choices)
    status_at = Moment()
    issued_at = Moment()
    first_connected_at = Moment(allow_null=True)
    last_connected_at = Moment(allow_null=True)
    last_disconnected_at = Moment(allow_null=True)
    last_address = serializers.IPAddressField(allow_null=True)


class ConnectionRow(serializers.Serializer):
    id = serializers.IntegerField()
    client_id = serializers.CharField(source="identity.client_id", default=None, allow_null=True)
    mqtt_client_id = serializers.CharField()
    address = serializers.IPAddressField(allow_null=True)
    connected_at = Moment()
    disconnected_at = Moment(allow_null=True)
    ended = serializers.ChoiceField([*ConnectionEnd.choices, ("", "Open")], allow_blank=True)


class OrderQuery(PageQuery):
    waiting = serializers.BooleanField(required=False, default=None, allow_null=True, help_text="Only those that still wait, or do not.")


class OrderRow(serializers.Serializer):
    id = serializers.IntegerField()
    device_name = serializers.CharField()
    client_id = serializers.CharField(allow_blank=True)
    mqtt_client_id = serializers.CharField()
    reason = serializers.ChoiceField(CutReason.choices)
    outcome = serializers.ChoiceField(OrderOutcome.choices)
    made_at = Moment()
    made_by = serializers.CharField(allow_blank=True)
    attempts = serializers.IntegerField()
    next_try_at = Moment()
    last_error = serializers.CharField(allow_blank=True)
    done_at = Moment(allow_null=True)
