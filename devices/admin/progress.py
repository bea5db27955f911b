"""How far batches and their files are, as words and figures for pages and for the script that keeps pages up to date."""

from datetime import datetime
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext as _

from console.shared.durations import duration
from console.shared.jobs import Job, JobState
from devices.models import Batch, SerialNumberRun


def of_batch(batch: Batch, at: datetime) -> dict[str, Any]:
    """`version` changes when the page of the batch has something new to show."""
    files = list(batch.files.all())
    left = batch.time_left(at)
    undo = batch.undos.first() if batch.undo_began_at and not batch.undone_at else None
    return {
        "id": batch.pk,
        "state": batch.state,
        "label": batch.get_state_display(),
        "percent": batch.percent,
        "made": intcomma(batch.made),
        "total": intcomma(batch.total),
        "rate": _("%(rows)s devices a second") % {"rows": intcomma(round(batch.rate(at)))} if batch.state == JobState.RUNNING else "",
        "left": _("%(time)s left") % {"time": duration(left)} if left is not None and batch.state == JobState.RUNNING else "",
        "live": not batch.is_over or undo is not None or any(not file.is_over for file in files),
        "version": "|".join([batch.state, _undoing(batch), *(f"{file.format}={file.state}" for file in files)]),
        "files": {file.format: {"percent": percent(file), "done": intcomma(file.done)} for file in files},
        "undo": percent(undo) if undo else 100,
    }


def of_run(run: SerialNumberRun, at: datetime) -> dict[str, Any]:
    """In the form of `of_batch`, for the same script."""
    left = run.time_left(at)
    running = run.state == JobState.RUNNING
    return {
        "id": run.pk,
        "state": run.state,
        "label": run.get_state_display(),
        "percent": run.percent,
        "made": intcomma(run.done),
        "total": intcomma(run.total),
        "rate": _("%(rows)s serial numbers a second") % {"rows": intcomma(round(run.rate(at)))} if running and run.done else "",
        "left": _("%(time)s left") % {"time": duration(left)} if left is not None and running else "",
        "live": not run.is_over,
        "version": run.state,
        "files": {},
    }


def percent(job: Job) -> int:
    return min(100, job.done * 100 // job.total) if job.total else 0


def _undoing(batch: Batch) -> str:
    return "undone" if batch.undone_at else "undoing" if batch.undo_began_at else ""


def took(job: Job) -> str:
    """How long it ran; empty where it did not."""
    return duration(job.finished_at - job.started_at) if job.started_at and job.finished_at else ""
