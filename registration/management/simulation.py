"""Devices that are none: they knock at a running server by any scheme, and what comes back is counted (N5)."""

import csv
import http.client
import random
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from statistics import quantiles
from typing import Protocol as Interface
from typing import Self
from urllib.parse import urlsplit

from registration.protocols.base import Answer, BadSignature, Credentials, Malformed, RegistrationProtocol, Reply, Request

TIMEOUT = 10.0
UNICAST = ~(1 << 40)
"""Unknown names are good MAC addresses, so that they are refused for being unknown and not for their form."""

FIRST, REPEAT, UNKNOWN, FORGED, CLONE = "first", "repeat", "unknown name", "bad signature", "clone"
NO_ANSWER = "no answer"
NOT_READABLE = "not readable"


@dataclass(frozen=True, slots=True)
class Knock:
    """One registration to try. `kind`: one of the five words above."""

    kind: str
    credentials: Credentials


@dataclass(frozen=True, slots=True)
class Outcome:
    """`seconds`: from the first byte sent to the last byte read."""

    kind: str
    device_name: str
    answer: Answer
    seconds: float


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report. Times in milliseconds."""

    kind: str
    code: str
    message: str
    count: int
    p50: float
    p99: float
    expected: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """How many of what. `clones`: so many of the names are tried by several devices at once, `devices` of them."""

    names: tuple[str, ...]
    repeat: int = 0
    unknown: int = 0
    bad_signatures: int = 0
    clones: int = 0
    devices: int = 2
    auto_create: bool = False
    """Whether unknown names are expected to be let in."""


class Place(Interface):
    """Where registrations are sent."""

    host: str

    def send(self, request: Request) -> Reply:
        """Raises OSError or HTTPException."""
        ...


class Server:
    """The server under test. One connection for each thread, kept open."""

    def __init__(self, url: str, *, host: str = "", insecure: bool = False) -> None:
        self.url = urlsplit(url)
        self.host = host or self.url.hostname or ""
        self.context = ssl.create_default_context() if self.url.scheme == "https" else None
        if self.context and insecure:
            self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        self.local = threading.local()
        self.opened: list[http.client.HTTPConnection] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for connection in self.opened:
            connection.close()

    def send(self, request: Request) -> Reply:
        """Raises OSError or HTTPException."""
        connection = getattr(self.local, "connection", None) or self._connect()
        try:
            connection.request(request.method, request.path, request.body, {"Host": self.host, **request.headers})
            response = connection.getresponse()
            return Reply(response.read(), response.headers.get_content_type(), response.status)
        except (OSError, http.client.HTTPException):
            connection.close()
            self.local.connection = None
            raise

    def _connect(self) -> http.client.HTTPConnection:
        netloc = self.url.hostname or ""
        if self.context:
            self.local.connection = http.client.HTTPSConnection(netloc, self.url.port, timeout=TIMEOUT, context=self.context)
        else:
            self.local.connection = http.client.HTTPConnection(netloc, self.url.port, timeout=TIMEOUT)
        connection: http.client.HTTPConnection = self.local.connection
        self.opened.append(connection)
        return connection


def names_in(text: str) -> tuple[str, ...]:
    """From a file of activation codes (its column DeviceName), or the first of each line where there is no such column."""
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines()) if row]
    heading = [cell.lower().replace(" ", "") for cell in rows[0]] if rows else []
    column = heading.index("devicename") if "devicename" in heading else 0
    return tuple(row[column] for row in rows[1 if "devicename" in heading else 0 :] if len(row) > column and row[column])


def knocks(plan: Plan, product_key: str, product_secret: str) -> Iterator[list[Knock]]:
    """Rounds: those of one round go out together, the next begins when all have answered."""
    known = [Credentials(product_key, product_secret, name) for name in plan.names]
    first = [Knock(FIRST, one) for one in known[plan.clones :]]
    yield first + [Knock(CLONE, one) for one in known[: plan.clones] for _device in range(plan.devices)]
    for _again in range(plan.repeat):
        yield [Knock(REPEAT, one) for one in known]
    stranger = random.SystemRandom()
    names = [f"{stranger.getrandbits(48) & UNICAST:012X}" for _ in range(plan.unknown)]
    yield [Knock(UNKNOWN, Credentials(product_key, product_secret, name)) for name in names]
    wrong = "".join(reversed(product_secret[1:])) + "0"
    forged = (known * (plan.bad_signatures // max(len(known), 1) + 1))[: plan.bad_signatures]
    yield [Knock(FORGED, replace(one, product_secret=wrong)) for one in forged]


def run(server: Place, protocol: RegistrationProtocol, rounds: Iterable[list[Knock]], *, concurrency: int) -> list[Outcome]:
    """Every knock of every round."""
    with ThreadPoolExecutor(concurrency) as pool:
        return [outcome for one in rounds for outcome in pool.map(lambda knock: try_once(server, protocol, knock), one)]


def try_once(server: Place, protocol: RegistrationProtocol, knock: Knock) -> Outcome:
    now = datetime.now(UTC)
    request = protocol.compose(knock.credentials, host=server.host, at=now, nonce=random.SystemRandom().getrandbits(31))
    started = time.perf_counter()
    try:
        answer = protocol.read(server.send(request), knock.credentials.product_secret)
    except Malformed as error:
        answer = Answer(NOT_READABLE, error.message)
    except (OSError, http.client.HTTPException) as error:
        answer = Answer(NO_ANSWER, type(error).__name__)
    return Outcome(knock.kind, knock.credentials.device_name, answer, time.perf_counter() - started)


def report(outcomes: list[Outcome], protocol: RegistrationProtocol, *, auto_create: bool) -> list[Row]:
    """One row for each kind and code, in the order in which they came."""
    groups: dict[tuple[str, str, str], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.kind, outcome.answer.code, outcome.answer.message), []).append(outcome)
    return [
        Row(kind, code, message, len(group), *milliseconds(group), all(_is_expected(one, protocol, auto_create) for one in group))
        for (kind, code, message), group in groups.items()
    ]


def differing_secrets(outcomes: list[Outcome]) -> int:
    """How many names were handed more than one secret."""
    handed = {(one.device_name, one.answer.device_secret) for one in outcomes if one.answer.device_secret}
    return sum(1 for count in Counter(name for name, _ in handed).values() if count > 1)


def _is_expected(outcome: Outcome, protocol: RegistrationProtocol, auto_create: bool) -> bool:
    accepted = outcome.answer.accepted
    if outcome.answer.code in (NO_ANSWER, NOT_READABLE):
        return False
    if outcome.kind == FORGED:
        return outcome.answer.code == protocol.read(protocol.refuse(BadSignature(), ""), "").code
    if outcome.kind == UNKNOWN:
        return accepted == auto_create
    return accepted or outcome.kind in (REPEAT, CLONE)


def milliseconds(group: list[Outcome]) -> tuple[float, float]:
    """p50 and p99."""
    times = sorted(outcome.seconds * 1000 for outcome in group)
    if len(times) == 1:
        return times[0], times[0]
    cuts = quantiles(times, n=100, method="inclusive")
    return cuts[49], cuts[98]
