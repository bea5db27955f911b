"""What needs attention and belongs to no floor below: background work, the programs' keys, the disk."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from console.models import ApiKey
from console.navigation import link_to
from console.shared.attention import DANGER, Alert, attention
from console.shared.durations import duration
from console.shared.job_kinds import kinds
from console.shared.jobs import JobState
from products.models import DataCenter
from products.services.access import limit_of, only
from registration.services import figures

WAITS_TOO_LONG = timedelta(minutes=1)
SWEEPS_MISSING = timedelta(minutes=5)
LATELY = timedelta(days=7)
COUNTED = 100
KEYS_SHOWN = 5
LEAST_FREE = 0.1
"""Part of the disk."""


@attention
def no_worker(user: Any, at: datetime) -> Iterator[Alert]:
    """A job that nobody takes, or figures that nobody keeps."""
    if not user.is_staff:
        return
    waiting = [oldest for kind in kinds() if (oldest := _oldest_queued(kind.model)) and at - oldest > WAITS_TOO_LONG]
    kept = figures.freshness(list(DataCenter.objects.all())).attempts_at
    silent = kept is not None and at - kept > SWEEPS_MISSING
    if waiting or silent:
        since = min(waiting) if waiting else kept or at
        yield Alert(
            title=_("The background worker does not run"),
            sentence=_("Nothing has been done in the background for %(time)s: batches, imports and files wait. Start it again.")
            % {"time": duration(at - since)},
            url=link_to("jobs") if waiting else "",
            label=_("Jobs"),
            severity=DANGER,
        )


@attention
def failed_lately(user: Any, at: datetime) -> Iterator[Alert]:
    for kind in kinds():
        if not kind.may_see(user):
            continue
        failed = kind.model._default_manager.filter(state=JobState.FAILED, finished_at__gte=at - LATELY)
        if kind.product_field:
            failed = only(failed, user, field=kind.product_field)
        elif limit_of(user) is not None:
            failed = failed.filter(requested_by_id=user.pk)
        if count := failed.order_by()[:COUNTED].count():
            yield Alert(
                title=_("%(kind)s: failed in the last seven days") % {"kind": kind.title},
                sentence=_("The jobs page says why, for each of them."),
                url=f"{link_to('jobs')}?state={JobState.FAILED}&kind={kind.name}",
                label=_("Jobs"),
                count=count,
                at_least=count == COUNTED,
            )


@attention
def keys_that_expire(user: Any, at: datetime) -> Iterator[Alert]:
    if not user.has_perm("console.view_apikey"):
        return
    for key in ApiKey.objects.expiring(at).order_by("expires_at")[:KEYS_SHOWN]:
        yield Alert(
            title=_("The API key %(name)s expires on %(day)s") % {"name": key.name, "day": f"{localtime(key.expires_at):%Y-%m-%d}"},
            sentence=_("The program that uses it is refused from then on. Make another key and put it in first."),
            url=link_to("console_apikey_changelist"),
            label=_("API keys"),
        )


@attention
def disk_nearly_full(user: Any, at: datetime) -> Iterator[Alert]:
    """The disk of the data folder: uploads, files of activation codes, and on SQLite all that is known."""
    if not user.has_perm("products.view_datacenter"):
        return
    disk = shutil.disk_usage(settings.MEDIA_ROOT.parent)
    if disk.free < disk.total * LEAST_FREE:
        yield Alert(
            title=_("The disk of the data folder is nearly full"),
            sentence=_("%(free)s GB of %(total)s GB are free. Without space, workbooks and files of activation codes cannot be kept.")
            % {"free": f"{disk.free / 1e9:,.1f}", "total": f"{disk.total / 1e9:,.0f}"},
            severity=DANGER,
        )


def _oldest_queued(model: Any) -> datetime | None:
    found: datetime | None = (
        model._default_manager.filter(state=JobState.QUEUED).order_by("requested_at").values_list("requested_at", flat=True).first()
    )
    return found
