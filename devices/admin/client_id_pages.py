"""Switch and Clear (A12, A13): first who is to stay, then who exactly will be cut off, then one service."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from console.errors import DomainError
from console.shared.actors import actor_of
from console.shared.page_actions import put_error
from devices.admin import log_link, presence
from devices.admin.presence import Known, Presence, Visit
from devices.models import Device
from devices.services import client_ids

PERMISSION = "devices.switch_client_id"


class ClearForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), required=False, max_length=500, help_text=gettext_lazy("Goes to the audit log."))


class SwitchForm(ClearForm):
    """`known`: the identities that one can be chosen from."""

    keep = forms.ChoiceField(
        widget=forms.HiddenInput,
        error_messages={
            "required": gettext_lazy("Choose the ClientID of the physical device that stays."),
            "invalid_choice": gettext_lazy("This ClientID cannot be chosen any more: look at the list again."),
        },
    )

    def __init__(self, known: Sequence[Known], data: Any = None) -> None:
        super().__init__(data, auto_id="id_switch_%s")
        field: Any = self.fields["keep"]
        field.choices = [(one.identity.client_id, one.identity.client_id) for one in known]


@dataclass(frozen=True, slots=True)
class Consequence:
    """What Switch or Clear does to one identity. `at_once`, `later`: its connections that are cut now, and those that end when they end."""

    known: Known
    at_once: tuple[Visit, ...]
    later: tuple[Visit, ...]


@dataclass(frozen=True, slots=True)
class Consequences:
    rows: tuple[Consequence, ...]

    @property
    def here(self) -> int:
        """How many are connected now, as far as brokers tell."""
        return sum(row.known.is_here for row in self.rows)

    @property
    def unknown(self) -> int:
        """How many may be connected, at a broker that does not tell who leaves."""
        return sum(not row.known.is_here and any(visit.is_undecided for visit in row.known.visits) for row in self.rows)

    @property
    def at_once(self) -> int:
        return sum(bool(row.at_once) for row in self.rows)

    @property
    def later(self) -> int:
        return sum(bool(row.later) for row in self.rows)


def consequences(shown: Presence, keep: str = "") -> Consequences:
    """For everybody but the one to `keep`: who is not yet cleared, and who is but is connected still."""
    concerned = [one for one in shown.identities if one.identity.client_id != keep and (not one.is_cleared or one.visits)]
    return Consequences(tuple(_consequence(one) for one in concerned))


def choosable(shown: Presence) -> list[Known]:
    """All that were not cleared: those that have connected first, the latest first."""
    found = [one for one in shown.identities if not one.is_cleared]
    return sorted(found, key=lambda one: (one.identity.first_connected_at is None, not one.is_allowed, -one.identity.pk))


class ClientIdPages:
    """For the ModelAdmin of devices; goes before PageActions."""

    # What PageActions and the ModelAdmin bring.
    opts: Any
    admin_site: Any
    page_url: Any
    page_key: Any
    _find: Any

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        return [
            path("<path:object_id>/switch/", guarded(self.switch_view), name="devices_device_switch"),
            path("<path:object_id>/clear/", guarded(self.clear_view), name="devices_device_clear"),
            path("<path:object_id>/presence/", guarded(self.presence_view), name="devices_device_presence"),
            *super().get_urls(),
        ]

    def presence_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What the page asks while orders to cut wait."""
        shown = presence.of(self._find(request, object_id), at=timezone.now())
        return JsonResponse({"version": shown.version, "live": shown.is_live}, headers={"Cache-Control": "no-store"})

    def switch_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET: the list; GET with ?keep=: who will be cut off; POST: done."""
        device, shown = self._open(request, object_id)
        known = choosable(shown)
        if not known:
            return self._too_late(request, device)
        if request.method == "POST":
            return self._carry_out(request, device, shown, SwitchForm(known, request.POST))
        form = SwitchForm(known, request.GET or None)
        if form.is_bound and form.is_valid():
            return self._confirm(request, device, shown, form, keep=form.cleaned_data["keep"])
        return self._choose(request, device, known, form)

    def clear_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET: who will be cut off; POST: done."""
        device, shown = self._open(request, object_id)
        if not shown.standing:
            return self._too_late(request, device)
        form = ClearForm(request.POST if request.method == "POST" else None, auto_id="id_clear_%s")
        if form.is_bound and form.is_valid():
            try:
                reason = form.cleaned_data["reason"]
                orders = client_ids.clear(device, reason=reason, by=actor_of(request), at=timezone.now())
            except DomainError as error:
                put_error(form, error)
            else:
                return self._done(request, device, _("All ClientIDs of the device are forbidden."), orders)
        return self._confirm(request, device, shown, form)

    def _carry_out(self, request: HttpRequest, device: Device, shown: Presence, form: SwitchForm) -> HttpResponse:
        if not form.is_valid():
            return self._choose(request, device, choosable(shown), form)
        keep, reason = form.cleaned_data["keep"], form.cleaned_data["reason"]
        try:
            orders = client_ids.switch(device, keep=keep, reason=reason, by=actor_of(request), at=timezone.now())
        except DomainError as error:
            put_error(form, error)
            return self._confirm(request, device, shown, form, keep=keep)
        return self._done(request, device, _("%(client_id)s stays, the others are forbidden.") % {"client_id": keep}, orders)

    def _open(self, request: HttpRequest, object_id: str) -> tuple[Device, Presence]:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        device = self._find(request, object_id)
        return device, presence.of(device, at=timezone.now())

    def _too_late(self, request: HttpRequest, device: Device) -> HttpResponse:
        messages.info(request, _("The page has changed since you opened it: this is not possible any more."))
        return HttpResponseRedirect(self.page_url(device))

    def _done(self, request: HttpRequest, device: Device, words: str, orders: int) -> HttpResponse:
        cut = ngettext("%(count)d connection is to be cut off.", "%(count)d connections are to be cut off.", orders) % {"count": orders}
        messages.success(request, f"{words} {cut}" if orders else words)
        return HttpResponseRedirect(self.page_url(device))

    def _choose(self, request: HttpRequest, device: Device, known: list[Known], form: SwitchForm) -> HttpResponse:
        return self._render(request, device, "devices/switch.html", _("Which physical device stays?"), known=known, form=form)

    def _confirm(self, request: HttpRequest, device: Device, shown: Presence, form: forms.Form, *, keep: str = "") -> HttpResponse:
        kept = next((one for one in shown.identities if one.identity.client_id == keep), None)
        title = _("Switch to this ClientID?") if kept else _("Clear all ClientIDs?")
        facts = {"kept": kept, "consequences": consequences(shown, keep), "form": form}
        return self._render(request, device, "devices/cut_off.html", title, **facts)

    def _render(self, request: HttpRequest, device: Device, template: str, title: str, **facts: Any) -> HttpResponse:
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "POST"])
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "object": device,
            "back_url": self.page_url(device),
            "switch_url": reverse("admin:devices_device_switch", args=[self.page_key(device)]),
            "clear_url": reverse("admin:devices_device_clear", args=[self.page_key(device)]),
            "log_search": log_link.of_device(request, device),
            **facts,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, template, context)


def _consequence(known: Known) -> Consequence:
    return Consequence(
        known,
        at_once=tuple(visit for visit in known.visits if visit.can_be_cut),
        later=tuple(visit for visit in known.visits if not visit.can_be_cut),
    )
