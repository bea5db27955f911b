"""The life of a device as facts, and the one word shown for it."""

from datetime import datetime

DISABLED, INACTIVE, ONLINE, OFFLINE = "disabled", "inactive", "online", "offline"


def state(*, enabled: bool, activated_at: datetime | None, last_online_at: datetime | None, last_offline_at: datetime | None) -> str:
    """Disabled, inactive, online or offline, derived in this order."""
    if not enabled:
        return DISABLED
    if activated_at is None:
        return INACTIVE
    if last_online_at is not None and (last_offline_at is None or last_offline_at < last_online_at):
        return ONLINE
    return OFFLINE
