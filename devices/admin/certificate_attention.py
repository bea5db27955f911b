"""Devices whose certificates end: from then on they are refused, and most of them can do nothing about it alone."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from console.shared.attention import Alert, attention
from devices.models import Device
from products.models import DataCenter
from products.services.access import only

READ: Final = 1000
"""Devices of one data center that are counted."""


@attention
def device_certificates_that_end(user: Any, at: datetime) -> Iterator[Alert]:
    """A line for each data center; those of disabled devices hurt nobody."""
    if not user.has_perm("devices.view_device"):
        return
    for center in DataCenter.objects.order_by("-is_home", "name"):
        ending = only(Device.objects.at(center).filter(enabled=True).with_certificate("ends", at).order_by(), user)
        if found := ending[:READ].count():
            yield Alert(
                title=_("%(center)s: certificates of devices end within 30 days") % {"center": center.name},
                sentence=_("Give these devices new certificates and announce them as their next ones: with the old ones they are refused."),
                url=f"{reverse('admin:devices_device_changelist')}?{urlencode({'center': center.code, 'certificate': 'ends'})}",
                label=_("View"),
                count=found,
                at_least=found == READ,
            )
