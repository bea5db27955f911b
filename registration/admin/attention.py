"""What needs attention on this floor: brokers that do not answer."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from console.shared.attention import DANGER, Alert, attention
from console.shared.translation import shown
from products.models import Broker
from products.services import access
from registration.services import broker_states


@attention
def brokers_that_do_not_answer(user: Any, at: datetime) -> Iterator[Alert]:
    if not (user.has_perm("products.view_broker") and access.sees_every_product(user)):
        return
    for broker, state in broker_states.failing(Broker.objects.filter(enabled=True).select_related("data_center")):
        yield Alert(
            title=_("The broker %(broker)s does not answer") % {"broker": broker.name},
            sentence=_("Nobody can be cut off there until it does. It says: %(error)s") % {"error": shown(state.error)},
            url=reverse("admin:products_broker_change", args=[broker.pk]),
            label=_("Broker"),
            severity=DANGER,
        )
