"""The jobs page: all long work of all kinds, what runs on top, as far as a person may see it."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from console.errors import DomainError
from console.shared.actors import actor_of
from console.shared.durations import duration
from console.shared.job_kinds import UNDER_WAY, JobKind, kind_named, kinds
from console.shared.jobs import JobState
from console.shared.page_actions import put_error
from console.shared.translation import shown
from products.models import Product
from products.services.access import limit_of, may_see, only_jobs

A_PAGE = 25
RUNNING_AT_MOST = 50
"""Of one kind: more than workers can run, and few enough to look at once a second."""
MINE = "me"

Work = tuple[JobKind, Any]


class CancelForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"), required=False, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters of the address. `older`: kind → the number below which its ended rows begin."""

    state: str
    kind: str
    person: str
    older: dict[str, int]


@dataclass(frozen=True, slots=True)
class Page:
    """`older`: the address's part that shows what came before, empty at the end."""

    jobs: list[Work]
    older: str


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    asked, visible = _asked(request), _visible(request)
    found, now = _page(request, asked, visible), timezone.now()
    rows = _rows(request, found.jobs, now)
    query = request.GET.copy()
    query.pop("older", None)
    context = {
        **admin.site.each_context(request),
        "title": _("Jobs"),
        "rows": rows,
        "version": _version(rows),
        "asked": asked,
        "states": JobState.choices,
        "kinds": [(kind.name, kind.title) for kind in visible],
        "person": _person(asked.person, rows),
        "filtered": bool(asked.state or asked.kind or asked.person),
        "progress_url": f"{reverse('admin:jobs_progress')}?{request.GET.urlencode()}",
        "newest_url": f"?{query.urlencode()}" if asked.older else "",
        "older_url": f"?{'&'.join(part for part in (query.urlencode(), f'older={found.older}') if part)}" if found.older else "",
    }
    return TemplateResponse(request, "work/jobs.html", context)


@require_safe
def progress(request: HttpRequest) -> HttpResponse:
    """How far the jobs of the page with the same filters are; as many queries as the page has kinds."""
    rows = _rows(request, _page(request, _asked(request), _visible(request)).jobs, timezone.now())
    live = {"key", "state", "label", "rows", "rate", "left", "percent"}
    told = [{name: row[name] for name in live} for row in rows]
    return JsonResponse({"version": _version(rows), "jobs": told}, headers={"Cache-Control": "no-store"})


@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """GET asks once more, POST ends it."""
    known, job = _find(request, kind, pk)
    if not request.user.has_perm(known.cancel_permission) or known.cancel is None:
        raise PermissionDenied
    form = CancelForm(request.POST or None)
    if not known.may_cancel(job):
        messages.info(request, _("The page has changed since you opened it: this is not possible any more."))
        return HttpResponseRedirect(reverse("admin:jobs"))
    if request.method == "POST" and form.is_valid():
        try:
            known.cancel(job.pk, reason=form.cleaned_data["reason"], by=actor_of(request), at=timezone.now())
        except DomainError as error:
            put_error(form, error)
        else:
            messages.success(request, _("The job is being cancelled."))
            return HttpResponseRedirect(reverse("admin:jobs"))
    context = {**admin.site.each_context(request), "title": _("Cancel this job?"), "kind": known, "label": known.label(job), "form": form}
    return TemplateResponse(request, "work/cancel.html", {**context, "page_url": known.page(job)})


def _visible(request: HttpRequest) -> list[JobKind]:
    """Raises PermissionDenied for who may see no kind of work."""
    found = [kind for kind in kinds() if kind.may_see(request.user)]
    if not found:
        raise PermissionDenied
    return found


def _asked(request: HttpRequest) -> Asked:
    older = (part.partition(":") for part in request.GET.get("older", "").split(","))
    state, kind, person = (request.GET.get(name, "") for name in ("state", "kind", "person"))
    return Asked(
        state=state if state in JobState.values else "",
        kind=kind if kind_named(kind) else "",
        person=person if person == MINE or person.isdecimal() else "",
        older={name: int(number) for name, _colon, number in older if number.isdecimal()},
    )


def _of(request: HttpRequest, kind: JobKind, asked: Asked) -> QuerySet[Any]:
    """The rows of a kind that the person may see and asked for."""
    rows = only_jobs(kind, request.user)
    if kind.product_field:
        rows = rows.annotate(job_product=F(kind.product_field))
    if asked.person:
        rows = rows.filter(requested_by_id=request.user.pk if asked.person == MINE else int(asked.person))
    return rows.filter(state=asked.state) if asked.state else rows


