"""The pages of signing in: name and password, then the second factor, and the page that asks again before a secret is shown."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from console.errors import DomainError
from console.people import second_factor, signing_in
from console.shared.page_actions import put_error


class PasswordForm(forms.Form):
    """The sign-in page's; passwords may begin and end with blanks."""

    username = forms.CharField(
        label=_("Username"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"), strip=False, max_length=4096, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


class FactorForm(forms.Form):
    code = forms.CharField(
        label=_("Code"),
        max_length=32,
        help_text=_("The six digits that your authenticator app shows now, or one of your recovery codes."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "class": "np-code", "autofocus": True, "spellcheck": "false"}),
    )


class PasswordAgainForm(forms.Form):
    code = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )


guarded = (sensitive_post_parameters(), csrf_protect, never_cache, require_http_methods(["GET", "HEAD", "POST"]))


def page(view: Any) -> Any:
    """What each of these pages is wrapped in."""
    for wrap in reversed(guarded):
        view = wrap(view)
    return view


@page
def password_step(request: HttpRequest) -> HttpResponse:
    """The first step. Whoever has an authenticator app is led to the second one, everybody else is signed in."""
    if request.method != "POST" and admin.site.has_permission(request):
        return HttpResponseRedirect(_next(request))
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            return _after_password(request, form.cleaned_data["username"], form.cleaned_data["password"])
        except DomainError as error:
            put_error(form, error)
    return _page(request, "admin/login.html", _("Sign in"), form=form)


def _after_password(request: HttpRequest, name: str, password: str) -> HttpResponse:
    now = timezone.now()
    user = signing_in.check_password(request, name, password, at=now)
    if second_factor.of(user) is None:
        signing_in.complete(request, user, factor=second_factor.PASSWORD, at=now)
        return HttpResponseRedirect(_next(request))
    signing_in.remember_half(request, user, at=now)
    return HttpResponseRedirect(f"{reverse('admin:login_code')}?{urlencode({'next': _next(request)})}")


@page
def code_step(request: HttpRequest) -> HttpResponse:
    """The second step."""
    half = signing_in.half_of(request, at=timezone.now())
    if half is None:
        messages.info(request, _("Please begin again: that took too long."))
        return HttpResponseRedirect(f"{reverse('admin:login')}?{urlencode({'next': _next(request)})}")
    form = FactorForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            factor = signing_in.check_code(request, half.user, form.cleaned_data["code"], at=now)
        except DomainError as error:
            put_error(form, error)
        else:
            signing_in.complete(request, half.user, factor=factor, at=now)
            if factor == second_factor.RECOVERY_CODE:
                _tell_codes_left(request, half.user)
            return HttpResponseRedirect(_next(request))
    return _page(request, "people/login_code.html", _("Second step"), form=form)


def _tell_codes_left(request: HttpRequest, user: Any) -> None:
    left = second_factor.recovery_codes_left(user)
    words = ngettext("You used a recovery code. %(left)d is left.", "You used a recovery code. %(left)d are left.", left)
    messages.warning(request, words % {"left": left})


@page
def confirm(request: HttpRequest) -> HttpResponse:
    """Asks the signed-in person again, and leads on to ?next=."""
    has_app = second_factor.of(request.user) is not None
    kind: type[forms.Form] = FactorForm if has_app else PasswordAgainForm
    form = kind(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            signing_in.confirm(request, form.cleaned_data["code"], at=timezone.now())
            return HttpResponseRedirect(_next(request, otherwise="admin:account"))
        except signing_in.WrongPassword:
            form.add_error("code", _("This is not your password."))
        except DomainError as error:
            put_error(form, error)
    return _page(request, "people/confirm.html", _("Is it still you?"), form=form, has_app=has_app)


def _next(request: HttpRequest, *, otherwise: str = "admin:index") -> str:
    """Where to go on: a page of this console that was asked for, and nothing else."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return asked if ours else reverse(otherwise)


def _page(request: HttpRequest, template: str, title: Any, **context: Any) -> TemplateResponse:
    context = {**admin.site.each_context(request), "title": title, "next": _next(request), **context}
    request.current_app = admin.site.name
    return TemplateResponse(request, template, context)
