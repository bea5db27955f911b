"""The forms of the pages of CA certificates: they collect; the services judge. What was pasted is never given back into a page."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.crypto.certificates.reading import MAX_UPLOAD
from products.models import IdentitySource, Product
from products.models.authority import LONGEST_CRL_AGE
from products.services.authority_proof import LONGEST_REASON
from products.services.authority_upkeep import LONGEST_NAME

BOTH_OR_NONE = _("Choose a file, or paste the text of one: one of the two.")
TOO_LARGE = _("The file is larger than 1 MB: it holds more than a certificate.")


class PastedText(forms.Textarea):
    """Comes back empty after an error: it may have been a private key."""

    def format_value(self, value: Any) -> str:
        return ""


class CertificateForm(forms.Form):
    """`content`: the certificate as it was sent, in bytes."""

    file = forms.FileField(label=_("File"), required=False, help_text=_("PEM or DER: .pem, .crt, .cer."))
    pasted = forms.CharField(
        label=_("Or its text"),
        required=False,
        widget=PastedText(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off", "class": "np-mono"}),
        help_text=_("From -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----. Never a private key: it stays where it is."),
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        file, pasted = data.pop("file", None), data.pop("pasted", "")
        if self.errors:
            return data
        if bool(file) == bool(pasted):
            raise forms.ValidationError(BOTH_OR_NONE)
        if file and file.size > MAX_UPLOAD:
            raise forms.ValidationError({"file": TOO_LARGE})
        return {**data, "content": file.read() if file else pasted.encode()}


class ProductsField(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} · {obj.key}"


def products_field() -> ProductsField:
    return ProductsField(
        Product.objects.order_by("name"),
        label=_("Products"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Whose devices may come with certificates of this CA."),
    )


class NameForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=LONGEST_NAME, widget=forms.TextInput(attrs={"autocomplete": "off"}))


class UploadForm(CertificateForm):
    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("For people. Empty: the common name (CN) of the certificate's subject."),
    )
    products = products_field()

    field_order = ("file", "pasted", "name", "products")


class ServedForm(forms.Form):
    products = products_field()


class WithoutProofForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        help_text=_("How you know that this CA is yours. It stays on this page and in the audit log."),
    )


class RevokeForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON, help_text=_("Goes to the audit log."))


class PolicyForm(forms.Form):
    identity = forms.ChoiceField(
        label=_("The DeviceName stands in"),
        choices=IdentitySource.choices,
        help_text=_("A certificate that has none there, or several, is refused."),
    )
    same_key = forms.BooleanField(
        label=_("A certificate issued anew for the same key passes"),
        required=False,
        help_text=_("Off: every later certificate must be the very one that the device came with first, or the one announced as its next."),
    )
    crl_max_age_hours = forms.IntegerField(
        label=_("Maximal age of a revocation list, in hours"),
        required=False,
        min_value=1,
        max_value=LONGEST_CRL_AGE,
        help_text=_("Empty: the list's own date of the next one decides when it is too old."),
    )
    old_list_refuses = forms.BooleanField(
        label=_("Refuse devices while the revocation list is too old"),
        required=False,
        help_text=_(
            "Also while none was obtained yet. Off: the log notes it, What needs attention warns, "
            "and devices pass unless they are known to be revoked."
        ),
    )
