"""Every request of somebody signed in: is the session still theirs, and has everybody the second factor that the settings ask for?"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from console.people import sign_ins

SECOND_FACTOR = "second_factor"
"""In the session: the person has passed, or has just set up, a second factor."""
OPEN = {"login", "login_code", "logout", "account_authenticator", "account_authenticator_codes", "confirm", "set_language", "jsi18n"}
"""Names of the pages for somebody who has to set up a second factor first."""
REMEMBERED = 10_000

_seen: OrderedDict[str, datetime] = OrderedDict()
"""Session keys that this process wrote down within the last minute, so that most requests ask the database nothing."""


class SessionGuard:
    """Behind Django's own middleware of sessions and of authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        key = request.session.session_key
        if key and SESSION_KEY in request.session and not _goes_on(request, key):
            sign_ins.close(key, at=timezone.now())
            request.session.flush()
            request.user = AnonymousUser()
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, arguments: Any, named: Any) -> HttpResponseBase | None:
        """Where the second factor is required, nothing else works before it is set up."""
        match = request.resolver_match
        if settings.NAMEPLATE_SECOND_FACTOR != "required" or (match and match.url_name in OPEN) or SESSION_KEY not in request.session:
            return None
        return None if request.session.get(SECOND_FACTOR) else HttpResponseRedirect(reverse("admin:account_authenticator"))


def _goes_on(request: HttpRequest, key: str) -> bool:
    """Django says who it is: nobody, if the person was disabled or the password is another one since. We say whether it lasts."""
    return request.user.is_authenticated and _is_fresh(key, timezone.now())


def _is_fresh(key: str, at: datetime) -> bool:
    last = _seen.get(key)
    if last is not None and at - last < sign_ins.SEEN_EVERY:
        return True
    if not sign_ins.saw(key, at=at):
        return False
    _seen[key] = at
    while len(_seen) > REMEMBERED:
        _seen.popitem(last=False)
    return True
