"""The doors that devices knock on: raw bytes in, the scheme's exact bytes out, and no header that is not needed.

The vendors' C clients scan for `Content-Length: ` in exactly this letter case, cannot read chunks, give up at header lines of 127
characters, and at headers of 1,000 bytes in all. console/doors.py answers these paths before any middleware.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import HttpHeaders
from django.utils import timezone

from console.shared.addresses import client_address
from products.services.data_centers import without_port
from registration.protocols.base import MAX_BODY_BYTES, RegistrationProtocol, Request
from registration.services.enrolment import register
from registration.services.schemes import schemes

BODY_SECONDS: Final = 5.0
"""How long a thread waits for the next bytes of a body; Alibaba's C clients wait no longer for an answer either."""

Door = Callable[[HttpRequest], HttpResponse]


def door(name: str) -> Door:
    """The view of the scheme of this name. POST alone."""

    def view(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return not_allowed()
        return answer(schemes()[name], request)

    view.csrf_exempt = True  # type: ignore[attr-defined]
    return view


def not_allowed() -> HttpResponse:
    return with_length(HttpResponse(b"", status=405, headers={"Allow": "POST"}, content_type="text/plain"))


def answer(protocol: RegistrationProtocol, request: HttpRequest) -> HttpResponse:
    """Carries a request to the service and its reply back, byte for byte."""
    now = timezone.now()
    peer = client_address(request.META, settings.NAMEPLATE_TRUSTED_PROXIES)
    reply = register(protocol=protocol, request=_value(request), peer_address=peer, at=now)
    return with_length(HttpResponse(reply.body, status=reply.status, content_type=reply.content_type))


def with_length(response: HttpResponse) -> HttpResponse:
    response["Content-Length"] = str(len(response.content))
    return response


def _value(request: HttpRequest) -> Request:
    meta = request.META
    return Request("POST", request.path_info, without_port(meta.get("HTTP_HOST", "")), Headers(meta), raw_body(request))


class Headers(Mapping[str, str]):
    """The headers of a request by lower-case name, found when a scheme asks for one: most ask for none."""

    __slots__ = ("_meta",)

    def __init__(self, meta: Mapping[str, Any]) -> None:
        self._meta = meta

    def __getitem__(self, name: str) -> str:
        key = name.upper().replace("-", "_")
        return str(self._meta[key if key in HttpHeaders.UNPREFIXED_HEADERS else f"HTTP_{key}"])

    def __iter__(self) -> Iterator[str]:
        return iter({name.lower() for name in HttpHeaders(dict(self._meta))})

    def __len__(self) -> int:
        return len(list(iter(self)))


def raw_body(request: HttpRequest, limit: int = MAX_BODY_BYTES) -> bytes:
    """What was sent, up to one byte more than `limit`; empty when it did not come in time.

    Django takes a body without Content-Length for empty, so one in chunks is read from the server itself.
    """
    environ: dict[str, Any] = getattr(request, "environ", {})
    stream = environ["wsgi.input"] if environ.get("wsgi.input_terminated") else request
    try:
        if _is_here(environ, stream):
            return bytes(stream.read(limit + 1))
        with _patience(environ.get("gunicorn.socket")):
            return bytes(stream.read(limit + 1))
    except Exception:  # Whatever the server raises for a body that breaks off or is no body: a stranger's fault, not worth a line.
        return b""


def _is_here(environ: Mapping[str, Any], stream: Any) -> bool:
    """Whether the whole body came with the head, as nearly all do: as far as gunicorn lets us see it. Then nothing is asked of the socket,
    for which other threads would take their turn."""
    try:
        return int(environ["CONTENT_LENGTH"]) <= len(stream.reader.unreader.buf.getbuffer())
    except (AttributeError, KeyError, ValueError):
        return False


@contextmanager
def _patience(socket: Any) -> Any:
    """A device that stops in the middle of its body holds a thread for a moment only."""
    if socket is None:
        yield
        return
    before = socket.gettimeout()
    socket.settimeout(BODY_SECONDS)
    try:
        yield
    finally:
        socket.settimeout(before)
