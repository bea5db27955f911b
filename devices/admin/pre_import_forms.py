"""The forms of the pre-import list: they collect; the services judge."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from import_export.forms import ImportForm, SelectableFieldsExportForm

from console.shared.typed_number import TypedNumberForm
from devices.models import Authentication, Duplicates
from products.models import Product

PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
FIELD_NAMES = {
    "DeviceName": "device_name",
    "SN": "sn",
    "Nickname": "nickname",
    "Fingerprint": "certificate_fingerprint",
    "DeviceSecret": "device_secret",
}
"""A service's name of a field → the form's."""


class ProductField(forms.ModelChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Product.objects.order_by("name"), label=_("Product"), empty_label=_("Choose a product"), **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} · {obj.key} · {obj.get_device_name_kind_display()}"


class OfProduct:
    """A form that asks for the product, or for several."""

    fields: dict[str, Any]

    def offer(self, products: QuerySet[Product]) -> None:
        """These and no others can be chosen."""
        self.fields["product"].queryset = products


class EditForm(forms.Form):
    nickname = forms.CharField(label=_("Nickname"), required=False, max_length=64, help_text=_("For people; the DeviceName stays."))
    sn = forms.CharField(label=_("SN"), required=False, max_length=64, help_text=_("Unique in the whole list."))
    authentication = forms.ChoiceField(
        label=_("Authentication"),
        choices=Authentication.choices,
        help_text=_("How the device proves itself when it first comes. Static needs a product on MQTT or LwM2M."),
    )
    certificate_fingerprint = forms.CharField(
        label=_("Certificate fingerprint"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("Of an X.509 device: SHA-1 as 40 hex digits or SHA-256 as 64. Empty: the certificate of its first connection counts."),
    )


class AddForm(OfProduct, EditForm):
    product = ProductField()
    device_name = forms.CharField(
        label=_("DeviceName"),
        max_length=64,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_(
            "As the product has it: a MAC address in any usual spelling, an IMEI with its check digit, a serial number or free text."
        ),
    )
    device_secret = forms.CharField(
        label=_("DeviceSecret"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("Leave empty to have one issued. Give the one that the device holds if it comes from another platform."),
    )

    field_order = ("product", "device_name", "nickname", "sn", "authentication", "device_secret", "certificate_fingerprint")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["authentication"].initial = Authentication.DYNAMIC


class DeleteForm(forms.Form):
    """Deleting asks about the devices that were made from the rows."""

    KEEP, VOID = "keep", "void"

    devices = forms.ChoiceField(
        label=_("Devices in data centers"),
        choices=[
            (KEEP, _("Stay, with their secrets: they go on connecting")),
            (VOID, _("Go too: their secrets are void from now on")),
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500, help_text=_("Goes to the audit log."))


class DeleteRowsForm(TypedNumberForm, DeleteForm):
    """For several rows."""


class UploadForm(OfProduct, ImportForm):
    """The library's form, without the choice of a format: what a file is, it says itself."""

    product = ProductField()
    authentication = forms.ChoiceField(
        label=_("Authentication"),
        choices=Authentication.choices,
        required=False,
        help_text=_("Of the rows that do not say it themselves in a column Authentication."),
    )

    duplicates = forms.ChoiceField(
        label=_("DeviceNames that the list has already"),
        choices=Duplicates.choices,
        required=False,
        help_text=_("Either way their rows in the list stay as they are, secrets too."),
    )

    field_order = ("product", "import_file", "authentication", "duplicates")

    def __init__(self, formats: Any, resources: Any, **kwargs: Any) -> None:
        super().__init__(formats, resources, **kwargs)
        del self.fields["format"]
        del self.fields["resource"]
        self.fields["import_file"].label = _("Workbook")
        self.fields["import_file"].widget = forms.FileInput(attrs={"accept": ".xlsx,.csv,.tsv,.txt", "data-upload-file": ""})
        self.fields["import_file"].help_text = _("Excel (.xlsx) or CSV, at most 500,000 rows and 64 MiB.")

    def clean_authentication(self) -> str:
        return self.cleaned_data["authentication"] or str(Authentication.DYNAMIC)

    def clean_duplicates(self) -> str:
        return self.cleaned_data["duplicates"] or str(Duplicates.STOP)

    @property
    def media(self) -> forms.Media:
        return forms.Media()


class ExportForm(OfProduct, SelectableFieldsExportForm):
    """The library's form with its choice of columns, and the products."""

    product = forms.ModelMultipleChoiceField(Product.objects.order_by("name"), label=_("Products"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, formats: Any, resources: Any, **kwargs: Any) -> None:
        super().__init__(formats, resources, **kwargs)
        del self.fields["export_items"]
        self.fields["format"].choices = [(str(index), form().get_title()) for index, form in enumerate(formats)]
        self.fields["format"].initial = "0"
        self.fields["format"].widget = forms.RadioSelect(choices=self.fields["format"].choices)

    def _get_field_label(self, resource: Any, field_name: str) -> str:
        return str(resource.fields[field_name].column_name)

    @property
    def columns(self) -> list[Any]:
        return [field for field in self if getattr(field.field, "is_selectable_field", False)]

    @property
    def media(self) -> forms.Media:
        return forms.Media()
