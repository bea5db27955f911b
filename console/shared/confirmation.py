"""Is it still the person who signed in? What reads secrets asks for the password or the second factor again after ten minutes."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseRedirect
from django.urls import reverse

FRESH = timedelta(minutes=10)
KEY = "confirmed_at"


def note(session: Any, at: datetime) -> None:
    """The person has just proved who they are: at sign-in, or on the page that asks again."""
    session[KEY] = at.timestamp()


def is_fresh(request: Any, at: datetime) -> bool:
    proved = request.session.get(KEY)
    return isinstance(proved, (int, float)) and 0 <= at.timestamp() - proved < FRESH.total_seconds()


def ask(next_url: str) -> HttpResponseRedirect:
    """To the page that asks, which leads to `next_url` afterwards."""
    return HttpResponseRedirect(f"{reverse('admin:confirm')}?{urlencode({'next': next_url})}")
