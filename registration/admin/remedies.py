"""The way from a refusal to the page where something can be done about it: the product's switches, the device, the pre-import row."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from devices.models import Device, PreImportedDevice
from products.models import DataCenter
from products.services.access import may_see
from registration.services import meanings
from registration.services.meanings import Place


@dataclass(frozen=True, slots=True)
class Remedy:
    label: Any
    url: str


def remedy_of(request: HttpRequest, *, code: str, data_center: DataCenter, product_id: int | None, device_name: str) -> Remedy | None:
    """None where no page helps, or none that the person may open."""
    user, place = request.user, meanings.of(code).place
    if place is Place.BROKERS:
        may = user.has_perm("products.view_broker")
        return Remedy(_("Brokers"), reverse("admin:products_broker_changelist")) if may else None
    if place is Place.AUTHORITIES:
        may = user.has_perm("products.view_certificateauthority")
        return Remedy(_("CA certificates"), reverse("admin:products_certificateauthority_changelist")) if may else None
    if product_id is None or not may_see(user, product_id):
        return None
    if place is Place.PRODUCT and user.has_perm("products.view_product"):
        return Remedy(_("Product"), reverse("admin:products_product_change", args=[product_id]))
    if place in (Place.DEVICE, Place.PRE_IMPORT):
        return _of_the_name(request, place, data_center, product_id, device_name)
    return None


def _of_the_name(request: HttpRequest, place: Place, center: DataCenter, product_id: int, device_name: str) -> Remedy | None:
    """The device here if there is one, else its row, else the form that adds one."""
    device = Device.objects.at(center).filter(product_id=product_id, device_name=device_name).values_list("pk", flat=True).first()
    if device and request.user.has_perm("devices.view_device"):
        return Remedy(_("Device"), reverse("admin:devices_device_change", args=[f"{center.code}-{device}"]))
    row = PreImportedDevice.objects.filter(product_id=product_id, device_name=device_name).values_list("pk", flat=True).first()
    if row and request.user.has_perm("devices.view_preimporteddevice"):
        return Remedy(_("Pre-import row"), reverse("admin:devices_preimporteddevice_change", args=[row]))
    if not row and place is Place.PRE_IMPORT and request.user.has_perm("devices.add_preimporteddevice"):
        asked = urlencode({"product": product_id, "device_name": device_name})
        return Remedy(_("Add it to the pre-import list"), f"{reverse('admin:devices_preimporteddevice_add')}?{asked}")
    return None
