"""One attempt of a device: what is found out about it on the way, and the one entry that is written in the end."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from uuid import UUID

from console.errors import DomainError
from console.shared import metrics
from products.models import DataCenter
from products.services.lookup import RegistrationProduct
from registration.models import DecisionCode, DeviceEvent, DeviceLogEntry

log = logging.getLogger(__name__)

MASK = "•••"
MAX_SENTENCE = 600
"""Characters; a sentence may quote what a stranger sent."""
MAX_CLIENT_ID = 32
"""Characters of an issued ClientID as the log keeps it; what a stranger sends in its place is cut off there."""
NO_REFUSALS = frozenset({DecisionCode.ACCEPTED, DecisionCode.ENDED})
SHORTEST_SECRET = 6
"""Characters; what a stranger sends as a password may be any letter, which is no secret and stands everywhere."""


@dataclass(slots=True, repr=False)
class Attempt:
    """`path`: whole sentences, in the order of the checks. `facts`: JSON values. `secrets` are known here to be kept out of both.

    `client_id`: the issued ClientID of a preregistration-free device.
    """

    at: datetime
    request_id: UUID
    protocol: str
    address: str
    data_center: DataCenter | None = None
    product: RegistrationProduct | None = None
    product_key: str = ""
    device_name: str = ""
    client_id: str = ""
    event: str = DeviceEvent.REGISTRATION
    path: list[str] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()

    def passed(self, *sentences: str) -> None:
        self.path.extend(sentences)

    def refused(self, error: DomainError) -> None:
        """Takes over the error's own path, if it brings one, and its facts."""
        self.path.extend(getattr(error, "path", ()) or (error.message,))
        self.facts |= error.facts


def write(attempt: Attempt, code: str) -> None:
    """Stores the entry outside of any decision. A failure is told to the server's log and to nobody else: the device's answer stands."""
    try:
        entry = _entry(attempt, code)
        count(entry, entry.data_center.code)
        entry.save(using=entry.data_center.database, force_insert=True)
    except Exception:
        log.exception("A device log entry could not be written: %s %s %s", attempt.request_id, attempt.product_key, code)


def write_many(attempts: Sequence[tuple[Attempt, str]], *, database: str) -> None:
    """Stores the entries of attempts, each with its code, at data centers of one database. Raises the database's errors."""
    entries = DeviceLogEntry.objects.using(database).bulk_create([_entry(attempt, code) for attempt, code in attempts])
    for entry in entries:
        count(entry, entry.data_center.code)


def count(entry: DeviceLogEntry, data_center: str) -> None:
    """For the metrics: how many of which decision. `data_center`: its code."""
    metrics.DECISIONS.labels(data_center, entry.event, entry.protocol, entry.code).inc()


def _entry(attempt: Attempt, code: str) -> DeviceLogEntry:
    """Not yet stored."""
    if attempt.data_center is None:
        raise LookupError("The data center of the attempt could not be found.")
    return DeviceLogEntry(
        at=attempt.at,
        data_center=attempt.data_center,
        product_id=attempt.product.id if attempt.product else None,
        product_key=_without(attempt.secrets, attempt.product_key),
        device_name=_without(attempt.secrets, attempt.device_name),
        client_id=_without(attempt.secrets, attempt.client_id)[:MAX_CLIENT_ID],
        event=attempt.event,
        protocol=attempt.protocol,
        address=clean_address(attempt.address),
        code=code if code in DecisionCode.values else DecisionCode.INTERNAL,
        accepted=code in NO_REFUSALS,
        path=[_without(attempt.secrets, sentence) for sentence in attempt.path],
        facts={name: _clean(attempt.secrets, value) for name, value in attempt.facts.items()},
        request_id=attempt.request_id,
    )


def _clean(secrets: tuple[str, ...], value: object) -> object:
    if isinstance(value, list):
        return [_clean(secrets, one) for one in value]
    return _without(secrets, value) if isinstance(value, str) else value


def _without(secrets: tuple[str, ...], text: str) -> str:
    """A device that puts its secret into a field which is quoted must not find it in our log."""
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    return text[:MAX_SENTENCE]


def clean_address(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None
