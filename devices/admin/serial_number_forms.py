"""The forms of serial numbers: they collect; the services judge."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from devices.admin.pre_import_forms import PLAIN, OfProduct, ProductField
from devices.models import SerialNumberAlphabet
from devices.rules import labels
from devices.rules.serial_numbers import LARGEST_RUN, LONGEST, PREFIX_LENGTH, SHORTEST, Design
from devices.services.serial_number_files import Part
from devices.services.serial_numbers import NewRun

SHEET_NAMES = [(key, sheet.name) for key, sheet in labels.SHEETS.items()]


class GenerateForm(OfProduct, forms.Form):
    product = ProductField()
    quantity = forms.IntegerField(
        label=_("Quantity"), min_value=1, max_value=LARGEST_RUN, help_text=_("How many serial numbers to make, 10,000 at a time.")
    )
    beginning = forms.CharField(
        label=_("Prefix"),
        required=False,
        max_length=PREFIX_LENGTH,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("Capital letters, digits and hyphens at the beginning of each serial number."),
    )
    alphabet = forms.ChoiceField(
        label=_("Characters"),
        choices=SerialNumberAlphabet.choices,
        initial=SerialNumberAlphabet.CLEAR,
        help_text=_("What stands behind the prefix is drawn at random."),
    )
    length = forms.IntegerField(
        label=_("Random characters"),
        min_value=SHORTEST,
        max_value=LONGEST,
        initial=10,
        help_text=_("So many that nobody finds a used serial number by guessing; ten are plenty."),
    )
    check_character = forms.BooleanField(
        label=_("Check character at the end"),
        required=False,
        help_text=_("It shows a mistyped serial number (ISO/IEC 7064)."),
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("A purchase order or a factory, for example."),
    )

    def wish(self) -> NewRun:
        data = self.cleaned_data
        design = Design(data["beginning"], data["alphabet"], data["length"], data["check_character"])
        return NewRun(design, data["quantity"], data["note"])

    def hidden_values(self) -> list[tuple[str, str]]:
        """What the confirmation sends again; an empty tick is not sent."""
        return [(name, self.data[name]) for name in self.fields if self.data.get(name)]


class LabelsForm(forms.Form):
    """Which labels of a run with `made` numbers, on which sheet."""

    sheet = forms.ChoiceField(label=_("Sheet of labels"), choices=SHEET_NAMES)
    first = forms.IntegerField(label=_("From label"), min_value=1, initial=1)
    last = forms.IntegerField(label=_("To label"), min_value=1)

    def __init__(self, *args: Any, made: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["last"].initial = made

    def part(self) -> Part:
        return Part(self.cleaned_data["first"], self.cleaned_data["last"], self.cleaned_data["sheet"])


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), required=False, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))


class VoidRunForm(ReasonForm):
    """Thousands of labels go with it: the number of the run is typed."""

    typed = forms.CharField(
        label=_("Number of the run"),
        max_length=32,
        help_text=_("Type the number of this run, as it stands at the top of the page."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
