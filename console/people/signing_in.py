"""Signing in, step by step, and proving again that it is still the same person."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, authenticate, get_user_model, login
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from console.errors import Forbidden
from console.people import second_factor, sign_ins, throttling
from console.people.session_guard import SECOND_FACTOR
from console.shared import confirmation
from console.shared.actors import actor_of

BACKEND = "django.contrib.auth.backends.ModelBackend"
HALF = "half_signed_in"
HALF_SECONDS = 300
"""How long the second step may take."""


class WrongPassword(Forbidden):
    """One sentence for a name that nobody has, a wrong password, and a person who may not come here."""

    code = "wrong_password"
    default_message = "Please enter the correct username and password. Both distinguish small and capital letters."


@dataclass(frozen=True, slots=True)
class Half:
    """Somebody who has shown the password and not yet the second factor."""

    user: Any


def check_password(request: HttpRequest, name: str, password: str, *, at: datetime) -> Any:
    """The person. The work is the same for a name that nobody has. Raises WrongPassword or TooManyTries."""
    throttling.refuse_locked(request, name, at=at)
    user: Any = authenticate(request, username=name, password=password)
    if user is not None and user.is_staff:
        return user
    if user is not None:
        throttling.count(request, name)
    known = get_user_model()._default_manager.filter(username=name).first()
    throttling.refuse_last(request, name, known, by=actor_of(request), at=at)
    raise WrongPassword


def check_code(request: HttpRequest, user: Any, code: str, *, at: datetime) -> str:
    """With what it was proved. Raises WrongFactor or TooManyTries; a wrong code counts like a wrong password."""
    name = user.get_username()
    throttling.refuse_locked(request, name, at=at)
    try:
        return second_factor.check(user, code)
    except second_factor.WrongFactor:
        throttling.count(request, name)
        throttling.refuse_last(request, name, user, by=actor_of(request), at=at)
        raise


def remember_half(request: HttpRequest, user: Any, *, at: datetime) -> None:
    """Between the steps: nobody is signed in."""
    leave(request, at=at)
    request.session[HALF] = {"user": user.pk, "hash": user.get_session_auth_hash(), "at": at.timestamp()}


def half_of(request: HttpRequest, *, at: datetime) -> Half | None:
    """Who is between the steps; None if it took too long, or the person was disabled or got another password meanwhile."""
    kept = request.session.get(HALF)
    if not kept or at.timestamp() - kept["at"] > HALF_SECONDS:
        return None
    user: Any = get_user_model()._default_manager.filter(pk=kept["user"], is_active=True, is_staff=True).first()
    same = user is not None and constant_time_compare(user.get_session_auth_hash(), kept["hash"])
    return Half(user) if same else None


@transaction.atomic
def complete(request: HttpRequest, user: Any, *, factor: str, at: datetime) -> None:
    """Signed in, in a session with a new key, for twelve hours at most."""
    leave(request, at=at)
    request.session.pop(HALF, None)
    login(request, user, backend=BACKEND)
    request.session[SECOND_FACTOR] = factor != second_factor.PASSWORD
    request.session.set_expiry(at + timedelta(seconds=settings.SESSION_COOKIE_AGE))
    confirmation.note(request.session, at)
    agent = request.META.get("HTTP_USER_AGENT", "")
    sign_ins.begin(_key(request), user, user_agent=agent, factor=factor, by=actor_of(request), at=at)


def confirm(request: HttpRequest, secret: str, *, at: datetime) -> None:
    """Still the same person: the code where they have an app, else the password. Raises WrongFactor, WrongPassword or TooManyTries."""
    user: Any = request.user
    if second_factor.of(user) is not None:
        check_code(request, user, secret, at=at)
    else:
        check_password(request, user.get_username(), secret, at=at)
    throttling.forgive(request, user.get_username())
    confirmation.note(request.session, at)


def leave(request: HttpRequest, *, at: datetime) -> None:
    """Ends the session of this browser, if it has one."""
    if SESSION_KEY in request.session:
        sign_ins.sign_out(_key(request), request.user, by=actor_of(request), at=at)
        request.session.flush()


def _key(request: HttpRequest) -> str:
    return str(request.session.session_key)
