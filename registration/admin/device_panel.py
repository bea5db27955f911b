"""The device log on a device's own page: its latest attempts."""

from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from console.shared.panels import panel
from devices.admin.centers import CENTER
from devices.models import Device
from registration.admin.log import DeviceLogEntryAdmin, badge_of
from registration.models import DeviceLogEntry

SHOWN = 8


@panel("devices.device")
def latest_attempts(request: HttpRequest, device: Device) -> SafeString | str:
    """Nothing for a person who may not read the log."""
    if not request.user.has_perm("registration.view_devicelogentry"):
        return ""
    entries = DeviceLogEntry.objects.at(device.data_center).of_device(device.product.key, device.device_name).order_by("-id")[:SHOWN]
    log = DeviceLogEntryAdmin(DeviceLogEntry, admin.site)
    search = urlencode({CENTER: device.data_center.code, "product": device.product.key, "device": device.device_name})
    context = {
        "entries": [(entry, log.page_url(entry), badge_of(entry)) for entry in entries],
        "all_url": f"{reverse('admin:registration_devicelogentry_changelist')}?{search}",
    }
    return render_to_string("device_log/panel.html", context, request)
