"""Filters of the audit log: each compares whole values that have an index."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, TextFilter

from console.admin.audit_search import beginning_with
from console.models import AuditEntry
from console.shared.audit_actions import ACTIONS, SUBJECTS, actions_about
from console.shared.filters import MomentRangeFilter

Entries = QuerySet[AuditEntry]


class PersonFilter(DropdownFilter):
    """By the name that stood there when it was done."""

    title = _("person")
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        names = get_user_model()._default_manager.order_by("username").values_list("username", flat=True)
        return [("system", _("The system itself")), *((name, name) for name in names)]

    def queryset(self, request: HttpRequest, queryset: Entries) -> Entries:
        return queryset.filter(actor_name=self.value()) if self.value() else queryset


class SubjectFilter(DropdownFilter):
    """By the noun of an action: product.publish is about products."""

    title = _("subject")
    parameter_name = "subject"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(SUBJECTS.items())

    def queryset(self, request: HttpRequest, queryset: Entries) -> Entries:
        subject = self.value()
        return queryset.filter(action__in=actions_about(subject)) if subject in SUBJECTS else queryset


class ActionFilter(DropdownFilter):
    title = _("action")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(ACTIONS.items())

    def queryset(self, request: HttpRequest, queryset: Entries) -> Entries:
        return queryset.filter(action=self.value()) if self.value() else queryset


class TargetFilter(TextFilter):
    """The beginning of what was acted on: a product, a DeviceName, a person."""

    title = _("what exactly")
    parameter_name = "what"

    def queryset(self, request: HttpRequest, queryset: Entries) -> Entries:
        text = (self.value() or "").strip()
        if not text:
            return queryset
        wanted = beginning_with(queryset, text)
        return queryset.filter(wanted) if wanted else queryset.none()


AUDIT_FILTERS = (PersonFilter, SubjectFilter, ActionFilter, TargetFilter, ("at", MomentRangeFilter))
_TITLES = {
    "q": _("Search"),
    "who": _("Person"),
    "subject": _("Subject"),
    "action": _("Action"),
    "what": _("What exactly"),
    "target_type": _("Kind"),
    "target_id": _("Number"),
}


def in_words(request: HttpRequest) -> list[tuple[Any, str]]:
    """The conditions of a list's address as (what, value), for a person and for the audit."""
    asked = {name: text for name, value in request.GET.items() if (text := str(value).strip())}
    words: dict[str, dict[str, Any]] = {"subject": SUBJECTS, "action": ACTIONS}
    found = [(title, str(words.get(name, {}).get(asked[name], asked[name]))) for name, title in _TITLES.items() if name in asked]
    for end, title in (("from", _("From")), ("to", _("To"))):
        moment = " ".join(asked[part] for part in (f"at_{end}_0", f"at_{end}_1") if part in asked)
        if moment:
            found.append((title, moment))
    return found
