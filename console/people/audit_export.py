"""Entries of the audit as rows of text: the newest first, read in pages; the export is an entry itself."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from django.db.models import QuerySet

from console import audit
from console.models import AuditEntry
from console.shared.actors import Actor

MOST_ROWS = 1_000_000
PAGE = 2_000
COLUMNS = ("time", "who", "address", "action", "words", "kind", "number", "what", "before", "after", "reason", "count")


def number_of(entries: QuerySet[AuditEntry], most: int = MOST_ROWS) -> tuple[int, bool]:
    """How many there are up to `most`, and whether there are more."""
    found = entries.order_by()[: most + 1].count()
    return min(found, most), found > most


def export(entries: QuerySet[AuditEntry], *, conditions: Mapping[str, str], by: Actor, at: datetime) -> Iterator[tuple[str, ...]]:
    """The newest MOST_ROWS of the entries; a row has the values of COLUMNS. `conditions`: how they were chosen, in words."""
    number, _more = number_of(entries)
    newest = entries.order_by("-pk").values_list("pk", flat=True).first() or 0
    audit.record("audit.export", "audit log", by=by, at=at, after={"conditions": dict(conditions)}, count=number)
    return _rows(entries.filter(pk__lte=newest))


def _rows(entries: QuerySet[AuditEntry]) -> Iterator[tuple[str, ...]]:
    """By the key of the last row instead of an offset: the last page costs what the first does."""
    ordered, left = entries.order_by("-pk"), MOST_ROWS
    page = list(ordered[: min(PAGE, left)])
    while page:
        yield from (_row(entry) for entry in page)
        left -= len(page)
        page = list(ordered.filter(pk__lt=page[-1].pk)[: min(PAGE, left)]) if left else []


def _row(entry: AuditEntry) -> tuple[str, ...]:
    facts = (json.dumps(side, ensure_ascii=False, sort_keys=True) if side else "" for side in (entry.before, entry.after))
    return (
        entry.at.astimezone(UTC).isoformat(),
        entry.actor_name,
        entry.address,
        entry.action,
        entry.words,
        entry.target_type,
        entry.target_id,
        entry.target_label,
        *facts,
        entry.reason,
        str(entry.count),
    )
