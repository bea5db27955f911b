"""The one verb of the audit: record. A service calls it once, inside its transaction."""

from collections.abc import Mapping
from datetime import datetime

from django.db import models

from console.models import AuditEntry
from console.shared.actors import Actor


def record(
    action: str,
    target: models.Model | str,
    *,
    by: Actor,
    at: datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str = "",
    count: int = 1,
) -> None:
    """`action` is "noun.verb" (device.reset); `target` is a row, or a name where no row is left. Facts are JSON values without secrets."""
    kind, key = (target._meta.label_lower, str(target.pk or "")) if isinstance(target, models.Model) else ("", "")
    AuditEntry(
        at=at,
        actor_id=by.user_id,
        actor_name=by.name,
        address=by.address,
        action=action,
        target_type=kind,
        target_id=key,
        target_label=str(target)[:200],
        before=dict(before or {}),
        after=dict(after or {}),
        reason=reason,
        count=count,
    ).save(force_insert=True)
