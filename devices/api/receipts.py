"""Receipts: the chain, the latest one of a batch as the file it is, and the public keys that prove them."""

from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers

from console.crypto import signing
from console.errors import NotFound
from console.rest import files
from console.rest.endpoints import Call, Endpoint, operation
from console.rest.forms import Moment, RowId
from console.rest.paging import PageQuery
from devices.api import finding
from devices.models import Receipt, ReceiptKey
from devices.services import receipts
from products.services import access

TAG = "Production"
VIEW = "devices.view_receipt"


class ReceiptRow(serializers.ModelSerializer):
    batch_id = serializers.IntegerField()
    batch_number = serializers.CharField(source="batch", help_text="As people write it down: B000017.")
    product_key = serializers.CharField(source="batch.product.key")
    issued_at = Moment()
    key = serializers.CharField(source="key.key_id", help_text="Which key signed it.")
    previous = serializers.CharField(help_text="SHA-256 of the receipt before it; empty for the first.")
    sha256 = serializers.CharField(help_text="Of the file.")
    file_name = serializers.CharField()
    content = serializers.CharField(help_text="The file, two lines of text; its bytes are those of this text in UTF-8.")

    class Meta:
        model = Receipt
        fields = (
            "number", "batch_id", "batch_number", "product_key", "edition", "undone", "issued_at", "key", "previous", "sha256", "file_name",
            "content",
        )  # fmt: skip
        read_only_fields = fields


class ReceiptQuery(PageQuery):
    batch_id = RowId(required=False)


class ReceiptKeyRow(serializers.ModelSerializer):
    key = serializers.CharField(source="key_id")
    algorithm = serializers.SerializerMethodField()
    public_key = serializers.SerializerMethodField(help_text="PEM.")
    fingerprint = serializers.SerializerMethodField(help_text="SHA-256 of the raw public key.")
    made_at = Moment(help_text="Since when it signs.")
    retired_at = Moment(allow_null=True)

    class Meta:
        model = ReceiptKey
        fields = ("key", "algorithm", "public_key", "fingerprint", "made_at", "retired_at")
        read_only_fields = fields

    def get_algorithm(self, key: ReceiptKey) -> str:
        return "Ed25519"

    def get_public_key(self, key: ReceiptKey) -> str:
        return signing.pem(bytes.fromhex(key.public))

    def get_fingerprint(self, key: ReceiptKey) -> str:
        return signing.fingerprint(bytes.fromhex(key.public))


class ReceiptKeys(serializers.Serializer):
    items = ReceiptKeyRow(many=True)


class Receipts(Endpoint):
    @operation(
        name="list_receipts",
        summary="List receipts",
        tag=TAG,
        permission=VIEW,
        answer=ReceiptRow,
        many=True,
        query=ReceiptQuery,
        words="With their files, so that a program can keep the whole chain.",
    )
    def get(self, call: Call) -> object:
        found = _seen(call)
        return found.filter(batch_id=call.query["batch_id"]) if "batch_id" in call.query else found


class BatchReceipt(Endpoint):
    @operation(
        name="get_batch_receipt",
        summary="A batch's receipt",
        tag=TAG,
        permission=VIEW,
        answer=OpenApiTypes.BINARY,
        media=files.BYTES,
        words="The latest edition, byte for byte as it was signed. 404 until the first is issued, some seconds after the batch's end; one "
        "that lists a file comes some seconds after that was made.",
    )
    def get(self, call: Call, number: int) -> StreamingHttpResponse:
        receipt = receipts.latest(finding.one(finding.batches(call), number).pk)
        if receipt is None:
            raise NotFound("The batch has no receipt yet.")
        return files.sent(receipt.file_name, [receipt.file], size=len(receipt.file), sha256=receipt.sha256)


class Keys(Endpoint):
    @operation(
        name="list_receipt_keys",
        summary="The keys that sign receipts",
        tag=TAG,
        permission="devices.view_receiptkey",
        answer=ReceiptKeys,
        words="Also without a key, at `/receipts/keys` and, as PEM, at `/receipts/keys.pem`.",
    )
    def get(self, call: Call) -> dict[str, Any]:
        return {"items": list(ReceiptKey.objects.order_by("-pk"))}


def _seen(call: Call) -> QuerySet[Receipt]:
    return access.only(Receipt.objects.select_related("batch__product", "key"), call.user, field="batch__product_id")
