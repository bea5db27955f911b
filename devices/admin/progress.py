"""How far batches and their files are, as words and figures for pages and for the script that keeps pages up to date."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.shared.jobs import Job, JobState
from devices.models import Batch, BatchFile


def of_batch(batch: Batch, at: datetime) -> dict[str, Any]:
    """`version` changes when the page of the batch has something new to show."""
    files = list(batch.files.all())
    left = batch.time_left(at)
    return {
        "id": batch.pk,
        "state": batch.state,
        "label": batch.get_state_display(),
        "percent": batch.percent,
        "made": intcomma(batch.made),
        "total": intcomma(batch.total),
        "rate": _("%(rows)s devices a second") % {"rows": intcomma(round(batch.rate(at)))} if batch.state == JobState.RUNNING else "",
        "left": _("%(time)s left") % {"time": duration(left)} if left is not None and batch.state == JobState.RUNNING else "",
        "live": not batch.is_over or any(not file.is_over for file in files),
        "version": "|".join([batch.state, *(f"{file.format}={file.state}" for file in files)]),
        "files": {file.format: {"percent": percent(file), "done": intcomma(file.done)} for file in files},
    }


def percent(file: BatchFile) -> int:
    return min(100, file.done * 100 // file.total) if file.total else 0


def duration(time: timedelta) -> str:
    """Rounded to what a person wants to know."""
    seconds = max(0, round(time.total_seconds()))
    if not seconds:
        return _("less than a second")
    if seconds < 90:
        return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}
    if seconds < 5400:
        minutes = round(seconds / 60)
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    hours = round(seconds / 3600)
    return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}


def took(job: Job) -> str:
    """How long it ran; empty where it did not."""
    return duration(job.finished_at - job.started_at) if job.started_at and job.finished_at else ""
