"""The forms of people's pages: they collect; the services judge."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group, User
from django.utils.translation import gettext_lazy as _

from console.people import roles
from products.models import Product

PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
ABOUT = {
    "Viewer": _("Viewer: sees everything but secrets"),
    "Operator": _("Operator: products, pre-import list, production and devices, without secrets"),
    "Production": _("Production: batches and their files, of chosen products"),
    "Security": _("Security: secrets, keys, reset, Switch and Clear, the audit log"),
    roles.ADMINISTRATOR: _("Administrator: everything, people included"),
}
NONE = _("No role")


class ProductsField(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} · {obj.key}"


class PersonForm(forms.Form):
    first_name = forms.CharField(label=_("First name"), required=False, max_length=150, widget=forms.TextInput(attrs=PLAIN))
    last_name = forms.CharField(label=_("Last name"), required=False, max_length=150, widget=forms.TextInput(attrs=PLAIN))
    email = forms.EmailField(
        label=_("Mail address"), required=False, help_text=_("Verification codes go there, where this console sends them by mail.")
    )


class RightsForm(forms.Form):
    role = forms.ChoiceField(
        label=_("Role"), required=False, choices=[("", NONE), *ABOUT.items()], help_text=_("What the person does here, as one word.")
    )
    products = ProductsField(
        Product.objects.order_by("name"),
        label=_("Products"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The products that the person works with. Only for roles that do not see every product: Production."),
    )
    groups = forms.ModelMultipleChoiceField(
        Group.objects.exclude(name__in=roles.ROLES).order_by("name"),
        label=_("Further groups"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("They add to what the role allows."),
    )


class NewPersonForm(RightsForm, PersonForm):
    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("Letters, digits and @ . + - _. It cannot be changed later: the audit log knows people by it."),
    )

    field_order = ("username", "first_name", "last_name", "email", "role", "products", "groups")


class NeededReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=500, help_text=_("Goes to the audit log."))


def facts_of(person: User) -> dict[str, Any]:
    return {"first_name": person.first_name, "last_name": person.last_name, "email": person.email}
