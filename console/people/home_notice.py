"""Who can change everything with a password alone is asked, on the home page, to set up a second factor."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from console.people import second_factor
from console.shared.panels import panel


@panel("console.home.notice")
def without_second_factor(request: HttpRequest, target: Any) -> SafeString | str:
    if settings.NAMEPLATE_SECOND_FACTOR == "off" or not request.user.has_perm("auth.change_user") or second_factor.of(request.user):
        return ""
    return render_to_string("people/home_notice.html", request=request)
