"""A page that adds a row: a plain form, one service, errors at their fields."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.errors import DomainError
from console.shared.actors import actor_of
from console.shared.page_actions import Occasion, put_error


class AddPage:
    """For a ModelAdmin. `add_row` calls one service with an Occasion whose target is None, and returns the row."""

    add_form_class: type[forms.Form]
    add_title: Any = ""
    add_sub: Any = ""
    add_template = "console/add.html"
    add_done: Any = _("Added.")
    error_fields: Mapping[str, str] = {}
    """A service's name of a field → the form's."""

    opts: Any
    admin_site: Any
    has_add_permission: Callable[..., bool]

    def add_form(self, request: HttpRequest) -> forms.Form:
        return self.add_form_class(request.POST or None)

    def add_row(self, occasion: Occasion) -> Any:
        raise NotImplementedError

    def after_add_url(self, row: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])

    def added(self, request: HttpRequest, row: Any) -> HttpResponse:
        """The answer when the row is there."""
        messages.success(request, self.add_done)
        return HttpResponseRedirect(self.after_add_url(row))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = self.add_form(request)
        if request.method == "POST" and form.is_valid():
            occasion = Occasion(request, None, form.cleaned_data, actor_of(request), timezone.now())
            try:
                row = self.add_row(occasion)
            except DomainError as error:
                put_error(form, error, self.error_fields)
            else:
                return self.added(request, row)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": self.add_title,
            "page_sub": self.add_sub,
            "form": form,
            "back_url": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
        }
        return TemplateResponse(request, self.add_template, context)
