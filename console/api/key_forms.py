"""The forms of the pages of API keys: they collect; the service judges."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.api import actions
from console.api.keys import REQUESTS_AT_MOST, NewKey
from console.models.api_key import REQUESTS_PER_MINUTE
from products.models import Product

USUAL_LIFE = timedelta(days=365)
EVERY, CHOSEN = "every", "chosen"


class ProductsField(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} · {obj.key}"


class NewKeyForm(forms.Form):
    """With a group of checkboxes for each part of the API, of what the person may do."""

    name = forms.CharField(
        label=_("Name"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("What the program is, so that you know it again: it stands in the audit log with everything the key does."),
    )
    expires_on = forms.DateField(
        label=_("Valid until"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("The end of this day, two years from now at most."),
    )
    requests_per_minute = forms.IntegerField(
        label=_("Requests a minute"), initial=REQUESTS_PER_MINUTE, min_value=1, max_value=REQUESTS_AT_MOST
    )
    which = forms.ChoiceField(
        label=_("Of which products"),
        choices=((EVERY, _("Every product that I see, also future ones")), (CHOSEN, _("Only those chosen here"))),
        widget=forms.RadioSelect,
        initial=CHOSEN,
    )
    products = ProductsField(Product.objects.none(), label=_("Products"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, user: Any, products: QuerySet[Product], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("expires_on", timezone.localdate() + USUAL_LIFE)
        chosen: Any = self.fields["products"]
        chosen.queryset = products
        offered = actions.offered_to(user)
        self.groups = [f"actions_{number}" for number in range(len(offered))]
        for name, (tag, choices) in zip(self.groups, offered, strict=True):
            self.fields[name] = forms.MultipleChoiceField(
                label=actions.TITLES[tag], choices=choices, required=False, widget=forms.CheckboxSelectMultiple
            )

    def wish(self) -> NewKey:
        data = self.cleaned_data
        end = timezone.make_aware(datetime.combine(data["expires_on"], time(23, 59, 59)))
        return NewKey(
            name=data["name"],
            actions=[action for name in self.groups for action in data[name]],
            expires_at=end,
            requests_per_minute=data["requests_per_minute"],
            products=None if data["which"] == EVERY else list(data["products"]),
        )


class RevokeForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=500, help_text=_("Goes to the audit log."))
