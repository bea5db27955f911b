"""The form of a batch: it offers what the product allows; the services judge."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from devices.models import BatchSource, MacPool, Upload
from devices.rules.production import LARGEST_BATCH, NamesCannotBeMade, Naming, naming
from devices.services.batches import NewBatch
from products.models import FlashingMethod, Product


class PoolField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return _("%(name)s – %(left)s left") % {"name": obj.name, "left": f"{obj.left:,}"}


class ProduceForm(forms.Form):
    """For one product. With a checked `upload` the names are known, and only the method and the note are asked for; for the per-product
    secret method (`method`) names are uploaded."""

    flashing_method = forms.ChoiceField(label=_("Flashing method"), choices=FlashingMethod.choices, widget=forms.RadioSelect)
    source = forms.ChoiceField(label=_("DeviceNames"), choices=BatchSource.choices, widget=forms.RadioSelect)
    quantity = forms.IntegerField(
        label=_("Quantity"), required=False, min_value=1, max_value=LARGEST_BATCH, help_text=_("How many devices to make.")
    )
    mac_pool = PoolField(
        label=_("MAC pool"),
        required=False,
        queryset=MacPool.objects.none(),
        empty_label=_("Choose a pool"),
        help_text=_("The DeviceNames are MAC addresses: the batch reserves its whole range in the pool when it starts."),
    )
    workbook = forms.FileField(
        label=_("Workbook"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"}),
        help_text=_("Excel or CSV with one DeviceName a row. It is checked whole before anything is made."),
    )
    note = forms.CharField(
        label=_("Note"), required=False, max_length=200, help_text=_("A purchase order or a factory, for example."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip

    def __init__(self, *args: Any, product: Product, upload: Upload | None, method: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.product, self.upload, self.method = product, upload, method
        self._offer_methods()
        self._offer_sources()
        if "mac_pool" in self.fields:
            self.fields["mac_pool"].queryset = MacPool.objects.order_by("name")  # type: ignore[attr-defined]

    def _offer_methods(self) -> None:
        field = self.fields["flashing_method"]
        field.initial = FlashingMethod.PER_DEVICE
        if not self.product.per_product_secret:
            field.choices = [(FlashingMethod.PER_DEVICE.value, FlashingMethod.PER_DEVICE.label)]  # type: ignore[attr-defined]

    def _offer_sources(self) -> None:
        """With names that cannot be made, for the per-product secret, or with a workbook at hand, there is nothing to choose."""
        field: Any = self.fields["source"]
        try:
            pooled = naming(self.product.device_name_kind, BatchSource.AUTOMATIC) is Naming.POOL
            automatic = self.method != FlashingMethod.PER_PRODUCT
        except NamesCannotBeMade:
            pooled = automatic = False
        if self.upload is not None or not automatic:
            field.choices = [(BatchSource.UPLOAD.value, BatchSource.UPLOAD.label)]
            field.initial = BatchSource.UPLOAD
            del self.fields["quantity"]
        else:
            field.initial = BatchSource.AUTOMATIC
        if self.upload is not None:
            del self.fields["workbook"]
        if not pooled or not automatic or self.upload is not None:
            del self.fields["mac_pool"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        automatic = data.get("source") == BatchSource.AUTOMATIC
        if automatic and not data.get("quantity") and "quantity" not in self.errors:
            self.add_error("quantity", _("How many devices?"))
        if automatic and "mac_pool" in self.fields and not data.get("mac_pool"):
            self.add_error("mac_pool", _("Choose the pool that the MAC addresses come from."))
        if data.get("source") == BatchSource.UPLOAD and self.upload is None and not data.get("workbook") and "workbook" not in self.errors:
            self.add_error("workbook", _("Choose the workbook with the DeviceNames."))
        return data

    def wish(self, name: str = "") -> NewBatch:
        """`name`: what this filling-in of the form is called, so that one that is sent twice makes one batch."""
        data, automatic = self.cleaned_data, self.cleaned_data["source"] == BatchSource.AUTOMATIC
        pool = data.get("mac_pool")
        return NewBatch(
            source=data["source"],
            flashing_method=data["flashing_method"],
            quantity=data.get("quantity") or 0 if automatic else 0,
            upload_id=self.upload.pk if self.upload else None,
            mac_pool_id=pool.pk if pool and automatic else None,
            note=data["note"],
            wish=name,
        )
