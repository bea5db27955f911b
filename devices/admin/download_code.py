"""Download codes: who made one for whom, how often it was used, and its end. They are made on the page of their batch."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from console.shared.admin import ReadOnlyModelAdmin, badge, moment, mono
from console.shared.page_actions import Occasion, PageAction, PageActions
from devices.models import CodeState, DownloadCode
from devices.services import download_codes
from products.admin.limits import OfChosenProducts, latest_changes

COLOURS = {CodeState.LIVE: "green", CodeState.REVOKED: "red"}


class RevokeForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))


def _revoke(occasion: Occasion) -> None:
    download_codes.revoke(occasion.target.pk, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)


REVOKE = PageAction(
    name="revoke",
    permission="devices.delete_downloadcode",
    label=_("Revoke"),
    title=_("Revoke this download code?"),
    words=(_("From now on it opens nothing. Files that were downloaded with it stay where they are."),),
    confirm=_("Revoke"),
    done=_("The download code is revoked."),
    form=RevokeForm,
    run=_revoke,
    offered=lambda code: code.revoked_at is None,
    danger=True,
)


@admin.register(DownloadCode)
class DownloadCodeAdmin(OfChosenProducts, PageActions, ReadOnlyModelAdmin):
    list_display = ("code", "batch_number", "format", "note", "state_badge", "used", "last_used", "expires", "made_by", "made")
    list_display_links = ("code",)
    list_select_related = ("batch", "made_by")
    search_fields = ("note",)
    search_help_text = _("Batch number, number of the code, its beginning, or for whom it is")
    sortable_by = ()
    product_field = "batch__product_id"
    empty_list = {
        "icon": "key",
        "title": _("No download code yet"),
        "text": _("A download code is made on the page of a batch: whoever has it downloads one file of the batch without an account."),
        "label": _("Go to the production records"),
        "url_name": "admin:devices_batch_changelist",
        "permission": "devices.view_batch",
    }

    page_actions = (REVOKE,)
    page_template = "devices/download_code.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[DownloadCode], search_term: str
    ) -> tuple[QuerySet[DownloadCode], bool]:
        term = search_term.strip().upper()
        if term[:1] in ("B", "D") and term[1:].isdecimal():
            return queryset.filter(**{"batch_id" if term[0] == "B" else "pk": int(term[1:])}), False
        if len(term) == download_codes.BEGINNING and queryset.filter(beginning=term).exists():
            return queryset.filter(beginning=term), False
        return super().get_search_results(request, queryset, search_term)

    def page_context(self, request: HttpRequest, target: DownloadCode) -> dict[str, Any]:
        state = target.state(timezone.now())
        return {"title": target.number, "state": state, "colour": COLOURS.get(state, "grey"), **latest_changes(request, target)}

    @display(description=_("Code"))
    def code(self, code: DownloadCode) -> str:
        return format_html("{} <span class='np-muted np-mono'>{}…</span>", mono(code.number), code.beginning)

    @display(description=_("Batch"))
    def batch_number(self, code: DownloadCode) -> str:
        return mono(code.batch.number)

    @display(description=_("State"))
    def state_badge(self, code: DownloadCode) -> str:
        state = code.state(timezone.now())
        return badge(COLOURS.get(state, "grey"), state.label)

    @display(description=_("Used"))
    def used(self, code: DownloadCode) -> str:
        return format_html('<span class="np-number np-nowrap">{} / {}</span>', code.uses, code.uses_allowed)

    @display(description=_("Last used"))
    def last_used(self, code: DownloadCode) -> str:
        return moment(code.last_used_at)

    @display(description=_("Valid until"))
    def expires(self, code: DownloadCode) -> str:
        return moment(code.expires_at)

    @display(description=_("Made"))
    def made(self, code: DownloadCode) -> str:
        return moment(code.made_at)
