"""Pages that belong to no model: a person's own account, with the authenticator app, the recovery codes and the sessions."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console import authenticators
from console.errors import DomainError
from console.people import second_factor, sign_ins
from console.people.session_guard import SECOND_FACTOR
from console.people.session_store import stored
from console.shared import confirmation
from console.shared.actors import actor_of
from console.shared.page_actions import put_error
from console.shared.translation import shown


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code"),
        max_length=8,
        help_text=_("The six digits that the app shows now."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "np-code", "autofocus": True}),
    )


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    authenticator = authenticators.of(request.user)
    left = second_factor.recovery_codes_left(request.user) if authenticator else 0
    return _page(
        request,
        "console/account.html",
        _("Your account"),
        authenticator=authenticator,
        codes_left=left,
        few_codes=left < second_factor.FEW,
        sessions=sign_ins.of(request.user, at=timezone.now()),
        this_session=stored(_key(request)),
    )


@never_cache
@require_http_methods(["GET", "POST"])
def add_authenticator(request: HttpRequest) -> HttpResponse:
    """GET shows a key as QR code and text, POST confirms it by a code and shows the recovery codes."""
    if not confirmation.is_fresh(request, timezone.now()):
        return confirmation.ask(request.path)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = second_factor.set_up(request.user, form.cleaned_data["code"], by=actor_of(request), at=timezone.now())
        except DomainError as error:
            put_error(form, error)
        else:
            request.session[SECOND_FACTOR] = True
            messages.success(request, _("Your authenticator app is set up."))
            return _recovery_codes(request, codes)
    device = authenticators.offered_to(request.user)
    qr_code = mark_safe(authenticators.qr_code(device))  # noqa: S308  made by the QR library from our own text
    return _page(
        request,
        "console/authenticator.html",
        _("Set up an authenticator app"),
        form=form,
        qr_code=qr_code,
        key=authenticators.readable_key(device),
    )


@require_POST
def remove_authenticator(request: HttpRequest) -> HttpResponse:
    if not confirmation.is_fresh(request, timezone.now()):
        return confirmation.ask(reverse("admin:account"))
    try:
        second_factor.remove(request.user, by=actor_of(request), at=timezone.now())
        request.session[SECOND_FACTOR] = False
        messages.success(request, _("Your authenticator app was removed."))
    except DomainError as error:
        messages.error(request, shown(error))
    return HttpResponseRedirect(reverse("admin:account"))


@never_cache
@require_POST
def renew_recovery_codes(request: HttpRequest) -> HttpResponse:
    """Shown in the answer, and never again."""
    if not confirmation.is_fresh(request, timezone.now()):
        return confirmation.ask(reverse("admin:account"))
    try:
        return _recovery_codes(request, second_factor.renew_recovery_codes(request.user, by=actor_of(request), at=timezone.now()))
    except DomainError as error:
        messages.error(request, shown(error))
        return HttpResponseRedirect(reverse("admin:account"))


@require_POST
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    try:
        sign_ins.end(request.user, session_id, by=actor_of(request), at=timezone.now())
        messages.success(request, _("The session is ended."))
    except DomainError as error:
        messages.error(request, shown(error))
    return HttpResponseRedirect(reverse("admin:account"))


@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    ended = sign_ins.end_all(request.user, but=_key(request), by=actor_of(request), at=timezone.now())
    words = ngettext("%(ended)d other session is ended.", "%(ended)d other sessions are ended.", ended)
    messages.success(request, words % {"ended": ended})
    return HttpResponseRedirect(reverse("admin:account"))


def _recovery_codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    answer = _page(request, "people/recovery_codes.html", _("Your recovery codes"), codes=codes, all_codes="\n".join(codes))
    answer["Cache-Control"] = "no-store"
    return answer


def _key(request: HttpRequest) -> str:
    return cast("str", request.session.session_key)


def _page(request: HttpRequest, template: str, title: Any, **context: Any) -> TemplateResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), "title": title, **context})
