"""Entries of the device log as rows of text (A14): the newest first, read in pages, bounded; secrets are not in the log."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from django.db.models import QuerySet

from console import audit
from console.shared.actors import Actor
from products.models import DataCenter
from registration.models import DeviceLogEntry

MOST_ROWS = 100_000
PAGE = 2_000
COLUMNS = (
    *("time", "data center", "event", "ProductKey", "DeviceName", "ClientID"),
    *("accepted", "decision", "protocol", "address", "path", "request"),
)


def number_of(entries: QuerySet[DeviceLogEntry]) -> tuple[int, bool]:
    """How many an export would hold, and whether there are more than it may."""
    found = entries.order_by()[: MOST_ROWS + 1].count()
    return min(found, MOST_ROWS), found > MOST_ROWS


def export(
    entries: QuerySet[DeviceLogEntry], *, data_center: DataCenter, conditions: Mapping[str, str], by: Actor, at: datetime
) -> Iterator[tuple[str, ...]]:
    """The newest MOST_ROWS of the entries, which are some of the data center's; a row has the values of COLUMNS. Audited.

    `conditions`: how they were chosen, in words.
    """
    number, _more = number_of(entries)
    facts = {"data_center": data_center.code, "conditions": dict(conditions)}
    audit.record("device_log.export", "device log", by=by, at=at, after=facts, count=number)
    return _rows(entries, data_center.code)


def _rows(entries: QuerySet[DeviceLogEntry], center: str) -> Iterator[tuple[str, ...]]:
    """By the key of the last row instead of an offset: the last page costs what the first does."""
    ordered, left = entries.order_by("-pk"), MOST_ROWS
    page = list(ordered[: min(PAGE, left)])
    while page:
        yield from (_row(entry, center) for entry in page)
        left -= len(page)
        page = list(ordered.filter(pk__lt=page[-1].pk)[: min(PAGE, left)]) if left else []


def _row(entry: DeviceLogEntry, center: str) -> tuple[str, ...]:
    return (
        entry.at.astimezone(UTC).isoformat(),
        center,
        entry.event,
        entry.product_key,
        entry.device_name,
        entry.client_id,
        "yes" if entry.accepted else "no",
        entry.code,
        entry.protocol,
        entry.address or "",
        " ".join(entry.path),
        str(entry.request_id),
    )
