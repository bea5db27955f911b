"""A device connects with a certificate of its own: what is on file for it, the judgement, the pin, and its first connection.

The judgement itself is devices/rules/presented.py's, made by whoever gathers its facts (registration/services); here it is asked with what
is pinned, and what it says is stored by a conditional update, so that of two first connections one is pinned and the other is judged again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from devices.rules.pins import Match, Pins
from devices.rules.presented_facts import Verdict
from products.models import DataCenter
from products.services.lookup import RegistrationProduct

NOWHERE = (0, "")

Judge = Callable[[Pins, datetime | None], Verdict]
"""With what is pinned, and when an operator revoked the device's certificates. Raises a CertificateRefused with its path."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Who wants in where, and when. `device_name` in its stored form; `place`: as connections.look_up has it."""

    data_center: DataCenter
    product: RegistrationProduct
    device_name: str
    at: datetime
    place: tuple[int, str] = NOWHERE


@dataclass(frozen=True, slots=True)
class LetIn:
    """`first`: this connection activated the device. `match`: how its certificate compared with the pin."""

    device_id: int
    first: bool
    match: Match
    path: tuple[str, ...]


def admit(entry: Entry, judge: Judge) -> LetIn:
    """Lets a device in by its certificate. A device that is known only to the pre-import list appears; one that nobody imported is
    created within the product's limit where the product creates devices automatically. Raises a Refused with its path, and Unavailable."""
    raise NotImplementedError


def foresee(entry: Entry, judge: Judge) -> LetIn:
    """What `admit` would do as things stand, or the Refused that it would raise. Writes nothing, locks nothing; `device_id` is 0 where the
    device would appear."""
    raise NotImplementedError
