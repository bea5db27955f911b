"""How often somebody may try to prove who they are: django-axes counts, the limits are ours.

Two limits hold at once, each over a quarter of an hour: few wrong tries for a name from one address, so that nobody locks a name for
everybody; more for an address whatever the names, so that names are not tried through. The second one does not hold for a person who
signed in from that address before: behind one address, nobody locks the others out.
"""

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from console import audit
from console.errors import Forbidden
from console.models import SignIn
from console.shared.actors import Actor
from console.shared.addresses import client_address
from console.words import Sentence, say

ADDRESS_LIMIT = 50
KNOWN = timedelta(days=30)


class TooManyTries(Forbidden):
    """`until`: when the next try counts."""

    code = "too_many_tries"

    def __init__(self, until: datetime, at: datetime) -> None:
        self.until = until
        super().__init__(_wait(until - at))


def _wait(left: timedelta) -> Sentence:
    seconds = max(1, -(-int(left.total_seconds() * 1000) // 1000))
    if seconds < 60:
        return say("Too many wrong tries. Wait {seconds} s, then try again.", seconds=seconds)
    return say("Too many wrong tries. Wait {minutes} min, then try again.", minutes=-(-seconds // 60))


class Counter(AxesDatabaseHandler):  # type: ignore[misc]  # axes is untyped
    """The counter of axes: it writes the tries down; whether they are too many is said by both limits."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """As many as the limit of a name once either limit is reached, otherwise none."""
        name = str((credentials or {}).get("username") or "")
        return int(settings.AXES_FAILURE_LIMIT) if locked_until(name, place_of(request), timezone.now()) else 0


def place_of(request: HttpRequest) -> str:
    """The address that tries are counted for. An IPv6 client has a whole /64 to come from, which counts as one."""
    return _place(client_address(request.META, settings.NAMEPLATE_TRUSTED_PROXIES))


def _place(address: str) -> str:
    parsed = ip_address(address or "0.0.0.0")  # noqa: S104  (who comes without an address counts as one place)
    return str(ip_network(f"{parsed}/64", strict=False).network_address) if isinstance(parsed, IPv6Address) else str(parsed)


def locked_until(name: str, place: str, at: datetime) -> datetime | None:
    """When this name may be tried again from this place; None: now."""
    tries = AccessAttempt.objects.filter(ip_address=place, attempt_time__gt=at - settings.AXES_COOLOFF_TIME)
    until = _reached(tries.filter(username=name), settings.AXES_FAILURE_LIMIT)
    if until is None and (until := _reached(tries, ADDRESS_LIMIT)) and _signs_in_here(name, place, at):
        return None
    return until


def _reached(tries: QuerySet[Any], limit: int) -> datetime | None:
    """When so many of them are forgotten that the limit is not reached any more."""
    total = 0
    for last, failures in tries.order_by("-attempt_time").values_list("attempt_time", "failures_since_start"):
        total += failures
        if total >= limit:
            until: datetime = last + settings.AXES_COOLOFF_TIME
            return until
    return None


def _signs_in_here(name: str, place: str, at: datetime) -> bool:
    recent = SignIn.objects.filter(user__username=name, started_at__gt=at - KNOWN)
    return any(_place(address) == place for address in recent.order_by().values_list("address", flat=True).distinct())


def refuse_locked(request: HttpRequest, name: str, *, at: datetime) -> None:
    """Before any work is done for a try. Raises TooManyTries."""
    until = locked_until(name, place_of(request), at)
    if until is not None:
        raise TooManyTries(until, at)


def count(request: HttpRequest, name: str) -> None:
    """A wrong try that Django's authenticate() did not see: a code, a person who may not come here."""
    AxesProxyHandler.user_login_failed(sender=__name__, credentials={"username": name}, request=request)


def refuse_last(request: HttpRequest, name: str, user: Any, *, by: Actor, at: datetime) -> None:
    """After a wrong try was counted: if it was the last one, the audit hears of it once, and TooManyTries is raised.

    `user`: the person tried for, or None. A name that nobody has is not written down: it may be a password in the wrong field.
    """
    until = locked_until(name, place_of(request), at)
    if until is not None:
        facts = {"tries": settings.AXES_FAILURE_LIMIT, "until": until.isoformat(timespec="seconds")}
        audit.record("account.lock_out", user or by.address, by=by, at=at, after=facts)
        raise TooManyTries(until, max(at, until - settings.AXES_COOLOFF_TIME))  # The try was written down a moment after `at`.


def forgive(request: HttpRequest, name: str) -> None:
    """The person has proved who they are: their own wrong tries from here are forgotten."""
    AxesProxyHandler.update_request(request)
    AxesProxyHandler.get_implementation().reset_user_attempts(request, {"username": name})
