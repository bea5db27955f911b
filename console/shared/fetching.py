"""One request to somebody else's HTTP server, with limits on time and size, and no surprises: no redirect is followed, no proxy of the
environment is used, and the certificate of an https server is always checked.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from console.errors import Invalid, Unavailable
from console.words import Sentence, say

READ_AT_ONCE: Final = 64 * 1024
SCHEMES: Final = ("http", "https")


class NotFetched(Unavailable):
    """Nobody answered, not in time, or with more than is taken."""

    code = "not_fetched"
    default_message = "The other server does not answer."


@dataclass(frozen=True, slots=True)
class Limits:
    """`connect`, `whole`: seconds to be connected, and until the last byte. `most`: bytes of the answer's body."""

    connect: float = 5.0
    whole: float = 20.0
    most: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer of any status. `headers` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def check_url(url: str, field_name: str, schemes: tuple[str, ...] = SCHEMES) -> str:
    """`url` without blanks around it, if it has one of the schemes, a host, no user name and no fragment. Raises Invalid."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        plain = parts.scheme in schemes and parts.hostname and (parts.port or 1) > 0 and not parts.username and not parts.fragment
    except ValueError:
        plain = False
    if not plain or not url.isascii() or not url.isprintable() or " " in url:
        beginnings = " / ".join(f"{scheme}://" for scheme in schemes)
        raise Invalid(say("This is not a URL that begins with {beginnings}.", beginnings=beginnings), field=field_name)
    return url


def fetch(
    url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b"", limits: Limits, trust: str = ""
) -> Fetched:
    """`trust`: PEM certificates that alone vouch for an https server; the system's where it is empty. Raises NotFetched, whose text
    names the host and never the path, the headers or the body."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    place, path = f"{parts.hostname}:{port}", (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = None
    end = time.monotonic() + limits.whole
    try:
        connection = _connection(parts.scheme, parts.hostname or "", port, limits.connect, trust)
        connection.connect()
        with _ending(connection.sock, end):
            connection.request(method, path, body=body or None, headers=dict(headers or {}))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Fetched(response.status, found, _read(response, end, limits.most))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotFetched(_silence(TimeoutError() if time.monotonic() >= end else error, place)) from error
    finally:
        if connection is not None:
            connection.close()


def _connection(scheme: str, host: str, port: int, seconds: float, trust: str) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context(cadata=trust or None)
        return http.client.HTTPSConnection(host, port, timeout=seconds, context=context)
    return http.client.HTTPConnection(host, port, timeout=seconds)


@contextmanager
def _ending(connected: socket.socket, end: float) -> Iterator[None]:
    """A socket's own timeout begins anew with each byte: a server that sends one now and then would hold us for ever."""
    left = max(0.1, end - time.monotonic())
    connected.settimeout(left)
    watch = threading.Timer(left, _end, [connected])
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _end(connected: socket.socket) -> None:
    with suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)  # Below TLS, whose own state belongs to the thread that reads.


def _read(response: http.client.HTTPResponse, end: float, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := response.read1(READ_AT_ONCE):
        parts.append(part)
        size += len(part)
        if size > most:
            raise _TooMuch(most)
    if time.monotonic() >= end:
        raise TimeoutError
    return b"".join(parts)


class _TooMuch(ValueError):
    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__(most)


def _silence(error: Exception, place: str) -> Sentence:
    if isinstance(error, _TooMuch):
        return say("The answer of {place} is larger than {most:,} bytes.", place=place, most=error.most)
    if isinstance(error, TimeoutError):
        return say("{place} did not answer in time.", place=place)
    if isinstance(error, ssl.SSLCertVerificationError):
        return say("The TLS certificate of {place} is not trusted: {reason}.", place=place, reason=error.verify_message)
    if isinstance(error, OSError) and error.strerror:
        return say("{place} does not answer ({reason}).", place=place, reason=error.strerror.lower())
    return say("{place} gave no answer that HTTP knows ({reason}).", place=place, reason=type(error).__name__)
