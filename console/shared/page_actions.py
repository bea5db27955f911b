"""Actions of a row's own page: a button, a dialog that says what will happen, a permission, one service.

An action is declared once as a PageAction. PageActions (a mixin for a ModelAdmin) gives each one its URL, which a user without
the permission is refused; a GET shows the page with the dialog open, a POST runs the action. A DomainError comes back into the
dialog, at its field.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.errors import DomainError
from console.shared import confirmation
from console.shared.actors import Actor, actor_of
from console.shared.panels import panels_of
from console.shared.translation import shown as in_words

Words = Any
"""A text in the operator's language: str or a lazy translation."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What an action runs with: the row, the dialog's cleaned fields, who, and when."""

    request: HttpRequest
    target: Any
    data: Mapping[str, Any]
    by: Actor
    at: datetime


@dataclass(frozen=True, kw_only=True)
class PageAction:
    """`words`: what will happen, a paragraph each. `warnings`: what may go wrong, shown in a box of its own. `offered`: whether the row's
    state has a use for it. `run`: calls one service; returns None, a sentence to show, or a mapping that the page shows once (a secret).
    `then`: the action whose dialog opens next. `guarded`: asks for the password or the second factor again where the last time is old.
    `needs`: permissions that it takes besides."""

    name: str
    permission: str
    label: Words
    title: Words
    run: Callable[[Occasion], Mapping[str, Any] | str | None]
    confirm: Words
    words: Sequence[Words] = ()
    warnings: Sequence[Words] = ()
    done: Words = ""
    form: type[forms.Form] = forms.Form
    initial: Callable[[Any], dict[str, Any]] = lambda target: {}
    offered: Callable[[Any], bool] = lambda target: True
    danger: bool = False
    primary: bool = False
    icon: str = ""
    then: str = ""
    guarded: bool = False
    needs: Sequence[str] = ()

    def is_allowed(self, user: Any) -> bool:
        return bool(user.has_perms((self.permission, *self.needs)))


@dataclass(frozen=True)
class Offer:
    """An action as its page shows it."""

    action: PageAction
    url: str
    form: forms.Form
    is_open: bool

    @property
    def dialog(self) -> str:
        return f"dialog-{self.action.name}"


class PageActions:
    """For a ModelAdmin whose rows have a page instead of a form. `page_template` extends console/page.html and gets `object`, `offers`
    (by name), `shown` (what an action returned) and `page_context`'s values."""

    page_actions: Sequence[PageAction] = ()
    page_template = ""

    # What a ModelAdmin brings.
    model: Any
    opts: Any
    admin_site: Any
    get_object: Callable[..., Any]
    has_view_permission: Callable[..., bool]

    def page_context(self, request: HttpRequest, target: Any) -> dict[str, Any]:
        return {}

    def page_url(self, target: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[self.page_key(target)])

    def page_key(self, target: Any) -> str:
        """What stands for the row in URLs; `get_object` reads it."""
        return str(target.pk)

    def after_url(self, action: PageAction, target: Any) -> str:
        """Where to go when the action is done."""
        return self._action_url(action.then, target) if action.then else self.page_url(target)

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                f"<path:object_id>/do/{action.name}/",
                self.admin_site.admin_view(self._view_of(action)),
                name=f"{self.opts.app_label}_{self.opts.model_name}_{action.name}",
            )
            for action in self.page_actions
        ] + super().get_urls()

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        return self.render_page(request, self._find(request, object_id))

    def render_page(
        self,
        request: HttpRequest,
        target: Any,
        *,
        bound: tuple[PageAction, forms.Form] | None = None,
        shown: Mapping[str, Any] | None = None,
    ) -> TemplateResponse:
        offers = {action.name: self._offer(action, target, bound) for action in self.page_actions if self._may(request, action, target)}
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "object": target,
            "title": str(target),
            "is_page": True,
            "offers": offers,
            "shown": shown or {},
            "notices": panels_of(f"{self.opts.label_lower}.notice", request, target),
            "panels": panels_of(self.opts.label_lower, request, target),
            **self.page_context(request, target),
        }
        request.current_app = self.admin_site.name
        response = TemplateResponse(request, self.page_template, context)
        if shown:
            response["Cache-Control"] = "no-store"
        return response

    def _find(self, request: HttpRequest, object_id: str) -> Any:
        """Raises PermissionDenied before it says whether there is such a row, then Http404."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        target = self.get_object(request, unquote(object_id))
        if target is None:
            raise Http404
        return target

    def _may(self, request: HttpRequest, action: PageAction, target: Any) -> bool:
        return action.is_allowed(request.user) and action.offered(target)

    def _offer(self, action: PageAction, target: Any, bound: tuple[PageAction, forms.Form] | None) -> Offer:
        url = self._action_url(action.name, target)
        if bound is not None and bound[0] is action:
            return Offer(action, url, bound[1], True)
        return Offer(action, url, _form(action, target, None), False)

    def _action_url(self, name: str, target: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=[self.page_key(target)])

    def _view_of(self, action: PageAction) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            if not action.is_allowed(request.user):
                raise PermissionDenied
            target = self._find(request, object_id)
            if not action.offered(target):
                messages.info(request, _("The page has changed since you opened it: this is not possible any more."))
                return HttpResponseRedirect(self.page_url(target))
            if action.guarded and not confirmation.is_fresh(request, timezone.now()):
                return confirmation.ask(self._action_url(action.name, target))
            if request.method == "GET":
                return self.render_page(request, target, bound=(action, _form(action, target, None)))
            if request.method != "POST":
                return HttpResponseNotAllowed(["GET", "POST"])
            return self._run(request, action, target)

        view.__name__ = f"do_{action.name}"
        return view

    def _run(self, request: HttpRequest, action: PageAction, target: Any) -> HttpResponse:
        form = _form(action, target, request.POST, request.FILES)
        if not form.is_valid():
            return self.render_page(request, target, bound=(action, form))
        occasion = Occasion(request, target, form.cleaned_data, actor_of(request), timezone.now())
        after = self.after_url(action, target)
        try:
            shown = action.run(occasion)
        except DomainError as error:
            put_error(form, error)
            return self.render_page(request, target, bound=(action, form))
        if isinstance(shown, Mapping):
            return self.render_page(request, target, shown=shown)
        if sentence := shown or action.done:
            messages.success(request, in_words(sentence))
        return HttpResponseRedirect(after)


def put_error(form: forms.BaseForm, error: DomainError, names: Mapping[str, str] | None = None) -> None:
    """The error at the field it names (`names`: the service's name of a field → the form's), or above all fields."""
    named = (names or {}).get(error.field, error.field)
    field = next((name for name in form.fields if name.lower() == named.lower()), None)
    form.add_error(field, in_words(error))


def _form(action: PageAction, target: Any, data: Any, files: Any = None) -> forms.Form:
    return action.form(data, files, initial=action.initial(target), auto_id=f"id_{action.name}_%s")
