"""Reading a DeviceSecret on the page of a device or of a pre-import row: the same words, the same permission."""

from collections.abc import Callable

from django.utils.translation import gettext_lazy as _

from console.shared.page_actions import Occasion, PageAction
from devices.models import Authentication


def reveal_secret(read: Callable[[Occasion], str]) -> PageAction:
    """`read`: the service that hands out the secret and audits the reading. Not offered where the device has a certificate of its own."""
    return PageAction(
        name="reveal_secret",
        permission="devices.reveal_device_secret",
        label=_("Show"),
        title=_("Show the DeviceSecret?"),
        words=(
            _("Whoever has the DeviceSecret can connect as this device."),
            _("The secret is shown once, and the audit log says that you read it."),
        ),
        confirm=_("Show the secret"),
        run=lambda occasion: {"device_secret": read(occasion)},
        offered=lambda row: row.authentication != Authentication.X509,
        guarded=True,
    )
