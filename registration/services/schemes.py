"""The schemes as this installation configures them."""

from datetime import timedelta
from functools import cache

from django.conf import settings

from registration.protocols.base import RegistrationProtocol
from registration.protocols.registry import protocols_by_name


@cache
def schemes() -> dict[str, RegistrationProtocol]:
    """By name. Read from the settings once in the life of a process."""
    seconds = settings.NAMEPLATE_TENCENT_WINDOW_SECONDS
    window = timedelta(seconds=seconds) if seconds else None
    return protocols_by_name(tencent_window=window, public_hosts=settings.NAMEPLATE_SIGNED_HOSTS)
