"""The files of a batch on its page, and how they leave it (G9, G10)."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.shared.actors import actor_of
from console.shared.attachments import attachment
from console.shared.tasks import nudge
from devices.admin import progress
from devices.admin.batch_actions import formats_of
from devices.models import Batch, BatchFile, FileFormat
from devices.services import batch_files

WORDS = {
    FileFormat.CSV: _("For the flashing tools: plain text, one line a device."),
    FileFormat.XLSX: _("For people: every cell is text, so that nothing is shortened or computed."),
    FileFormat.ALIGENIE: _("The six columns that the factory tools of AliGenie's Wi-Fi and Bluetooth chips read, as Excel."),
    FileFormat.DATA: _("Nickname, SN, DeviceSecret and the state in every data center, as things are when it is made; kept for an hour."),
}


def lines(batch: Batch, now: datetime) -> list[dict[str, Any]]:
    """A line for each format that this batch can be had in; none before it has ended, and none while it is being undone."""
    if not batch.is_over or not batch.made or batch.undo_began_at is not None:
        return []
    made: dict[str, BatchFile] = {file.format: file for file in batch.files.all()}
    return [
        {
            "format": form,
            "words": WORDS[form],
            "file": made.get(form),
            "ready": form in made and made[form].is_ready(now),
            "working": form in made and not made[form].is_over,
            "percent": progress.percent(made[form]) if form in made else 0,
            "at_once": batch.made <= batch_files.AT_ONCE,
        }
        for form in formats_of(batch)
    ]


def hand_over(request: HttpRequest, batch: Batch, form: str, *, page: str) -> HttpResponseBase:
    """The file itself where it is ready or quickly made; else it is ordered, and the `page` shows how far it is. Raises a DomainError."""
    by, now = actor_of(request), timezone.now()
    file = batch_files.order(batch.pk, form, by=by, at=now)
    if not file.is_ready(now):
        if batch.made > batch_files.AT_ONCE:
            nudge("devices.pack_batch", file.pk)
            return HttpResponseRedirect(page)
        batch_files.pack(file.pk, clock=timezone.now)
        nudge("devices.issue_receipt", batch.pk)
    made = batch_files.download(batch, form, by=by, at=timezone.now())
    return attachment(made.name, made.content_type, made.size, made.pieces)
