"""Where a person is signed in, on their page."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from console.people import sign_ins
from console.people.session_store import stored
from console.shared.panels import panel


@panel("auth.user")
def sessions(request: HttpRequest, target: Any) -> SafeString | str:
    context = {"sessions": sign_ins.of(target, at=timezone.now()), "this_session": stored(request.session.session_key or "")}
    return render_to_string("people/session_panel.html", context, request=request)
