"""The way from a device to its entries in the device log, which is another app's page: by its name alone."""

from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from devices.models import Device

LOG = "admin:registration_devicelogentry_changelist"


def of_device(request: HttpRequest, device: Device) -> str:
    """An address that further conditions can be added to; empty where there is no log, or none that the person may read."""
    if not request.user.has_perm("registration.view_devicelogentry"):
        return ""
    try:
        log = reverse(LOG)
    except NoReverseMatch:
        return ""
    return f"{log}?{urlencode({'center': device.data_center.code, 'product': device.product.key, 'device': device.device_name})}"
