"""Device doors answer before everything else, because real firmware breaks on what a web page needs.

A path of console/door_urls.py goes straight to its view: no session, no CSRF, no redirect, no host check (a device calls whatever name its
firmware knows, and the host decides the data center), and no header but those of the view. A POST to the exact path of a device or a
broker does not even reach Django's handler: `Doors` is the server's application. Whatever else there is comes to the same views by
`DeviceDoors`, the first middleware.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponseBase
from django.http.response import HttpResponse
from django.urls import Resolver404, get_resolver

from console.shared import living_connections, metrics, request_ids

DOORS = "console.door_urls"

View = Callable[..., HttpResponseBase]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

log = logging.getLogger(__name__)


class Doors:
    """A WSGI application in front of Django's. `views`: each with its name, by exact path, or by a beginning that ends in a slash, whose
    view is given the rest of the path."""

    def __init__(self, django: Application, views: Mapping[str, tuple[str, View]]) -> None:
        self.django = django
        self.views = views

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        beginning = path[: path.find("/", 1) + 1]
        name, view = self.views.get(path) or self.views.get(beginning) or ("", None)
        if view is None or environ["REQUEST_METHOD"] != "POST" or environ.get("SCRIPT_NAME") or not path.isascii():
            return self.django(environ, start_response)
        request_ids.begin()
        try:
            rest = () if path in self.views else (path[len(beginning) :],)
            response = _answered(name, view, WSGIRequest(environ), *rest)
        except Exception:
            log.exception("A door failed: %s", name)
            response = _with_length(HttpResponse(b"", status=500, content_type="text/plain"))
        finally:
            request_ids.end()
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return (response.content,)


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
        request.resolver_match = match
        return _answered(match.url_name or "", match.func, request, *match.args, **match.kwargs)


def _answered(name: str, view: View, request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
    began = time.perf_counter()
    living_connections.look_after()
    response: HttpResponse = _with_length(view(request, *args, **kwargs))
    metrics.DOOR_SECONDS.labels(name, response.status_code).observe(time.perf_counter() - began)
    return response


def _with_length(response: HttpResponseBase) -> Any:
    """Rendered, and with its length: without one the server would send chunks, which the vendors' C clients cannot read."""
    if hasattr(response, "render"):
        response = response.render()
    if isinstance(response, HttpResponse) and "Content-Length" not in response:
        response["Content-Length"] = str(len(response.content))
    return response
