"""What would happen if this DeviceName called now (N2): the page with the answer of every data center, and the ways to it."""

from collections.abc import Mapping
from dataclasses import dataclass
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
from django.views.decorators.http import require_safe

from console.shared.panels import panel
from devices.models import Device, PreImportedDevice
from devices.rules.admission import CERTIFICATE_OUTCOMES, OUTCOMES, Verdict
from devices.services import client_ids, connections
from products.admin.limits import seen_products
from products.models import DataCenter, Product
from registration.admin.remedies import Remedy, remedy_of
from registration.decision_codes import DecisionCode
from registration.services import explain, meanings
from registration.services.explain import Explanation, Foreseen
from registration.services.meanings import Meaning

MAY = "registration.view_devicelogentry"
URL = "admin:registration_what_if"


class NameForm(forms.Form):
    """`product`: its ProductKey, so that an address can be read and written by hand."""

    product = forms.ModelChoiceField(label=_("Product"), queryset=Product.objects.none(), to_field_name="key", empty_label=None)
    name = forms.CharField(
        label=_("DeviceName"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}),
        help_text=_("In any spelling: it is stored and compared one way."),
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["product"].queryset = seen_products(request)  # type: ignore[attr-defined]


WOULD = {
    OUTCOMES[Verdict.HAND_OUT]: _("It would be handed its DeviceSecret."),
    OUTCOMES[Verdict.MAKE_FROM_ROW]: _("It would be added to the device list and handed its DeviceSecret."),
    OUTCOMES[Verdict.CREATE]: _("The device would be created within the limit and handed its DeviceSecret."),
    CERTIFICATE_OUTCOMES[Verdict.HAND_OUT]: _("It would be handed a certificate, and connect with a certificate from then on."),
    CERTIFICATE_OUTCOMES[Verdict.MAKE_FROM_ROW]: _("It would be added to the device list and handed a certificate."),
    CERTIFICATE_OUTCOMES[Verdict.CREATE]: _("The device would be created within the limit and handed a certificate."),
    client_ids.HANDED: _("It would be handed a ClientID and a DeviceToken."),
    connections.APPEARS: _("It would appear in this data center's device list, activated."),
    connections.ACTIVATED: _("It would be activated by this connection."),
    connections.CLIENT_ACTIVATED: _("Its ClientID would be activated by this connection."),
}
"""What the log says of a thing done, said of one that is not."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One question with its answer, as the page draws it."""

    question: Any
    answer: Foreseen
    path: list[Any]
    words: Any
    meaning: Meaning
    remedy: Remedy | None


@dataclass(frozen=True, slots=True)
class Named:
    """Who is asked about, and where."""

    data_center: DataCenter
    product: Product
    device_name: str


@require_safe
def view(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm(MAY):
        raise PermissionDenied
    asked = "name" in request.GET
    form = NameForm(request, request.GET if asked else None, initial={"product": request.GET.get("product", "")})
    context: dict[str, Any] = {**admin.site.each_context(request), "title": _("What if it registered now"), "form": form}
    if asked and form.is_valid():
        context |= _answers(request, form.cleaned_data["product"], form.cleaned_data["name"])
    return TemplateResponse(request, "what_if/page.html", context)


def _answers(request: HttpRequest, product: Product, name: str) -> dict[str, Any]:
    at = timezone.now()
    centers = DataCenter.objects.order_by("-is_home", "name")
    found = [explain.what_if(product=product, data_center=center, device_name=name, at=at) for center in centers]
    return {
        "product": product,
        "name": found[0].device_name if found else name,
        "at": at,
        "centers": [(one.data_center, list(_shown(request, product, one))) for one in found],
    }


def _shown(request: HttpRequest, product: Product, one: Explanation) -> list[Shown]:
    asked: list[tuple[Any, Foreseen | None]] = [
        (_("It asks for a certificate") if one.hands_certificates else _("It asks for its DeviceSecret"), one.registration),
        (_("It asks for a ClientID"), one.free),
        (_("It connects with its DeviceSecret"), one.connection),
        *((_("It connects with the ClientID %(client_id)s") % {"client_id": client.client_id}, client) for client in one.clients),
    ]
    named = Named(one.data_center, product, one.device_name)
    return [shown_of(request, question, answer, named, would=WOULD) for question, answer in asked if answer is not None]


def shown_of(request: HttpRequest, question: Any, answer: Foreseen, named: Named, *, would: Mapping[str, Any]) -> Shown:
    """`would`: words for what the log says of a thing done."""
    found = None
    if not answer.accepted:
        product_id = named.product.pk
        found = remedy_of(request, code=answer.code, data_center=named.data_center, product_id=product_id, device_name=named.device_name)
    path = [would.get(sentence, sentence) for sentence in answer.path]
    return Shown(question, answer, path, dict(DecisionCode.choices)[answer.code], meanings.of(answer.code), found)


def url_of(product_key: str, name: str) -> str:
    return f"{reverse(URL)}?{urlencode({'product': product_key, 'name': name})}"


@panel("products.product")
def of_product(request: HttpRequest, product: Product) -> SafeString | str:
    if not request.user.has_perm(MAY):
        return ""
    return render_to_string("what_if/product_panel.html", {"product": product, "url": reverse(URL)}, request)


@panel("devices.device")
def of_device(request: HttpRequest, device: Device) -> SafeString | str:
    return _button(request, device.product, device)


@panel("devices.preimporteddevice")
def of_row(request: HttpRequest, row: PreImportedDevice) -> SafeString | str:
    return _button(request, row.product, row)


def _button(request: HttpRequest, product: Product, row: Device | PreImportedDevice) -> SafeString | str:
    if not request.user.has_perm(MAY):
        return ""
    return render_to_string("what_if/panel.html", {"url": url_of(product.key, row.device_name)}, request)
