"""Requests to a broker's HTTP interface: one connection each, no redirects, no proxies of the environment, limits on time and size."""

import http.client
import json
import ssl
import time
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

from console.words import Sentence, say
from registration.brokers.base import BrokerUnreachable

CONNECT_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 5.0
READ_SECONDS: Final = 30.0
READ_AT_ONCE: Final = 256 * 1024
MAX_ANSWER: Final = 256 * 1024 * 1024
"""Bytes; a list of a million clients has about as many."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Raises BrokerUnreachable: another program answers there."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise BrokerUnreachable("The broker's answer is not JSON.") from error


class Web:
    """An HTTP interface below `url` (http or https, a path is kept). `user` and `secret` go as Basic authentication."""

    def __init__(self, url: str, user: str, secret: str) -> None:
        parts = urlsplit(url)
        self._https = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._https else 80)
        self._path = parts.path.rstrip("/")
        self._authorization = "Basic " + b64encode(f"{user}:{secret}".encode()).decode()

    def ask(self, method: str, path: str) -> Answer:
        """`path` with its query, encoded already. Raises BrokerUnreachable; an answer of any status is an answer."""
        connection = self._connection()
        try:
            connection.connect()
            connection.sock.settimeout(ANSWER_SECONDS)
            connection.request(method, self._path + path, headers={"Authorization": self._authorization, "Accept": "application/json"})
            response = connection.getresponse()
            return Answer(response.status, _read(response))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise BrokerUnreachable(self._silence(error)) from error
        finally:
            connection.close()

    def unexpected(self, answer: Answer) -> BrokerUnreachable:
        """The error for an answer of a status that the interface's documentation does not promise."""
        words = {
            401: say("The broker at {place} answered with status 401. The user or secret is wrong.", place=self._place),
            403: say("The broker at {place} answered with status 403. The user may not do this.", place=self._place),
        }
        other = say("The broker at {place} answered with status {status}.", place=self._place, status=answer.status)
        return BrokerUnreachable(words.get(answer.status, other))

    @property
    def _place(self) -> str:
        return f"{self._host}:{self._port}"

    def _silence(self, error: Exception) -> Sentence:
        if isinstance(error, TimeoutError):
            return say("The broker does not answer at {place} (no answer in time).", place=self._place)
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else type(error).__name__
        return say("The broker does not answer at {place} ({reason}).", place=self._place, reason=reason)

    def _connection(self) -> http.client.HTTPConnection:
        if self._https:
            return http.client.HTTPSConnection(self._host, self._port, timeout=CONNECT_SECONDS, context=ssl.create_default_context())
        return http.client.HTTPConnection(self._host, self._port, timeout=CONNECT_SECONDS)


def encoded(text: str) -> str:
    """One part of a path or a value of a query: everything that has a meaning there is percent-encoded, the slash too."""
    return quote(text, safe="")


def _read(response: http.client.HTTPResponse) -> bytes:
    """The body. A socket's timeout begins anew with each byte, so the end of the whole is watched here. Raises OSError."""
    end = time.monotonic() + READ_SECONDS
    parts: list[bytes] = []
    size = 0
    while part := response.read1(READ_AT_ONCE):
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER or time.monotonic() > end:
            raise TimeoutError
    return b"".join(parts)
