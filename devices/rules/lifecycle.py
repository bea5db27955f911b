"""The life of a device as facts, and the one word shown for it."""

from datetime import datetime

DISABLED, INACTIVE, ONLINE, OFFLINE, SEEN = "disabled", "inactive", "online", "offline", "seen"


def state(
    *,
    enabled: bool,
    activated_at: datetime | None,
    last_online_at: datetime | None,
    last_offline_at: datetime | None,
    last_seen_at: datetime | None = None,
) -> str:
    """Disabled, inactive, seen, online or offline, derived in this order.

    Seen: it came last through a broker that does not say when a device leaves, so nobody knows whether it is still there.
    """
    if not enabled:
        return DISABLED
    if activated_at is None:
        return INACTIVE
    if last_seen_at is not None and all(other is None or other < last_seen_at for other in (last_online_at, last_offline_at)):
        return SEEN
    if last_online_at is not None and (last_offline_at is None or last_offline_at < last_online_at):
        return ONLINE
    return OFFLINE
