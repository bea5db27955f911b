"""The forms of the product pages: they collect; the services judge."""

from django import forms
from django.utils.translation import gettext_lazy as _

from products.models import DeviceNameKind, NetworkProtocol, Reregistration, WireProtocol
from products.models.product import DEVICE_QUOTA

PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}


class FactsForm(forms.Form):
    """What `products.change` may set."""

    name = forms.CharField(label=_("Name"), max_length=64, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    network_protocol = forms.ChoiceField(
        label=_("Network protocol"),
        choices=NetworkProtocol.choices,
        initial=NetworkProtocol.MQTT,
        help_text=_("Only MQTT and LwM2M products can hold devices with static authentication."),
    )
    device_name_kind = forms.ChoiceField(
        label=_("DeviceNames are"),
        choices=DeviceNameKind.choices,
        initial=DeviceNameKind.MAC,
        help_text=_(
            "An identifier that the device can read by itself. MAC addresses and IMEIs are checked wherever a DeviceName comes in."
        ),
    )
    device_quota = forms.IntegerField(
        label=_("Device quota"),
        initial=DEVICE_QUOTA,
        min_value=1,
        max_value=DEVICE_QUOTA,
        help_text=_("At most 500,000 devices per product."),
    )


class NewProductForm(FactsForm):
    wire_protocol = forms.ChoiceField(
        label=_("Wire protocol"),
        choices=WireProtocol.choices,
        initial=WireProtocol.NATIVE,
        help_text=_(
            "Whose SDK runs on the devices. It decides how they register and what keys and secrets look like; it cannot be changed later."
        ),
    )
    key = forms.CharField(
        label=_("ProductKey"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_(
            "Leave empty to have one generated. Enter the one your devices carry if they come from another "
            "platform (there also: ProductID)."
        ),
    )
    secret = forms.CharField(
        label=_("ProductSecret"),
        required=False,
        max_length=128,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("Leave empty to have one generated. It is stored encrypted and shown on request only."),
    )

    field_order = ("name", "wire_protocol", "network_protocol", "device_name_kind", "device_quota", "key", "secret")


class PolicyForm(forms.Form):
    reregistration = forms.ChoiceField(
        label=_("A device may register"),
        choices=Reregistration.choices,
        help_text=_(
            "Until the device is activated: a reply that got lost does no harm. Once: every further request is "
            "refused until the device is reset."
        ),
    )
    new_secret_each_time = forms.BooleanField(
        label=_("Issue a new DeviceSecret at each registration"),
        required=False,
        help_text=_("Off: a device that registers again before its activation gets the same DeviceSecret."),
    )


class AutoCreateForm(forms.Form):
    auto_create = forms.BooleanField(
        label=_("Create devices automatically"),
        required=False,
        help_text=_("A DeviceName that is not in the pre-import list is created when it registers. Without it, such a request is refused."),
    )
    auto_create_limit = forms.IntegerField(
        label=_("At most so many"),
        required=False,
        min_value=0,
        max_value=DEVICE_QUOTA,
        help_text=_(
            "Guards against too many devices when firmware has a bug or the ProductSecret was stolen. Choose it as low as you can."
        ),
    )

    def clean_auto_create_limit(self) -> int:
        return self.cleaned_data.get("auto_create_limit") or 0


class TurnOnForm(AutoCreateForm):
    code = forms.CharField(
        label=_("Verification code"),
        max_length=8,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "np-code"}),
        help_text=_("Valid for five minutes and three tries."),
    )

    field_order = ("code", "auto_create", "auto_create_limit")


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500, help_text=_("Goes to the audit log."))


class GrantForm(forms.Form):
    quantity = forms.IntegerField(label=_("Activation codes"), min_value=1, max_value=100_000_000)
    note = forms.CharField(label=_("Note"), required=False, max_length=200, help_text=_("An order number, for instance."))
