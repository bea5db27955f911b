"""One attempt of a device: what is found out about it on the way, and the one entry that is written in the end."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import Final
from uuid import UUID

import orjson

from console.errors import DomainError
from console.shared import metrics
from console.shared.statements import Into, Row, store_all
from products.models import DataCenter
from products.services.lookup import RegistrationProduct
from registration.decision_codes import DecisionCode
from registration.models import DeviceEvent, DeviceLogEntry

log = logging.getLogger(__name__)

MASK = "•••"
MAX_SENTENCE = 600
"""Characters; a sentence may quote what a stranger sent."""
MAX_CLIENT_ID = 32
"""Characters of an issued ClientID as the log keeps it; what a stranger sends in its place is cut off there."""
NO_REFUSALS = frozenset({DecisionCode.ACCEPTED, DecisionCode.ENDED})
CODES = frozenset(DecisionCode.values)
SHORTEST_SECRET = 6
"""Characters; what a stranger sends as a password may be any letter, which is no secret and stands everywhere."""


FIELDS: Final = (
    "at",
    "data_center",
    "product",
    "product_key",
    "device_name",
    "client_id",
    "event",
    "protocol",
    "address",
    "code",
    "accepted",
    "path",
    "facts",
    "request_id",
)
LOG: Final = Into.columns(DeviceLogEntry, *FIELDS)


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
        count(_center(attempt).code, attempt.event, attempt.protocol, code)
        entry(attempt, code).store(_center(attempt).database)
    except Exception:
        log.exception("A device log entry could not be written: %s %s %s", attempt.request_id, attempt.product_key, code)


def entry(attempt: Attempt, code: str, *, path: Sequence[str] = (), client_id: str = "", secrets: Sequence[str] = ()) -> Row:
    """Not yet stored. `path`, `client_id` and `secrets`: further ones, which the attempt does not have."""
    hidden = [secret for secret in (*attempt.secrets, *secrets) if len(secret) >= SHORTEST_SECRET]
    return Row(
        LOG,
        (
            attempt.at,
            _center(attempt).pk,
            attempt.product.id if attempt.product else None,
            _without(hidden, attempt.product_key),
            _without(hidden, attempt.device_name),
            _without(hidden, client_id or attempt.client_id)[:MAX_CLIENT_ID],
            str(attempt.event),
            attempt.protocol,
            clean_address(attempt.address),
            code_of(code),
            code in NO_REFUSALS,
            _json([_without(hidden, sentence) for sentence in (*attempt.path, *path)]),
            _json({name: _clean(hidden, value) for name, value in attempt.facts.items()}),
            attempt.request_id,
        ),
    )


def write_many(attempts: Sequence[tuple[Attempt, str]], *, database: str) -> None:
    """Stores the entries of attempts, each with its code, at data centers of one database. Raises the database's errors."""
    store_all(database, [entry(attempt, code) for attempt, code in attempts])
    for attempt, code in attempts:
        count(_center(attempt).code, attempt.event, attempt.protocol, code)


def count(data_center: str, event: str, protocol: str, code: str) -> None:
    """For the metrics: how many of which decision. `data_center`: its code."""
    metrics.DECISIONS.labels(data_center, event, protocol, code_of(code)).inc()


def code_of(code: str) -> str:
    """As the log has it."""
    return str(code) if code in CODES else DecisionCode.INTERNAL.value


def _center(attempt: Attempt) -> DataCenter:
    if attempt.data_center is None:
        raise LookupError("The data center of the attempt could not be found.")
    return attempt.data_center


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _clean(secrets: Sequence[str], value: object) -> object:
    if isinstance(value, list):
        return [_clean(secrets, one) for one in value]
    return _without(secrets, value) if isinstance(value, str) else value


def _without(secrets: Sequence[str], text: str) -> str:
    """A device that puts its secret into a field which is quoted must not find it in our log."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text[:MAX_SENTENCE]


@lru_cache(maxsize=4096)
def clean_address(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None
