"""Long work of every kind, and the audit."""

from typing import Any

from rest_framework import serializers

from console.errors import Conflict, Forbidden, NotFound
from console.models import AuditEntry
from console.rest.endpoints import Call, Endpoint, operation
from console.rest.forms import Moment, ReasonForm
from console.rest.paging import PageQuery
from console.rest.work import WorkRow
from console.shared.job_kinds import JobKind, kind_named
from console.shared.jobs import JobState
from products.api.finding import require_every_product
from products.services import access

TAG = "Work"
SEE = ("devices.view_batch", "devices.view_upload", "devices.view_serialnumberrun")


class JobQuery(PageQuery):
    state = serializers.ChoiceField(JobState.choices, required=False)


class JobRow(WorkRow):
    id = serializers.IntegerField()
    label: Any = serializers.SerializerMethodField(help_text="Which one, as people call it.")
    can_be_cancelled = serializers.SerializerMethodField()

    def get_label(self, job: Any) -> str:
        return str(self.context["kind"].label(job))

    def get_can_be_cancelled(self, job: Any) -> bool:
        return bool(self.context["kind"].may_be_cancelled(self.context["user"], job))


class Jobs(Endpoint):
    @operation(
        name="list_jobs",
        summary="Long work of one kind",
        tag=TAG,
        permission=SEE,
        answer=JobRow,
        many=True,
        query=JobQuery,
        words="Kinds: `batch`, `batchfile`, `batchundo`, `upload`, `markedworkbook`, `serialnumberrun`; one that is not there is 404.",
    )
    def get(self, call: Call, kind: str) -> object:
        found = _kind(call, kind)
        rows = _rows(call, found)
        return rows.filter(state=call.query["state"]) if "state" in call.query else rows, lambda jobs: {"kind": found, "user": call.user}


class CancelJob(Endpoint):
    @operation(name="cancel_job", summary="Cancel long work", tag=TAG, permission=SEE, body=ReasonForm, once=True)
    def post(self, call: Call, kind: str, number: int) -> None:
        found = _kind(call, kind)
        if found.cancel is None or not call.user.has_perm(found.cancel_permission):
            raise Forbidden
        job = _rows(call, found).get(pk=number)
        if not found.may_be_cancelled(call.user, job):
            raise Conflict("This cannot be cancelled now.")
        found.cancel(job.pk, reason=call.data["reason"], by=call.by, at=call.at)


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


def _kind(call: Call, name: str) -> JobKind:
    """Raises NotFound, also for a kind that the caller may not see."""
    found = kind_named(name)
    if found is None or not found.may_see(call.user):
        raise NotFound("There is no such kind of work.")
    return found


def _rows(call: Call, kind: JobKind) -> Any:
    rows: Any = kind.model._default_manager.select_related("requested_by", *kind.related)
    return access.only(rows, call.user, field=kind.product_field) if kind.product_field else rows
