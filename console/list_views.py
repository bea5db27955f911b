"""Saved filters and chosen columns: each person's own, for every list of the console."""

from typing import NamedTuple, cast
from urllib.parse import parse_qsl, urlencode

from django.contrib import admin, messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console.models import ChosenColumns, SavedFilter
from console.models.list_view import QUERY_AT_MOST
from console.shared.admin import ConsoleModelAdmin, ListTools, columns_by, tools_by

AT_MOST = 30
"""Saved filters of one list; more is a sign that search is what is wanted."""
NOT_KEPT = frozenset({"p", "e", "page", "csrfmiddlewaretoken"})
"""Of an address: where one stands in the list, not what one looks for."""


def _me(request: HttpRequest) -> int:
    """The signed-in person's number; the site lets nobody else come here."""
    return cast("int", request.user.pk)


class Column(NamedTuple):
    name: str
    words: str
    shown: bool


@columns_by
def hidden_columns(request: HttpRequest, page: str) -> frozenset[str]:
    """One query for each page, however often the admin asks."""
    kept: dict[str, frozenset[str]] = request.__dict__.setdefault("_hidden_columns", {})
    if page not in kept:
        row = ChosenColumns.objects.filter(user_id=_me(request), page=page).first()
        kept[page] = frozenset(str(name) for name in row.hidden) if row else frozenset()
    return kept[page]


@tools_by
def tools(request: HttpRequest, model_admin: ConsoleModelAdmin) -> ListTools:
    """What the list's template shows above it. The first column leads to the row's page, so it stays."""
    page = model_admin.opts.label_lower
    hidden = hidden_columns(request, page)
    words = [(name, _words_of(model_admin, name)) for name in model_admin.every_column(request)[1:]]
    columns = [Column(name, text, name not in hidden) for name, text in words if text]
    saved = list(SavedFilter.objects.filter(user_id=_me(request), page=page))
    query = kept_part(request.GET.urlencode())
    here = reverse(f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_changelist")
    return ListTools(page, here, columns, saved, query, [one.name for one in saved if one.query == query])


def _words_of(model_admin: ConsoleModelAdmin, name: str) -> str:
    method = getattr(model_admin, name, None)
    if method is not None:
        return str(getattr(method, "short_description", ""))
    return str(model_admin.model._meta.get_field(name).verbose_name)


def kept_part(query: str) -> str:
    """Of an address's query, what a saved filter keeps."""
    return urlencode([(name, value) for name, value in parse_qsl(query, keep_blank_values=False) if name not in NOT_KEPT])


@require_POST
def save(request: HttpRequest, page: str) -> HttpResponse:
    """Keeps the list's filters under a name; the same name again replaces what it meant."""
    back = _list_url(request, page)
    name, query = " ".join(request.POST.get("name", "").split())[:60], kept_part(request.POST.get("query", ""))
    if not name:
        messages.error(request, _("Give the filter a name."))
    elif not query:
        messages.error(request, _("There is nothing to keep: choose filters or search first."))
    elif len(query) > QUERY_AT_MOST:
        messages.error(request, _("These filters are too long to be kept."))
    elif not _store(request, page, name, query):
        messages.error(request, _("A list keeps at most {most} filters: delete one first.").format(most=AT_MOST))
    else:
        messages.success(request, _("The filter “{name}” is kept.").format(name=name))
    return HttpResponseRedirect(f"{back}?{query}" if query else back)


@transaction.atomic
def _store(request: HttpRequest, page: str, name: str, query: str) -> bool:
    mine = SavedFilter.objects.filter(user_id=_me(request), page=page)
    if mine.count() >= AT_MOST and not mine.filter(name=name).exists():
        return False
    SavedFilter.objects.update_or_create(user_id=_me(request), page=page, name=name, defaults={"query": query})
    return True


@require_POST
def forget(request: HttpRequest, page: str, pk: int) -> HttpResponse:
    """One of one's own; another's is not there."""
    back = _list_url(request, page)
    found = SavedFilter.objects.filter(user_id=_me(request), page=page, pk=pk).first()
    if found is None:
        raise Http404
    found.delete()
    messages.success(request, _("The filter “{name}” is deleted.").format(name=found.name))
    return HttpResponseRedirect(back)


@require_POST
def choose_columns(request: HttpRequest, page: str) -> HttpResponse:
    """What is ticked is shown from now on, on every machine the person signs in at."""
    model_admin = _admin_of(request, page)
    known = model_admin.every_column(request)[1:]
    hidden = [name for name in known if name not in request.POST.getlist("column")]
    ChosenColumns.objects.update_or_create(user_id=_me(request), page=page, defaults={"hidden": hidden})
    query = kept_part(request.POST.get("query", ""))
    return HttpResponseRedirect(_list_url(request, page) + (f"?{query}" if query else ""))


def _admin_of(request: HttpRequest, page: str) -> ConsoleModelAdmin:
    """Of a list that the person may see. Raises Http404."""
    for model, model_admin in admin.site._registry.items():
        is_ours = isinstance(model_admin, ConsoleModelAdmin) and model._meta.label_lower == page
        if is_ours and model_admin.has_view_permission(request):
            return cast("ConsoleModelAdmin", model_admin)
    raise Http404


def _list_url(request: HttpRequest, page: str) -> str:
    opts = _admin_of(request, page).opts
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
