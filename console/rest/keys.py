"""API keys as they are presented: who stands behind one, what it may do, and how often."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, F, Q, Value, When

from console.crypto import codes
from console.errors import Forbidden
from console.models import ApiKey
from console.rest.problems import TooManyRequests

PREFIX = "npk_"
RANDOM_CHARACTERS = 40
"""Of 62: 238 bits, so that a plain digest is enough."""
BEGINNING = 12
"""Characters that a list shows, so that a person knows a key again: its prefix and eight more."""


class BadKey(Forbidden):
    """No such key, or one that is over. Which of them it is, a stranger need not know."""

    code = "bad_key"
    default_message = "The API key is unknown, expired or revoked."


class Principal:
    """A user as views and services know one: the key's owner, held to the key's actions. `api_key` tells products.services.access that the
    key's own products count."""

    is_authenticated = True
    is_anonymous = False
    is_superuser = False
    is_staff = False

    def __init__(self, api_key: ApiKey) -> None:
        self.api_key, self.owner = api_key, api_key.owner
        self.pk = self.id = self.owner.pk
        self._actions = frozenset(api_key.actions)

    @property
    def is_active(self) -> bool:
        return bool(self.owner.is_active)

    def get_username(self) -> str:
        """As the audit has it: who, by which key."""
        return f"{self.owner.get_username()} ({self.api_key.name})"

    def has_perm(self, permission: str, obj: Any = None) -> bool:
        """What the key is for and its owner may do at this moment."""
        return permission in self._actions and bool(self.owner.has_perm(permission))

    def has_perms(self, permissions: Any, obj: Any = None) -> bool:
        return all(self.has_perm(permission) for permission in permissions)


@dataclass(frozen=True, slots=True)
class Rate:
    """What is left of this minute: requests, and `seconds` until the next one begins."""

    limit: int
    left: int
    seconds: int


def new() -> str:
    return PREFIX + codes.text(RANDOM_CHARACTERS, codes.BASE62)


def digest_of(key: str) -> str:
    """SHA-256, 64 hex digits."""
    return hashlib.sha256(key.encode()).hexdigest()


def find(key: str, *, at: datetime) -> Principal:
    """One query, found by digest: what differs in time tells nothing about a key of 238 random bits. Raises BadKey."""
    digest = digest_of(key)
    row = ApiKey.objects.live(at).select_related("owner").filter(digest=digest).first()
    if row is None or not secrets.compare_digest(row.digest, digest) or not row.owner.is_active:
        raise BadKey
    return Principal(row)


def count(key: ApiKey, *, address: str, at: datetime) -> Rate:
    """One more request of this clock minute, for all processes: one conditional update whose condition is the limit. The first one of
    a minute writes when and from where the key was last used. Raises TooManyRequests."""
    minute = at.replace(second=0, microsecond=0)
    seconds = 60 - at.second
    same = Q(minute=minute)
    below = ApiKey.objects.filter(pk=key.pk).filter(~same | Q(minute=None) | Q(requests_in_minute__lt=F("requests_per_minute")))
    taken = below.update(
        requests_in_minute=Case(When(same, then=F("requests_in_minute") + 1), default=Value(1)),
        last_used_at=Case(When(same, then=F("last_used_at")), default=Value(at)),
        last_used_address=Case(When(same, then=F("last_used_address")), default=Value(address)),
        minute=minute,
    )
    if not taken:
        raise TooManyRequests(seconds)
    before = key.requests_in_minute if key.minute == minute else 0
    return Rate(key.requests_per_minute, max(0, key.requests_per_minute - before - 1), seconds)


LONGEST_LIFE = timedelta(days=731)
"""Two years."""
