"""What would happen if a device came with this certificate now: the page that takes a certificate and shows every data center's answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from console.crypto.certificates import reading
from console.crypto.certificates.certificate import Certificate
from console.crypto.certificates.errors import CertificateError
from console.shared.page_actions import put_error
from console.shared.panels import panel
from devices.models import Authentication, Device, PreImportedDevice
from devices.services import certificate_admission, connections
from products.admin.authority_forms import CertificateForm
from products.admin.authority_words import colons
from products.admin.limits import seen_products
from products.models import DataCenter, Product
from registration.admin.what_if import MAY, Named, Shown, shown_of
from registration.services import explain_certificate

URL = "admin:registration_what_if_certificate"
WOULD: dict[str, Any] = {
    connections.APPEARS: _("It would appear in this data center's device list, activated."),
    connections.ACTIVATED: _("It would be activated by this connection."),
    certificate_admission.CREATED: _("The device would be created within the limit of automatic creation, activated."),
}


class PresentedForm(CertificateForm):
    """`product`: its ProductKey, so that an address can be read and written by hand. `content`: the certificates, the device's first."""

    product = forms.ModelChoiceField(label=_("Product"), queryset=Product.objects.none(), to_field_name="key", empty_label=None)
    name = forms.CharField(
        label=_("DeviceName"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}),
        help_text=_("That its user name has. Empty: the user name is empty, and the certificate alone says who it is."),
    )

    field_order = ("product", "name", "file", "pasted")

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["product"].queryset = seen_products(request)  # type: ignore[attr-defined]
        self.fields["file"].help_text = _("PEM or DER: the device's certificate first, then those between it and the CA, if it sends them.")


@dataclass(frozen=True, slots=True)
class Looked:
    """The device's certificate, as the page shows it."""

    certificate: Certificate
    sha256: Any
    sha1: Any
    serial: Any


@require_http_methods(["GET", "HEAD", "POST"])
def view(request: HttpRequest) -> HttpResponse:
    """POST changes nothing: a certificate is too long for an address."""
    if not request.user.has_perm(MAY):
        raise PermissionDenied
    asked = request.method == "POST"
    given = (request.POST, request.FILES) if asked else (None, None)
    initial = {name: request.GET.get(name, "") for name in ("product", "name")}
    form = PresentedForm(request, *given, initial=initial)
    context: dict[str, Any] = {**admin.site.each_context(request), "title": _("What if it came with this certificate"), "form": form}
    if asked and form.is_valid():
        try:
            context |= _answers(request, form)
        except CertificateError as error:
            put_error(form, error)
    return TemplateResponse(request, "what_if/certificate.html", context)


def _answers(request: HttpRequest, form: PresentedForm) -> dict[str, Any]:
    """Raises a CertificateError for a file that holds no certificate."""
    at = timezone.now()
    product, name = form.cleaned_data["product"], form.cleaned_data["name"]
    certificates = reading.read(form.cleaned_data["content"])
    chain = [one.der for one in certificates]
    leaf = certificates[0]
    return {
        "product": product,
        "name": name,
        "at": at,
        "looked": Looked(leaf, colons(leaf.sha256), colons(leaf.sha1), colons(leaf.serial_hex)),
        "centers": list(_centers(request, product, name, chain, at)),
    }


def _centers(
    request: HttpRequest, product: Product, name: str, chain: list[bytes], at: datetime
) -> Iterator[tuple[DataCenter, list[Shown]]]:
    for center in DataCenter.objects.order_by("-is_home", "name"):
        found = explain_certificate.what_if(product=product, data_center=center, device_name=name, chain=chain, at=at)
        known = _("As the device %(name)s") % {"name": found.device_name} if found.device_name else _("As a device without a name")
        yield center, [shown_of(request, known, found.answer, Named(center, product, found.device_name), would=WOULD)]


def url_of(product_key: str, name: str) -> str:
    return f"{reverse(URL)}?{urlencode({'product': product_key, 'name': name})}"


@panel("devices.device")
def of_device(request: HttpRequest, device: Device) -> SafeString | str:
    return _button(request, device.product, device)


@panel("devices.preimporteddevice")
def of_row(request: HttpRequest, row: PreImportedDevice) -> SafeString | str:
    return _button(request, row.product, row)


def _button(request: HttpRequest, product: Product, row: Device | PreImportedDevice) -> SafeString | str:
    if not request.user.has_perm(MAY) or row.authentication != Authentication.X509:
        return ""
    return render_to_string("what_if/certificate_panel.html", {"url": url_of(product.key, row.device_name)}, request)
