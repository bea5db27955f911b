"""The forms of the broker pages: they collect; the service judges."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from products.models import Broker, BrokerKind, DataCenter

PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
HIDDEN = {"autocomplete": "new-password", "spellcheck": "false"}
KINDS = [choice for choice in BrokerKind.choices if choice[0] != BrokerKind.EMBEDDED]


class BrokerForm(forms.Form):
    """What can be changed later. An empty secret stays as it is stored."""

    name = forms.CharField(label=_("Name"), max_length=64, widget=forms.TextInput(attrs=PLAIN))
    enabled = forms.BooleanField(
        label=_("Enabled"), required=False, initial=True, help_text=_("Off: whatever it asks, it is told no, and nobody new gets in there.")
    )
    vhost = forms.CharField(
        label=_("Virtual host"),
        required=False,
        max_length=64,
        initial="/",
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("RabbitMQ alone."),
    )
    management_url = forms.CharField(
        label=_("Management URL"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("Where clients are dropped, as in http://broker:15672 (RabbitMQ), :18083 (EMQX), :8888 (VerneMQ). Others have none."),
    )
    management_user = forms.CharField(
        label=_("Management user"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("RabbitMQ: a user with the tag administrator. EMQX: an API key. VerneMQ: empty."),
    )
    management_secret = forms.CharField(
        label=_("Management secret"),
        required=False,
        max_length=200,
        widget=forms.PasswordInput(attrs=HIDDEN),
        help_text=_(
            "RabbitMQ: that user's password. EMQX: the key's secret. VerneMQ: an API key of the scope mgmt. Empty: as it is stored."
        ),
    )
    events_url = forms.CharField(
        label=_("URL of the events"),
        required=False,
        max_length=300,
        widget=forms.PasswordInput(attrs=HIDDEN),
        help_text=_("RabbitMQ alone: amqp://user:password@broker:5672/%2F, where it tells who came and left. Empty: as it is stored."),
    )


class NewBrokerForm(BrokerForm):
    data_center = forms.ModelChoiceField(label=_("Data center"), queryset=DataCenter.objects.order_by("name"), empty_label=None)
    kind = forms.ChoiceField(label=_("Kind"), choices=KINDS, help_text=_("It cannot be changed later."))

    field_order = ("name", "kind", "data_center")


class EmbeddedForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=64, widget=forms.TextInput(attrs=PLAIN))
    enabled = forms.BooleanField(label=_("Enabled"), required=False)


def facts_of(broker: Broker) -> dict[str, Any]:
    """The fields that hold no secret."""
    return {name: getattr(broker, name) for name in ("name", "enabled", "vhost", "management_url", "management_user")}
