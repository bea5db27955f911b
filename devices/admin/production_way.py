"""The steps of mass production as their pages show them: what is done, where one is, what comes."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from devices.models import Batch

ANSWERS = ("flashing_method", "source", "quantity", "mac_pool", "note", "upload")
"""What the address of the guided way holds."""

STEPS = {
    "product": _("Product"),
    "method": _("Flashing method"),
    "names": _("DeviceNames"),
    "review": _("What is used up"),
    "progress": _("Production"),
    "download": _("Activation codes"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """`href`: the way back to it, empty where there is none."""

    label: Any
    is_done: bool
    is_here: bool
    href: str = ""


def steps(here: str, request: HttpRequest) -> list[Step]:
    """On the pages before the start: those that lie behind lead back, with all answers kept."""
    answers = {name: value for name in ANSWERS if (value := request.GET.get(name))}
    back = {
        "product": reverse("admin:devices_production_center"),
        "method": f"{request.path}?{urlencode(answers | {'step': 'method'})}",
        "names": f"{request.path}?{urlencode(answers)}",
    }
    return _numbered(here, back)


def of_batch(batch: Batch) -> list[Step]:
    """On the batch's page, as long as nobody has its codes; nothing leads back, because what was taken is taken."""
    if batch.first_download_at is not None or batch.undo_began_at is not None or (batch.is_over and not batch.made):
        return []
    return _numbered("download" if batch.is_over else "progress", {})


def _numbered(here: str, back: dict[str, str]) -> list[Step]:
    names = list(STEPS)
    place = names.index(here)
    return [
        Step(STEPS[name], index < place, index == place, back.get(name, "") if index < place else "") for index, name in enumerate(names)
    ]
