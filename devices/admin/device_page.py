"""What the page of a device says beyond its row."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from devices.admin import certificate_card, client_id_pages, log_link, presence
from devices.admin.device_filters import STATES
from devices.admin.timeline_chart import chart
from devices.models import Device
from products.admin.limits import latest_changes

VISITS_SHOWN = 25
VISITS_OPEN = 5
"""As many are shown as a table at once; more, when they are asked for."""
NOW_SHOWN = 5
SPANS = (("", _("Everything")), ("week", _("Week")), ("day", _("Day")), ("hour", _("Hour")))


def context(request: HttpRequest, device: Device, *, key: str) -> dict[str, Any]:
    """`key`: the device's name in URLs."""
    at = timezone.now()
    shown = presence.of(device, at=at)
    found = {
        "state": device.state,
        "state_words": STATES[device.state],
        "presence": shown,
        "presence_url": reverse("admin:devices_device_presence", args=[key]),
        "now_shown": shown.here or shown.undecided[:NOW_SHOWN],
        "visits_open": VISITS_OPEN,
        "visits_shown": shown.visits[:VISITS_SHOWN],
        "visits_more": shown.more or len(shown.visits) > VISITS_SHOWN,
        "chart": chart(shown, at=at, span=request.GET.get("span", "")) if shown.visits else None,
        "spans": SPANS,
        "log_search": log_link.of_device(request, device),
        "card": certificate_card.card(request, device, at=at),
        "may_switch": bool(shown.standing) and request.user.has_perm(client_id_pages.PERMISSION),
        "switch_url": reverse("admin:devices_device_switch", args=[key]),
        "clear_url": reverse("admin:devices_device_clear", args=[key]),
    }
    return found | latest_changes(request, device, target_label=device.device_name)
