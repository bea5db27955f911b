"""The audit, as far as programs read it."""

from rest_framework import serializers

from console.models import AuditEntry
from console.rest.endpoints import Call, Endpoint, operation
from console.rest.forms import Moment
from console.rest.paging import PageQuery
from products.api.finding import require_every_product

TAG = "Work"


class AuditQuery(PageQuery):
    actor = serializers.CharField(required=False, max_length=150, help_text="Who, whole.")
    action = serializers.CharField(required=False, max_length=64, help_text="From its beginning: `device.` or `device.reset`.")
    target_type = serializers.CharField(required=False, max_length=64)
    target_id = serializers.CharField(required=False, max_length=64)
    at_from = Moment(required=False)
    at_to = Moment(required=False)


class AuditRow(serializers.ModelSerializer):
    at = Moment()
    before = serializers.DictField()
    after = serializers.DictField()

    class Meta:
        model = AuditEntry
        fields = (
            "id", "at", "actor_name", "address", "action", "target_type", "target_id", "target_label", "before", "after", "reason", "count",
        )  # fmt: skip
        read_only_fields = fields


LOOKUPS = {
    "actor": "actor_name",
    "action": "action__startswith",
    "target_type": "target_type",
    "target_id": "target_id",
    "at_from": "at__gte",
    "at_to": "at__lte",
}


class Audit(Endpoint):
    @operation(
        name="list_audit",
        summary="Who did what",
        tag=TAG,
        permission="console.view_auditentry",
        answer=AuditRow,
        many=True,
        query=AuditQuery,
        words="For those who see every product.",
    )
    def get(self, call: Call) -> object:
        require_every_product(call)
        return AuditEntry.objects.filter(**{lookup: call.query[name] for name, lookup in LOOKUPS.items() if name in call.query})