def _page(request: HttpRequest, asked: Asked, visible: Sequence[JobKind]) -> Page:
    chosen = [kind for kind in visible if asked.kind in ("", kind.name)]
    under_way: list[Work] = []
    ended: list[list[Work]] = []
    for kind in chosen:
        rows = _of(request, kind, asked).order_by("-pk")
        if not asked.older:
            under_way += [(kind, job) for job in rows.filter(state__in=UNDER_WAY)[:RUNNING_AT_MOST]]
        before = rows.exclude(state__in=UNDER_WAY)
        if kind.name in asked.older:
            before = before.filter(pk__lt=asked.older[kind.name])
        ended.append([(kind, job) for job in before[: A_PAGE + 1]])
    under_way.sort(key=_requested, reverse=True)
    newest = list(islice(heapq.merge(*ended, key=_requested, reverse=True), A_PAGE + 1))
    return Page(under_way + newest[:A_PAGE], _older(asked, newest[:A_PAGE]) if len(newest) > A_PAGE else "")


def _requested(work: Work) -> datetime:
    at: datetime = work[1].requested_at
    return at


def _older(asked: Asked, shown_now: Sequence[Work]) -> str:
    """Each kind goes on where this page ends."""
    ends = dict(asked.older)
    for kind, job in shown_now:
        ends[kind.name] = min(job.pk, ends.get(kind.name, job.pk))
    return ",".join(f"{name}:{number}" for name, number in sorted(ends.items()))


def _rows(request: HttpRequest, jobs: Sequence[Work], now: datetime) -> list[dict[str, Any]]:
    products = Product.objects.only("name").in_bulk({pk for _kind, job in jobs if (pk := getattr(job, "job_product", None))})
    return [_row(request, kind, job, products.get(getattr(job, "job_product", None) or 0), now) for kind, job in jobs]


def _row(request: HttpRequest, kind: JobKind, job: Any, product: Product | None, now: datetime) -> dict[str, Any]:
    running, left = job.state == JobState.RUNNING, job.time_left(now)
    stopping = job.cancel_requested and not job.is_over
    may_cancel = kind.may_be_cancelled(request.user, job)
    return {
        "key": f"{kind.name}-{job.pk}",
        "kind": kind.title,
        "doing": kind.doing(job) if kind.doing else "",
        "name": kind.label(job),
        "url": kind.page(job),
        "product": product,
        "person": job.requested_by,
        "requested_at": job.requested_at,
        "state": job.state,
        "label": str(_("Being cancelled")) if stopping else str(job.get_state_display()),
        "live": not job.is_over,
        "rows": _("%(done)s of %(total)s") % {"done": f"{job.done:,}", "total": f"{job.total:,}"} if job.total else f"{job.done:,}",
        "percent": min(100, job.done * 100 // job.total) if job.total else (100 if job.state == JobState.DONE else 0),
        "rate": _("%(rows)s rows a second") % {"rows": f"{round(job.rate(now)):,}"} if job.done and job.started_at else "",
        "left": _("%(time)s left") % {"time": duration(left)} if running and left is not None else "",
        "took": duration(job.finished_at - job.started_at) if job.started_at and job.finished_at else "",
        "failure": shown(job.failure),
        "cancel_url": reverse("admin:jobs_cancel", args=[kind.name, job.pk]) if may_cancel else "",
    }


def _version(rows: Sequence[dict[str, Any]]) -> str:
    """Another one when the page has other rows or states to show."""
    return "|".join(f"{row['key']}={row['state']}{row['label']}{row['failure']}" for row in rows)


def _person(asked: str, rows: Sequence[dict[str, Any]]) -> str:
    """The name of another person who was asked for."""
    names: Iterator[str] = (row["person"].get_username() for row in rows if row["person"])
    return next(names, "") if asked not in ("", MINE) else ""


def _find(request: HttpRequest, name: str, pk: int) -> Work:
    """Raises PermissionDenied for a kind that the person may not see, Http404 for a row that is not there for him."""
    kind = kind_named(name)
    if kind is None:
        raise Http404
    if not kind.may_see(request.user):
        raise PermissionDenied
    rows = kind.model._default_manager.select_related(*kind.related)
    job = (rows.annotate(job_product=F(kind.product_field)) if kind.product_field else rows).filter(pk=pk).first()
    if job is None or not _is_theirs(request, kind, job):
        raise Http404
    return kind, job


def _is_theirs(request: HttpRequest, kind: JobKind, job: Any) -> bool:
    if kind.product_field:
        return may_see(request.user, job.job_product or 0)
    return limit_of(request.user) is None or job.requested_by_id == request.user.pk
