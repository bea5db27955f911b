"""From an empty console to the first registered device: what to do first."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from console.navigation import link_to
from devices.models import Device, PreImportedDevice
from products.models import DataCenter, Product


def first(centers: list[DataCenter]) -> list[dict[str, Any]]:
    """Empty once a device has registered."""
    if any(Device.objects.at(center).exists() for center in centers):
        return []
    product = Product.objects.order_by("-id").first()
    page = reverse("admin:products_product_change", args=[product.pk]) if product else ""
    published = product is not None and Product.objects.published().exists()
    opened = product is not None and Product.objects.filter(dynamic_registration=True).exists()
    return [
        _step(
            product is not None,
            _("Create a product"),
            _("Its ProductKey and ProductSecret go into the firmware."),
            reverse("admin:products_product_add"),
        ),
        _step(published, _("Publish it"), _("Only published products are produced, and only their devices can register."), page),
        _step(
            product is not None and PreImportedDevice.objects.exists(),
            _("Add its devices"),
            _("Upload a workbook of MAC addresses, IMEIs or SNs, or produce a batch."),
            link_to("devices_preimporteddevice_changelist"),
        ),
        _step(opened, _("Turn on dynamic registration"), _("A one-time code confirms that it is you."), page),
        _step(
            False,
            _("Register a device"),
            _("It calls a host name of one of your data centers and appears in that device list."),
            link_to("devices_device_changelist"),
        ),
    ]


def _step(done: bool, title: Any, text: Any, href: str) -> dict[str, Any]:
    return {"done": done, "title": title, "text": text, "href": href}
