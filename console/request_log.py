"""One line for each request of a person or a program: what was asked, by whom, how it went and how long it took.

The line names the route, not the address as it came: an address may hold what somebody typed, the route cannot.
"""

import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponseBase

from console.shared import metrics, request_ids

log = structlog.stdlib.get_logger("nameplate.request")

HEADER = "X-Request-ID"
NO_ROUTE = "(none)"


class RequestLog:
    """Behind the doors of devices, which have a log of their own, and before everything else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self.get_response(request)
        response[HEADER] = str(request_ids.current())
        if request.resolver_match is not None or response.status_code >= 400:
            _tell(request, response, time.perf_counter() - began)
        return response


def _tell(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    match = request.resolver_match
    status = response.status_code
    view = (match.view_name if match else "") or NO_ROUTE
    metrics.PAGE_SECONDS.labels(view, request.method, status).observe(seconds)
    user = getattr(request, "_cached_user", None)  # Who was not asked for is not looked up for the log.
    say = log.error if status >= 500 else log.info
    say(
        "request",
        method=request.method,
        route=match.route if match else NO_ROUTE,
        status=status,
        milliseconds=round(seconds * 1000, 1),
        user=user.pk if user is not None else None,
    )
