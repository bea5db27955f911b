"""What goes wrong before an endpoint is found, or beside it: a host name that is not ours, an error of a middleware. Below /api/v1/ these
answers are problems too; everywhere else they are Django's own pages."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views import defaults
from rest_framework.renderers import JSONRenderer

from console.rest import problems

ROOT = "/api/v1"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if not is_ours(request):
        return defaults.bad_request(request, exception)
    return _told(problems.problem(400, "bad_request", _("The request is malformed, or names a host that is not served here.")))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _told(problems.answer(exception, {})) if is_ours(request) else defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _told(problems.answer(exception, {})) if is_ours(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Django has logged it."""
    return _told(problems.internal()) if is_ours(request) else defaults.server_error(request)


def is_ours(request: HttpRequest) -> bool:
    return request.path_info == ROOT or request.path_info.startswith(f"{ROOT}/")


def _told(problem: Any) -> HttpResponse:
    answer = HttpResponse(JSONRenderer().render(problem.data), status=problem.status_code, content_type=problems.CONTENT_TYPE)
    answer["Cache-Control"] = "no-store"
    return answer
