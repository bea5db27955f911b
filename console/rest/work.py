"""Long work as a program sees it: the same members, whatever kind it is."""

from typing import Any

from rest_framework import serializers

from console.rest.forms import Moment
from console.shared.jobs import JobState
from console.shared.translation import shown


class WorkRow(serializers.Serializer):
    """The columns of a console.shared.jobs.Job."""

    state = serializers.ChoiceField(JobState.choices)
    total = serializers.IntegerField(help_text="Rows.")
    done = serializers.IntegerField(help_text="Rows done.")
    requested_at = Moment()
    requested_by = serializers.SerializerMethodField()
    started_at = Moment(allow_null=True)
    finished_at = Moment(allow_null=True)
    failure = serializers.SerializerMethodField(help_text="Why it failed, in words; empty otherwise.")

    def get_requested_by(self, job: Any) -> str | None:
        return job.requested_by.get_username() if job.requested_by else None

    def get_failure(self, job: Any) -> str:
        return shown(job.failure)
