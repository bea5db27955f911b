"""Disabling and enabling several devices of a list: first a page that names them and says what happens, then one service call for all."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from console.shared.actors import actor_of
from console.shared.translation import shown
from console.shared.typed_number import TypedNumberForm
from devices.models import Device
from devices.services import lifecycle
from products.models import DataCenter

AT_MOST = 100
"""Devices at a time."""


class DisableForm(TypedNumberForm):
    typed_label = _("Type the number of devices to confirm: %(count)s")
    typed_error = _("That is not the number of devices.")

    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=500,
        help_text=_("Goes to the audit log."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


def disable(model_admin: Any, request: HttpRequest, devices: list[Device], center: DataCenter) -> HttpResponse | None:
    """The confirmation page, or None when it was confirmed and done."""
    confirmed = _is_confirmed(request, center)
    form = DisableForm(request.POST if confirmed else None, count=len(devices))
    if not (confirmed and form.is_valid()):
        words = _(
            "They can neither register nor connect in this data center until you enable them again, and are cut off where they are "
            "connected now. Their data stays."
        )
        question = {"action": "disable_selected", "title": _("Disable these devices?"), "words": words, "danger": True, "form": form}
        return _ask(model_admin, request, devices, center, **question)
    _switch(request, devices, center, enabled=False, reason=form.cleaned_data["reason"])
    return None


def enable(model_admin: Any, request: HttpRequest, devices: list[Device], center: DataCenter) -> HttpResponse | None:
    """The confirmation page, or None when it was confirmed and done."""
    if not _is_confirmed(request, center):
        words = _("They may register and connect again, as before they were disabled.")
        question = {"action": "enable_selected", "title": _("Enable these devices?"), "words": words, "danger": False}
        return _ask(model_admin, request, devices, center, **question)
    _switch(request, devices, center, enabled=True)
    return None


def _is_confirmed(request: HttpRequest, center: DataCenter) -> bool:
    """For this data center: somebody may have chosen another one in a second window meanwhile."""
    return request.POST.get("confirmed") == center.code


def _ask(model_admin: Any, request: HttpRequest, devices: list[Device], center: DataCenter, **words: Any) -> HttpResponse | None:
    if len(devices) > AT_MOST:
        messages.error(request, _("Choose at most %(count)d devices at a time.") % {"count": AT_MOST})
        return None
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "devices": devices,
        "data_center": center,
        "checkbox": ACTION_CHECKBOX_NAME,
        **words,
    }
    return TemplateResponse(request, "devices/bulk_switch.html", context)


def _switch(request: HttpRequest, devices: list[Device], center: DataCenter, *, enabled: bool, reason: str = "") -> None:
    chosen, by = devices[:AT_MOST], actor_of(request)
    left = lifecycle.switch_many(chosen, data_center=center, enabled=enabled, reason=reason, by=by, at=timezone.now())
    for device, error in left.items():
        messages.warning(request, f"{device.device_name}: {shown(error)}")
    if done := len(chosen) - len(left):
        messages.success(request, ngettext("%(count)d device was changed.", "%(count)d devices were changed.", done) % {"count": done})
