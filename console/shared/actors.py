"""Who does it: what every service takes as `by=`."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from console.shared.addresses import client_address


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a part of the system. `user_id` is None for the system; `address` is the client's IP address, if there is one."""

    name: str
    user_id: int | None = None
    address: str = ""


SYSTEM = Actor("system")


def actor_of(request: Any) -> Actor:
    """The signed-in person of a Django or DRF request."""
    user = request.user
    return Actor(user.get_username() or "anonymous", user.pk, client_address(request.META, settings.NAMEPLATE_TRUSTED_PROXIES))
