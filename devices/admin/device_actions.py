"""What an operator can do with a device of a data center's list. There is no "mark activated": a device does that itself (T4)."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.shared.page_actions import Occasion, PageAction
from devices.admin.secret_action import reveal_secret
from devices.models import Device
from devices.services import lifecycle

CHANGE = "devices.change_device"


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500, help_text=_("Goes to the audit log."))


class LocalFactsForm(forms.Form):
    nickname = forms.CharField(label=_("Nickname"), required=False, max_length=64, help_text=_("For people; the DeviceName stays."))
    sn = forms.CharField(label=_("SN"), required=False, max_length=64)


def _local_facts(device: Device) -> dict[str, Any]:
    return {"nickname": device.nickname, "sn": device.sn}


def _read_secret(occasion: Occasion) -> str:
    return lifecycle.reveal_secret(occasion.target, by=occasion.by, at=occasion.at)


def _edit(occasion: Occasion) -> None:
    lifecycle.edit(occasion.target, nickname=occasion.data["nickname"], sn=occasion.data["sn"], by=occasion.by, at=occasion.at)


def _reset(occasion: Occasion) -> None:
    lifecycle.reset(occasion.target, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)


def _disable(occasion: Occasion) -> None:
    lifecycle.disable(occasion.target, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)


def _enable(occasion: Occasion) -> None:
    lifecycle.enable(occasion.target, by=occasion.by, at=occasion.at)


def _delete(occasion: Occasion) -> None:
    lifecycle.delete(occasion.target, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)


DEVICE_ACTIONS = (
    PageAction(
        name="edit",
        permission=CHANGE,
        label=_("Edit"),
        title=_("Edit the local facts"),
        words=(_("They belong to this data center's list. The pre-import list and the lists of other data centers keep theirs."),),
        confirm=_("Save"),
        done=_("The device was changed."),
        form=LocalFactsForm,
        initial=_local_facts,
        run=_edit,
        icon="edit",
    ),
    reveal_secret(_read_secret),
    PageAction(
        name="reset",
        permission="devices.reset_device",
        label=_("Reset"),
        title=_("Reset this device?"),
        words=(
            _(
                "For a device that has lost its DeviceSecret: it may register again and receives the same DeviceSecret. "
                "Until it connects, it is inactive."
            ),
            _("Of one with a certificate the expected certificate stays; if it was handed that here, it may register again for another."),
        ),
        warnings=(_("Until then anybody who has the product's certificate and this DeviceName can register in its place."),),
        confirm=_("Reset"),
        done=_("The device was reset: it may register again."),
        form=ReasonForm,
        run=_reset,
        offered=lambda device: device.registered_at is not None or device.activated_at is not None,
    ),
    PageAction(
        name="disable",
        permission=CHANGE,
        label=_("Disable"),
        title=_("Disable this device?"),
        words=(
            _("It can neither register nor connect in this data center until you enable it again. Its data stays."),
            _("Where it is connected now it is cut off, as soon as its broker can do that; the page tells what became of it."),
        ),
        confirm=_("Disable"),
        done=_("The device is disabled."),
        form=ReasonForm,
        run=_disable,
        offered=lambda device: device.enabled,
        danger=True,
    ),
    PageAction(
        name="enable",
        permission=CHANGE,
        label=_("Enable"),
        title=_("Enable this device?"),
        words=(_("It may register and connect again, as before it was disabled."),),
        confirm=_("Enable"),
        done=_("The device is enabled."),
        run=_enable,
        offered=lambda device: not device.enabled,
        primary=True,
    ),
    PageAction(
        name="remove",
        permission="devices.delete_device",
        label=_("Delete"),
        title=_("Delete this device?"),
        words=(
            _(
                "It leaves this data center's list and its DeviceSecret is void: the physical device that holds it can no "
                "longer connect here, and is cut off where it is connected now. ClientIDs of the name go with it."
            ),
            _(
                "If the pre-import list has its DeviceName, that row receives a new DeviceSecret, so that another "
                "physical device can be activated under the name."
            ),
            _("Certificates that were issued to it here are revoked."),
        ),
        warnings=(_("This cannot be undone."),),
        confirm=_("Delete"),
        done=_("The device was deleted and its DeviceSecret is void."),
        form=ReasonForm,
        run=_delete,
        danger=True,
    ),
)
