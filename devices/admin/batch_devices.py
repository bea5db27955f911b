"""The devices of a batch on its page (Q8): a page of them, found by name or SN, each with its state in every data center. No secrets."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from devices.admin.device_filters import STATES
from devices.models import Batch, PreImportedDevice
from devices.services import batch_data
from products.models import DataCenter

PER_PAGE = 10
LONGEST = 128
"""Characters of what is looked for: SHA-256 with colons has 95."""


@dataclass(frozen=True, slots=True)
class Line:
    """`states`: of each data center its name, the word (empty where the device is not in the list), and the label."""

    row: PreImportedDevice
    states: list[tuple[str, str, Any]]


@dataclass(frozen=True, slots=True)
class Devices:
    """A page of a batch's devices. `before` and `after`: whether there are pages on these sides. Nothing is counted."""

    data_centers: list[DataCenter]
    lines: list[Line]
    wanted: str
    page: int
    after: bool

    @property
    def before(self) -> bool:
        return self.page > 1


def of_batch(batch: Batch, request: HttpRequest) -> Devices:
    """`?devices=` what is looked for, `?page=` the page."""
    wanted = request.GET.get("devices", "").strip()[:LONGEST]
    page = int(number) if (number := request.GET.get("page", "")).isdecimal() and 0 < int(number) < 1_000_000 else 1
    first = (page - 1) * PER_PAGE
    found = PreImportedDevice.objects.made_in(batch.pk).matching(wanted)
    rows = list(found[first : first + PER_PAGE + 1])
    data_centers = list(DataCenter.objects.order_by("pk"))
    shown = rows[:PER_PAGE]
    states = batch_data.states(batch.product_id, [row.device_name for row in shown], data_centers)
    lines = [
        Line(row, [_worded(center.name, here.get(row.device_name, "")) for center, here in zip(data_centers, states, strict=True)])
        for row in shown
    ]
    return Devices(data_centers, lines, wanted, page, len(rows) > PER_PAGE)


def _worded(data_center: str, state: str) -> tuple[str, str, Any]:
    return data_center, state, STATES.get(state, _("Not there yet"))
