"""What goes in and out of the endpoints of production: batches, their files, download codes and MAC pools."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from console.rest.forms import Form, Moment, RowId, Text, Whole
from console.rest.paging import PageQuery
from console.rest.work import WorkRow
from console.shared.jobs import JobState
from console.shared.translation import shown
from devices.models import Batch, BatchSource, DownloadCode, FileFormat, MacBlockKind, MacPool
from devices.models.download_code import CodeState
from devices.rules import macs
from devices.services import download_codes, mac_pools, undoing
from products.models import FlashingMethod
from products.models.product import DEVICE_QUOTA


class BatchRow(WorkRow):
    id = serializers.IntegerField()
    number = serializers.CharField(help_text="As people write it down: B000017.")
    product_key = serializers.CharField(source="product.key")
    flashing_method = serializers.ChoiceField(FlashingMethod.choices)
    source: Any = serializers.ChoiceField(BatchSource.choices)
    made = serializers.IntegerField(help_text="Devices made.")
    skipped = serializers.IntegerField(help_text="Names that the product had already.")
    mac_pool = serializers.CharField(source="mac_pool.name", default=None, allow_null=True)
    upload_id = serializers.IntegerField(allow_null=True)
    note = serializers.CharField(allow_blank=True)
    first_download_at = Moment(allow_null=True)
    undone_at = Moment(allow_null=True)


class OneBatchRow(BatchRow):
    """With why it cannot be undone any more."""

    in_the_way = serializers.SerializerMethodField(help_text="What stands in the way of undoing it, in words; empty where nothing does.")

    def get_in_the_way(self, batch: Batch) -> list[str]:
        return [shown(sentence) for sentence in undoing.in_the_way(batch)]


class BatchQuery(PageQuery):
    product_key = serializers.CharField(required=False, max_length=64)
    state = serializers.ChoiceField(JobState.choices, required=False)


class NewBatchForm(Form):
    product_key = Text(max_length=64)
    source: Any = serializers.ChoiceField(BatchSource.choices)
    flashing_method = serializers.ChoiceField(FlashingMethod.choices, default=FlashingMethod.PER_DEVICE)
    quantity = Whole(max_value=DEVICE_QUOTA, default=0, help_text="With automatic generation.")
    upload_id = Whole(required=False, allow_null=True, help_text="A checked workbook, with batch upload.")
    mac_pool_id = Whole(required=False, allow_null=True, help_text="Where DeviceNames are MAC addresses.")
    note = Text(required=False, allow_blank=True, max_length=200)


class BatchPreview(serializers.Serializer):
    """What it would use up as things stand."""

    quantity = serializers.IntegerField()
    codes_after = serializers.IntegerField(help_text="Activation codes left afterwards.")
    devices_after = serializers.IntegerField(help_text="Devices of the quota left afterwards.")
    pool_after = serializers.IntegerField(help_text="Addresses of the pool left afterwards; 0 without one.")
    first_address = serializers.CharField(allow_blank=True)
    last_address = serializers.CharField(allow_blank=True)


class BatchFileRow(WorkRow):
    format = serializers.ChoiceField(FileFormat.choices)
    is_ready = serializers.SerializerMethodField(help_text="Whether it can be downloaded.")
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.CharField(allow_blank=True)
    expires_at = Moment(allow_null=True)
    downloads = serializers.IntegerField()

    def get_is_ready(self, file: Any) -> bool:
        return bool(file.is_ready(timezone.now()))


class BatchFiles(serializers.Serializer):
    items = BatchFileRow(many=True)


class UndoForm(Form):
    reason = Text(max_length=200)


class DownloadCodeRow(serializers.ModelSerializer):
    batch_id = serializers.IntegerField()
    state = serializers.SerializerMethodField()
    made_at = Moment()
    made_by = serializers.CharField(source="made_by.username", default=None, allow_null=True)
    expires_at = Moment()
    last_used_at = Moment(allow_null=True)
    revoked_at = Moment(allow_null=True)

    class Meta:
        model = DownloadCode
        fields = (
            "id", "number", "batch_id", "format", "beginning", "note", "state", "made_at", "made_by", "expires_at", "uses_allowed", "uses",
            "last_used_at", "last_used_address", "revoked_at", "revoke_reason",
        )  # fmt: skip
        read_only_fields = fields

    def get_state(self, row: DownloadCode) -> CodeState:
        return row.state(timezone.now())


class MadeDownloadCode(serializers.Serializer):
    """The code is in this answer alone."""

    code = serializers.CharField(source="text")
    download_code = DownloadCodeRow(source="row")


class DownloadCodeQuery(PageQuery):
    batch_id = RowId(required=False)


class NewDownloadCodeForm(Form):
    format = serializers.ChoiceField(FileFormat.choices)
    note = Text(max_length=200, help_text="For whom.")
    hours = Whole(min_value=1, max_value=int(download_codes.LONGEST / timedelta(hours=1)), default=24, help_text="How long it is valid.")
    uses = Whole(min_value=1, max_value=download_codes.USES_AT_MOST, default=1, help_text="How many downloads it allows.")


class RedeemForm(Form):
    code = Text(max_length=64)


class MacPoolRow(serializers.ModelSerializer):
    first = serializers.SerializerMethodField()
    last = serializers.SerializerMethodField()
    left = serializers.IntegerField(help_text="Addresses that can still be handed out.")
    size = serializers.IntegerField()

    class Meta:
        model = MacPool
        fields = ("id", "name", "kind", "prefix", "first", "last", "stride", "left", "size")
        read_only_fields = fields

    def get_first(self, pool: MacPool) -> str:
        return macs.from_number(pool.first)

    def get_last(self, pool: MacPool) -> str:
        return macs.from_number(pool.last)


class NewPoolForm(Form):
    name = Text(max_length=64)
    kind = serializers.ChoiceField(MacBlockKind.choices)
    prefix = Text(required=False, allow_blank=True, max_length=16, help_text="Of a registered block: A4:DA:32.")
    first = Text(required=False, allow_blank=True, max_length=17)
    last = Text(required=False, allow_blank=True, max_length=17)
    stride = Whole(min_value=1, max_value=mac_pools.HIGHEST_STRIDE, default=1, help_text="Addresses that one device uses.")
    reserve = Whole(max_value=1 << 40, default=0, help_text="Devices at the start that are never handed out.")
