"""Where people are signed in: begun, seen, ended."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q

from console import audit
from console.errors import NotFound
from console.models import SignIn
from console.people import browsers
from console.people.session_store import SessionStore, stored
from console.shared.actors import Actor

SEEN_EVERY = timedelta(minutes=1)
KEPT = timedelta(days=30)


@transaction.atomic
def begin(session_key: str, user: Any, *, user_agent: str, factor: str, by: Actor, at: datetime) -> SignIn:
    """`session_key`: what the browser holds. `factor`: how the person proved who they are, "password", "app" or "recovery code"."""
    sign_in = SignIn.objects.create(
        user=user,
        session=stored(session_key),
        started_at=at,
        seen_at=at,
        address=by.address,
        browser=str(browsers.in_words(user_agent))[:64],
        second_factor=factor != "password",
    )
    audit.record("account.sign_in", user, by=by, at=at, after={"with": factor, "browser": sign_in.browser})
    return sign_in


def of(user: Any, *, at: datetime) -> list[SignIn]:
    """Those that are open, the latest first."""
    return list(SignIn.objects.open(at).filter(user=user).order_by("-id"))


def saw(session_key: str, *, at: datetime) -> bool:
    """Writes down that the session was used; False if it is over (idle too long, or ended). A session without a row is nobody's matter."""
    rows = SignIn.objects.filter(session=stored(session_key))
    if rows.open(at).filter(seen_at__gt=at - SEEN_EVERY).exists() or rows.open(at).update(seen_at=at):
        return True
    return not rows.exists()


@transaction.atomic
def sign_out(session_key: str, user: Any, *, by: Actor, at: datetime) -> None:
    """The person leaves by themselves."""
    SignIn.objects.of_session(stored(session_key)).update(ended_at=at)
    audit.record("account.sign_out", user, by=by, at=at)


def close(session_key: str, *, at: datetime) -> None:
    """The session was found to be over: timed out, its person disabled, their password changed."""
    SignIn.objects.of_session(stored(session_key)).update(ended_at=at)


@transaction.atomic
def end(user: Any, pk: int, *, by: Actor, at: datetime) -> None:
    """One session of a person, out at its next request. Raises NotFound."""
    if not _end(SignIn.objects.filter(user=user, pk=pk), user, by=by, at=at):
        raise NotFound("This session is over already.")


@transaction.atomic
def end_all(user: Any, *, by: Actor, at: datetime, but: str = "") -> int:
    """All sessions of a person; `but`: the session key of one that stays. Returns how many."""
    return _end(SignIn.objects.filter(user=user).exclude(session=stored(but)), user, by=by, at=at)


def _end(rows: Any, user: Any, *, by: Actor, at: datetime) -> int:
    """The session's own row goes first: without it nobody is signed in."""
    ended = list(rows.open(at).select_for_update().order_by("pk"))
    Session.objects.filter(session_key__in=[sign_in.session for sign_in in ended]).delete()
    SignIn.objects.filter(pk__in=[sign_in.pk for sign_in in ended]).update(ended_at=at)
    if ended:
        audit.record("account.end_sessions", user, by=by, at=at, before={"sessions": list(_facts(ended))}, count=len(ended))
    return len(ended)


def _facts(ended: Iterable[SignIn]) -> Iterable[str]:
    return (str(sign_in) for sign_in in list(ended)[:20])


def purge(*, at: datetime) -> int:
    """Deletes the rows of sessions that began long ago, and what is stored of sessions that are over; returns how many rows."""
    SessionStore.clear_expired()
    over = Q(ended_at=None, seen_at__lt=at - timedelta(minutes=settings.NAMEPLATE_SESSION_IDLE_MINUTES))
    SignIn.objects.filter(over).update(ended_at=at)
    return SignIn.objects.older_than(at - KEPT).delete()[0]
