"""Long work of all kinds in one list, for programs."""

import heapq
from collections.abc import Mapping
from itertools import islice
from typing import Any

from rest_framework import serializers

from console.errors import Conflict, Forbidden, NotFound
from console.rest import paging
from console.rest.description import page_of
from console.rest.endpoints import Call, Endpoint, operation
from console.rest.forms import Query, ReasonForm
from console.rest.work import WorkRow
from console.shared.job_kinds import JobKind, kind_named, kinds
from console.shared.jobs import JobState
from products.services import access

TAG = "Work"
SEE = ("devices.view_batch", "devices.view_upload", "devices.view_serialnumberrun")


class JobCursor(paging.Cursor):
    """Where each kind goes on: batch=12,upload=7."""

    def read(self, place: str) -> Mapping[str, int]:
        parts = (part.partition("=") for part in place.split(","))
        return {name: paging.key_of(key) for name, _equals, key in parts}


class JobQuery(Query):
    kind = serializers.CharField(required=False, max_length=32, help_text="As the rows have it.")
    state = serializers.ChoiceField(JobState.choices, required=False)
    mine = serializers.BooleanField(required=False, help_text="What the owner of the key asked for, or who is signed in.")
    limit = serializers.IntegerField(min_value=1, max_value=paging.MOST, default=paging.USUAL, help_text="Rows in one answer.")
    cursor = JobCursor(required=False, max_length=400, help_text="Where to go on: from the `next` of the answer before.")

    def validate_kind(self, name: str) -> str:
        """Kinds are registered by what makes them, after this form is declared."""
        if kind_named(name) is None:
            raise serializers.ValidationError("There is no such kind of work.", code="invalid_choice")
        return name


class JobRow(WorkRow):
    """Of a row that `_known` has prepared."""

    kind = serializers.CharField(source="job_kind.name", help_text="batch, batchfile, batchundo, upload, serialnumberrun, markedworkbook.")
    id = serializers.IntegerField(help_text="Among those of its kind.")
    label: Any = serializers.CharField(source="job_label", help_text="Which one, as people call it.")
    can_be_cancelled = serializers.BooleanField(source="job_can_be_cancelled")


class Jobs(Endpoint):
    @operation(
        name="list_jobs",
        summary="Long work of all kinds",
        tag=TAG,
        permission=SEE,
        answer=page_of(JobRow),
        query=JobQuery,
        words="Of the kinds that the caller may see, newest first.",
    )
    def get(self, call: Call) -> dict[str, Any]:
        after: Mapping[str, int] = call.query.get("cursor", {})
        limit = call.query["limit"]
        newest = heapq.merge(*(_of(call, kind, after, limit) for kind in _chosen(call)), key=lambda job: job.requested_at, reverse=True)
        found = list(islice(newest, limit + 1))
        shown = found[:limit]
        return {"items": shown, "next": paging.following(call.request, _ends(after, shown)) if len(found) > limit else None}


class OneJob(Endpoint):
    @operation(name="get_job", summary="One of them", tag=TAG, permission=SEE, answer=JobRow)
    def get(self, call: Call, kind: str, number: int) -> Any:
        return _one(call, kind, number)


class CancelJob(Endpoint):
    @operation(name="cancel_job", summary="Cancel long work", tag=TAG, permission=SEE, body=ReasonForm, answer=JobRow, once=True)
    def post(self, call: Call, kind: str, number: int) -> Any:
        job = _one(call, kind, number)
        known: JobKind = job.job_kind
        if known.cancel is None or not call.user.has_perm(known.cancel_permission):
            raise Forbidden
        if not job.job_can_be_cancelled:
            raise Conflict("This cannot be cancelled now.")
        known.cancel(job.pk, reason=call.data["reason"], by=call.by, at=call.at)
        return _one(call, kind, number)


def _chosen(call: Call) -> list[JobKind]:
    wanted = call.query.get("kind")
    return [kind for kind in kinds() if kind.may_see(call.user) and wanted in {None, kind.name}]


def _of(call: Call, kind: JobKind, after: Mapping[str, int], limit: int) -> list[Any]:
    """One more than are shown. In the order of their keys, whatever their times: so each row comes once, however long it is paged."""
    rows = access.only_jobs(kind, call.user)
    if "state" in call.query:
        rows = rows.filter(state=call.query["state"])
    if call.query.get("mine"):
        rows = rows.filter(requested_by_id=call.user.pk)
    if kind.name in after:
        rows = rows.filter(pk__lt=after[kind.name])
    return [_known(call, kind, job) for job in rows.order_by("-pk")[: limit + 1]]


def _ends(before: Mapping[str, int], shown: list[Any]) -> str:
    ends = dict(before)
    for job in shown:
        ends[job.job_kind.name] = job.pk
    return ",".join(f"{name}={key}" for name, key in sorted(ends.items()))


def _one(call: Call, name: str, number: int) -> Any:
    """Raises NotFound, also for a kind that the caller may not see."""
    kind = kind_named(name)
    if kind is None or not kind.may_see(call.user):
        raise NotFound("There is no such kind of work.")
    return _known(call, kind, access.only_jobs(kind, call.user).get(pk=number))


def _known(call: Call, kind: JobKind, job: Any) -> Any:
    """The row with what JobRow tells beside its columns."""
    job.job_kind, job.job_label, job.job_can_be_cancelled = kind, str(kind.label(job)), kind.may_be_cancelled(call.user, job)
    return job
