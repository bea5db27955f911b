"""Pages that belong to no model: a person's own account."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console import authenticators
from console.errors import DomainError
from console.shared.actors import actor_of
from console.shared.page_actions import put_error


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code"),
        max_length=8,
        help_text=_("The six digits that the app shows now."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "np-code", "autofocus": True}),
    )


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    return _page(request, "console/account.html", _("Your account"), authenticator=authenticators.of(request.user))


@never_cache
@require_http_methods(["GET", "POST"])
def add_authenticator(request: HttpRequest) -> HttpResponse:
    """GET shows a key as QR code and text, POST confirms it by a code."""
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            authenticators.confirm(request.user, form.cleaned_data["code"], by=actor_of(request), at=timezone.now())
        except DomainError as error:
            put_error(form, error)
        else:
            messages.success(request, _("Your authenticator app is set up."))
            return HttpResponseRedirect(reverse("admin:account"))
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
    try:
        authenticators.remove(request.user, by=actor_of(request), at=timezone.now())
        messages.success(request, _("Your authenticator app was removed."))
    except DomainError as error:
        messages.error(request, error.message)
    return HttpResponseRedirect(reverse("admin:account"))


def _page(request: HttpRequest, template: str, title: Any, **context: Any) -> TemplateResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), "title": title, **context})
