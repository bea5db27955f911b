"""Device doors answer before everything else, because real firmware breaks on what a web page needs.

A path found in console/door_urls.py goes straight to its view: no session, no CSRF, no redirect, no host check
(a device calls whatever name its firmware knows, and the host decides the data center), and no header but those of the view.
"""

import threading
import time
from collections.abc import Callable

from django.db import connections
from django.http import HttpRequest, HttpResponseBase
from django.http.response import HttpResponse
from django.urls import Resolver404, get_resolver

from console.shared import metrics, request_ids

DOORS = "console.door_urls"
YOUNG_SECONDS = 5.0

_last = threading.local()


class DeviceDoors:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.resolver = get_resolver(DOORS)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_ids.begin()
        try:
            return self._answer(request)
        finally:
            request_ids.end()

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        try:
            match = self.resolver.resolve(request.path_info)
        except Resolver404:
            return self.get_response(request)
        began = time.perf_counter()
        request.resolver_match = match
        _trust_young_connections()
        response = _with_length(match.func(request, *match.args, **match.kwargs))
        metrics.DOOR_SECONDS.labels(match.url_name, response.status_code).observe(time.perf_counter() - began)
        return response


def _trust_young_connections() -> None:
    """A database connection that this thread used a moment ago is not asked first whether it is still there: that question is a round
    trip of its own, and a door's work is one or two. Where the database has gone meanwhile, one answer of each thread is "unavailable".
    """
    now = time.monotonic()
    if now - getattr(_last, "used", 0.0) < YOUNG_SECONDS:
        for connection in connections.all(initialized_only=True):
            connection.health_check_done = True  # type: ignore[attr-defined]
    _last.used = now


def _with_length(response: HttpResponseBase) -> HttpResponseBase:
    """Rendered, and with its length: without one the server would send chunks, which the vendors' C clients cannot read."""
    if hasattr(response, "render"):
        response = response.render()
    if isinstance(response, HttpResponse) and "Content-Length" not in response:
        response["Content-Length"] = str(len(response.content))
    return response
