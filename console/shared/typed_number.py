"""Work on many rows that hurts is confirmed by typing their number: a click is made by habit, a number is not."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

MANY: Final = 11
"""Rows; what names ten of them on its page is read before it is confirmed."""


class TypedNumberForm(forms.Form):
    """`count`: how many rows the work is for. From MANY on, the number is a field of the form, its last."""

    typed_label: Any = _("Type the number of rows to confirm: %(count)s")
    typed_error: Any = _("That is not the number of rows.")

    def __init__(self, *args: Any, count: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.count = count
        if count >= MANY:
            widget = forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"})
            self.fields["typed"] = forms.CharField(label=self.typed_label % {"count": count}, widget=widget)

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"].strip()
        if typed.replace(",", "") != str(self.count):
            raise forms.ValidationError(self.typed_error)
        return typed
