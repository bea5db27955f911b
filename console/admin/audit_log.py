"""The audit log: who did what to what, from where; to read, to search and to export."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from console.admin import audit_export, audit_search, audit_targets
from console.admin.audit_facts import facts_of
from console.admin.audit_filters import AUDIT_FILTERS
from console.models import AuditEntry
from console.shared.admin import NOTHING, ReadOnlyModelAdmin, moment
from console.shared.page_actions import PageActions
from products.admin.limits import OfEveryProduct


@admin.register(AuditEntry)
class AuditEntryAdmin(OfEveryProduct, PageActions, ReadOnlyModelAdmin):
    list_display = ("time", "actor_name", "action_text", "what", "address", "how_many")
    list_display_links = ("time",)
    list_filter = AUDIT_FILTERS
    list_before_template = "people/before_audit.html"
    search_fields = ("actor_name",)
    search_help_text = _("Who, from which address, or what exactly from its beginning")
    sortable_by = ()
    ordering = ("-id",)
    page_template = "people/audit_entry.html"
    empty_list = {
        "icon": "fact_check",
        "title": _("Nothing has happened yet"),
        "text": _("Every change made in the console and every secret read leaves a line here."),
    }

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(lambda request: audit_export.view(self, request))
        return [path("export/", view, name="console_auditentry_export"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        shown = {"export_url": reverse("admin:console_auditentry_export")}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """By time where a time is asked for, which has its index; by number otherwise: the newest first either way."""
        return ("-at", "-id") if any(name.startswith("at_") for name in request.GET) else ("-id",)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup in ("target_type", "target_id") or super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """Beginnings and exact values, each with an index: the log only grows."""
        term = search_term.strip()
        if not term:
            return queryset, False
        return audit_search.matching(queryset, term), False

    def page_context(self, request: HttpRequest, target: AuditEntry) -> dict[str, Any]:
        changelist = reverse("admin:console_auditentry_changelist")
        return {
            "title": target.words,
            "facts": facts_of(target.before, target.after),
            "target_url": audit_targets.page_of(request, target),
            "list_url": changelist,
            "same_target": f"{changelist}?target_type={target.target_type}&target_id={target.target_id}" if target.target_id else "",
        }

    @display(description=_("Time"))
    def time(self, entry: AuditEntry) -> str:
        return moment(entry.at)

    @display(description=_("Action"))
    def action_text(self, entry: AuditEntry) -> str:
        return entry.words

    @display(description=_("What"))
    def what(self, entry: AuditEntry) -> str:
        return entry.target_label or NOTHING

    @display(description=_("Rows"))
    def how_many(self, entry: AuditEntry) -> str:
        return f"{entry.count:,}"
