"""Long work as a row: the row is the truth, a message only says "look at row 17".

A worker claims the row by a conditional UPDATE that also counts the attempt; each chunk is one transaction that proves
that the attempt is still its own (`beat`), works, and moves the checkpoint. So a message may come twice, a worker may be
killed at any moment, and a second worker may take over a stale row: nothing is made twice and nothing is missed.
"""

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from console.errors import DomainError


def lease() -> timedelta:
    """A running row that has not beaten for so long has lost its worker."""
    return timedelta(seconds=settings.NAMEPLATE_JOB_LEASE_SECONDS)


class LostClaim(DomainError):
    """Another worker took the row over, or it ended: stop at once, the chunk is rolled back."""

    code = "lost_claim"
    default_message = "Another worker has taken this job over."


class JobState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class JobQuerySet(models.QuerySet[Any]):
    def claimable(self, at: datetime) -> Self:
        """Queued, or running without a heartbeat for longer than the lease."""
        return self.filter(Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING, heartbeat_at__lt=at - lease()))

    def claim(self, pk: int, *, at: datetime) -> int | None:
        """The attempt number that now owns the row, or None if it is another's or has ended. In one transaction: read after it, the
        number could be that of another claim."""
        with transaction.atomic(using=self.db):
            # One UPDATE: after a second one PostgreSQL would check the row's foreign keys again at the end, and lock the rows they name.
            own = {"state": JobState.RUNNING, "attempt": F("attempt") + 1, "heartbeat_at": at}
            if not self.filter(pk=pk).claimable(at).update(**own, started_at=Coalesce("started_at", Value(at))):
                return None
            attempt: int = self.values_list("attempt", flat=True).get(pk=pk)
        return attempt

    def beat(self, pk: int, attempt: int, *, at: datetime, **moved: Any) -> None:
        """Moves checkpoint fields within the chunk's transaction; what interrupted the job before is over. Raises LostClaim. Locks the row
        until the transaction ends."""
        if not self.filter(pk=pk, attempt=attempt, state=JobState.RUNNING).update(heartbeat_at=at, failure="", **moved):
            raise LostClaim

    def finish(self, pk: int, attempt: int, state: JobState, *, at: datetime, **facts: Any) -> None:
        """Raises LostClaim."""
        end = {"state": state, "finished_at": at, "heartbeat_at": at, "failure": ""} | facts
        if not self.filter(pk=pk, attempt=attempt, state=JobState.RUNNING).update(**end):
            raise LostClaim

    def stale(self, at: datetime) -> Self:
        """What a sweep sends again: queued a while ago, or left by a dead worker."""
        queued = Q(state=JobState.QUEUED, requested_at__lt=at - timedelta(seconds=10))
        return self.filter(queued | Q(state=JobState.RUNNING, heartbeat_at__lt=at - lease()))


class Job(models.Model):
    """The columns of long work. `total` and `done` count rows; `attempt` fences; `failure` is a sentence for the operator: why it failed,
    or what has interrupted it."""

    state = models.CharField(_("state"), max_length=12, choices=JobState.choices, default=JobState.QUEUED)
    attempt = models.PositiveIntegerField(default=0, editable=False)
    heartbeat_at = models.DateTimeField(null=True, editable=False)
    requested_at = models.DateTimeField(_("requested"))
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("requested by")
    )
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("ended"), null=True, blank=True)
    total = models.PositiveIntegerField(_("rows"), default=0)
    done = models.PositiveIntegerField(_("rows done"), default=0)
    cancel_requested = models.BooleanField(default=False, editable=False)
    failure = models.TextField(_("failure"), blank=True)

    class Meta:
        abstract = True

    @property
    def is_over(self) -> bool:
        return self.state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)

    def rate(self, at: datetime) -> float:
        """Rows a second since the start."""
        if self.started_at is None:
            return 0.0
        seconds = ((self.finished_at or at) - self.started_at).total_seconds()
        return self.done / seconds if seconds > 0 else 0.0

    def time_left(self, at: datetime) -> timedelta | None:
        """None while nobody can know."""
        rate = self.rate(at)
        if self.is_over or not rate:
            return None
        return timedelta(seconds=(self.total - self.done) / rate)
