"""The forms about issuing certificates and revoking them: they collect; the services judge. What holds a secret comes back empty."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.crypto.certificates.revocation_lists import LARGEST
from products.admin.authority_forms import PastedText
from products.models import AuthorityState, CertificateAuthority, IssuingCA, RevocationReason
from products.models.issuing import LONGEST_DAYS, DeviceKeyKind
from products.services.revocation_lists import MINUTES

PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
PEM = {"rows": 5, "spellcheck": "false", "autocomplete": "off", "class": "np-mono"}
HIDDEN = {"autocomplete": "new-password", "spellcheck": "false"}


class MakeForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=64,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("The common name (CN) of the CA's certificate, and its name in the list of CA certificates."),
    )
    kind = forms.ChoiceField(
        label=_("Key"),
        choices=DeviceKeyKind.choices,
        help_text=_("RSA where the firmware's TLS library has no elliptic curves. The keys of devices are of the same kind at first."),
    )


class TakeUpForm(forms.Form):
    certificate = forms.CharField(label=_("CA certificate"), widget=forms.Textarea(attrs=PEM), help_text=_("PEM, one certificate."))
    key = forms.CharField(
        label=_("Private key"), widget=PastedText(attrs=PEM), help_text=_("PEM. It is stored encrypted and never shown again.")
    )
    password = forms.CharField(
        label=_("Password of the key"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs=HIDDEN),
        help_text=_("Where it is encrypted."),
    )
    name = forms.CharField(
        label=_("Name"), required=False, max_length=64, widget=forms.TextInput(attrs=PLAIN), help_text=_("Empty: that of its subject.")
    )


class EndpointForm(forms.Form):
    url = forms.CharField(
        label=_("URL of the CSR endpoint"),
        max_length=300,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("A request (PKCS #10, application/pkcs10) is posted there and answered with the certificate: PEM, DER or PKCS #7."),
    )
    header = forms.CharField(
        label=_("Header of the secret"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("Authorization or X-Api-Key, for instance."),
    )
    secret = forms.CharField(
        label=_("Secret"),
        required=False,
        max_length=500,
        widget=forms.PasswordInput(attrs=HIDDEN),
        help_text=_("The header's whole value. It is stored encrypted. Empty: as it is stored."),
    )
    trust = forms.CharField(
        label=_("Who vouches for the server"),
        required=False,
        widget=forms.Textarea(attrs=PEM),
        help_text=_("PEM certificates that alone vouch for an https server. Empty: the authorities of this system."),
    )


class OutsideForm(EndpointForm):
    authority = forms.ModelChoiceField(
        label=_("CA certificate"),
        queryset=CertificateAuthority.objects.filter(state=AuthorityState.ACTIVE).order_by("name"),
        help_text=_("The certificates that come back must lead to it."),
    )

    field_order = ("authority", "url", "header", "secret", "trust")


class ProfileForm(forms.Form):
    answers_registration = forms.BooleanField(
        label=_("Registration answers with a certificate"),
        required=False,
        help_text=_("A Tencent device is handed certificate and key, a native one the certificate for its request. Off: the DeviceSecret."),
    )
    certificate_days = forms.IntegerField(
        label=_("Days that a certificate lasts"), min_value=1, max_value=LONGEST_DAYS, help_text=_("It ends with its CA at the latest.")
    )
    device_key_kind = forms.ChoiceField(
        label=_("Keys made for devices"), choices=DeviceKeyKind.choices, help_text=_("Of devices that do not make their own.")
    )
    organization = forms.CharField(
        label=_("Organization"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("O in the subject. Keep it short: small firmware has buffers of 5 KiB for certificate and key."),
    )
    unit = forms.CharField(label=_("Organizational unit"), required=False, max_length=64, widget=forms.TextInput(attrs=PLAIN))
    list_url = forms.CharField(
        label=_("Address of the revocation list"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("Written into each certificate, for whoever checks it elsewhere. Empty: none, and the certificate is shorter."),
    )


class RevokeForm(forms.Form):
    reason = forms.ChoiceField(label=_("Reason"), choices=RevocationReason.choices, help_text=_("It stands in the revocation list."))
    note = forms.CharField(label=_("Note"), required=False, max_length=500, help_text=_("Goes to the audit log."))


class RevokeSerialForm(RevokeForm):
    serial = forms.CharField(
        label=_("Serial number"),
        max_length=64,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("In hexadecimal, with or without colons, as openssl x509 -serial shows it."),
    )

    field_order = ("serial", "reason", "note")


class SourceForm(forms.Form):
    url = forms.CharField(
        label=_("URL of the list"),
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("http or https; redirects are not followed. Empty: the list is uploaded here."),
    )
    interval_minutes = forms.IntegerField(label=_("Fetched every so many minutes"), initial=60, min_value=MINUTES[0], max_value=MINUTES[-1])


class ListForm(forms.Form):
    file = forms.FileField(label=_("Revocation list"), help_text=_("PEM or DER, the CA's complete list. Delta lists are not supported."))

    def clean_file(self) -> bytes:
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise forms.ValidationError(_("The file is larger than 20 MiB."))
        content: bytes = file.read()
        return content


def profile_of(row: IssuingCA | None) -> dict[str, Any]:
    names = ("answers_registration", "certificate_days", "device_key_kind", "organization", "unit", "list_url")
    return {name: getattr(row, name) for name in names} if row else {}
