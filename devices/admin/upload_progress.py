"""How far an upload is, as words and figures for its page and for the script that keeps the page up to date."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from console.shared.durations import duration
from console.shared.jobs import JobState
from devices.models import MarkedWorkbook, Upload, UploadPurpose, UploadStage


def state_of(upload: Upload) -> tuple[str, str]:
    """Kind of badge and words."""
    if upload.state == JobState.CANCELLED:
        return "cancelled", _("Discarded")
    if upload.stage == UploadStage.COMMIT:
        return {
            JobState.QUEUED: ("queued", _("Waits for its import")),
            JobState.RUNNING: ("running", _("Being imported")),
            JobState.DONE: ("done", _("Imported")),
        }.get(JobState(upload.state), ("failed", _("Not imported")))
    if upload.state == JobState.DONE:
        good = _("Ready to import") if upload.purpose == UploadPurpose.PRE_IMPORT else _("Ready for production")
        return ("amber", _("Bad cells")) if upload.bad_rows else ("green", good)
    return {
        JobState.QUEUED: ("queued", _("Waits for its check")),
        JobState.RUNNING: ("running", _("Being checked")),
    }.get(JobState(upload.state), ("failed", _("Cannot be used")))


def of_upload(upload: Upload, marked: MarkedWorkbook | None, at: datetime) -> dict[str, Any]:
    """`version` changes when the page has something new to show; `percent` is None while nobody can know. Where the upload itself waits
    for its person, the figures are those of its marked workbook."""
    kind, words = state_of(upload)
    job: Upload | MarkedWorkbook = marked if marked is not None and upload.is_over else upload
    running = job.state == JobState.RUNNING
    left = job.time_left(at) if running and job.total > job.done else None
    return {
        "live": not job.is_over,
        "version": f"{upload.stage}|{upload.state}" + (f"|{marked.state}" if marked is not None else ""),
        "kind": kind,
        "state": words,
        "percent": min(100, job.done * 100 // job.total) if running and job.total else None,
        "rows": (_rows(upload) if job is upload else _rows_marked(job)) if running else "",
        "rate": _("%(rows)s rows a second") % {"rows": f"{round(job.rate(at)):,}"} if running and job.done else "",
        "left": _("about %(time)s left") % {"time": duration(left)} if left is not None else "",
    }


def _rows_marked(marked: Upload | MarkedWorkbook) -> str:
    return _("%(done)s of %(total)s rows are marked") % {"done": f"{marked.done:,}", "total": f"{marked.total:,}"}


def _rows(upload: Upload) -> str:
    if upload.stage == UploadStage.COMMIT and upload.done >= upload.total > 0:
        return _("All rows are prepared and are being stored together.")
    if upload.total and upload.done >= upload.total:
        return _("All rows are read and are being compared with the pre-import list.")
    if not upload.done:
        return _("The file is being opened.")
    return _("%(done)s of about %(total)s rows") % {"done": f"{upload.done:,}", "total": f"{max(upload.done, upload.total):,}"}
