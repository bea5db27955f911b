"""Registrations at a fixed rate while a great batch is made in a worker, against the same rate while nothing else happens."""

import random
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

from bench import doors, figures, floors, stage, storing, worker
from bench.figures import Figure
from console.shared.jobs import JobState
from devices.models import Batch
from products.models import Product
from registration.protocols.base import Credentials, RegistrationProtocol
from registration.protocols.registry import every_protocol
from tests import processes

RATE = 100
"""Registrations a second, a moderate load."""

SECONDS = 6
CONNECTIONS = 8
PATIENCE = 30.0


def registrations_during(devices: int, rounds: int, folder: Path) -> list[Figure]:
    """p99 of first registrations while a batch of `devices` is made, and without one, in turns."""
    fleet, line = (stage.product(name, wire="alibaba", kind="free") for name in ("Registering", "In the making"))
    server = processes.start_server(folder)
    took: list[tuple[float, float]] = []
    try:
        for number in range(-1, rounds):
            storing.start_afresh(line)
            alone = _at_a_rate(server.port, _requests(fleet, f"alone-{number}"))
            during = _during(server.port, _requests(fleet, f"during-{number}"), line, devices)
            if number >= 0:  # The first time is for the server to warm up.
                took.append((during, alone))
    finally:
        server.stop()
    floors.empty_the_list()
    work = f"p99 of {RATE} registrations a second during a batch of {devices:,}"
    return [figures.of_times(work, "the same without a batch", took, aim="≤ 2")]


def _requests(fleet: Product, name: str) -> list[bytes]:
    """As many new names as are due in `SECONDS`."""
    (protocol,) = (one for one in every_protocol() if one.name == "alibaba")
    names = doors.imported(fleet, [f"{name}-{at:06d}" for at in range(RATE * SECONDS)])
    secret = stage.product_secret(fleet)
    return [_composed(protocol, Credentials(fleet.key, secret, name)) for name in names]


def _composed(protocol: RegistrationProtocol, credentials: Credentials) -> bytes:
    made = protocol.compose(credentials, host=doors.HOST, at=datetime.now(UTC), nonce=random.getrandbits(31))
    head = [f"{made.method} {made.path} HTTP/1.1", f"Host: {doors.HOST}", *(f"{name}: {value}" for name, value in made.headers.items())]
    return "\r\n".join([*head, f"Content-Length: {len(made.body)}", "", ""]).encode() + made.body


def _during(port: int, requests: Sequence[bytes], line: Product, devices: int) -> float:
    """From the batch's first row to its last, or until all requests were sent."""
    stage.checkpoint()
    batch, _seconds = storing.request(line, devices)
    with ThreadPoolExecutor(1) as other:
        making = other.submit(worker.measure, "devices.fill_batch", batch.pk)
        while not making.done() and not Batch.objects.filter(pk=batch.pk, state=JobState.RUNNING).exists():
            time.sleep(0.01)
        p99 = _at_a_rate(port, requests, until=making.done)
        making.result()
    storing.expect(batch, devices)
    return p99


def _at_a_rate(port: int, requests: Sequence[bytes], until: Callable[[], bool] = lambda: False) -> float:
    """p99 in seconds, each from the moment at which the request was due: one that found its connection busy has waited for it."""
    began = time.perf_counter() + 0.1
    with ThreadPoolExecutor(CONNECTIONS) as clients:
        shares = [
            clients.submit(_client, port, [(began + at / RATE, requests[at]) for at in range(first, len(requests), CONNECTIONS)], until)
            for first in range(CONNECTIONS)
        ]
        times = [seconds for share in shares for seconds in share.result()]
    return quantiles(times, n=100, method="inclusive")[98]


def _client(port: int, requests: Sequence[tuple[float, bytes]], until: Callable[[], bool]) -> list[float]:
    """`requests`: when each is due, and its bytes. Raises RuntimeError at a refusal."""
    times = []
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for due, request in requests:
            time.sleep(max(0.0, due - time.perf_counter()))
            if until():
                break
            connection.sendall(request)
            answer = _answer(connection)
            times.append(time.perf_counter() - due)
            if b'"deviceSecret"' not in answer:
                raise RuntimeError(f"A registration was refused: {answer!r}")
    return times


def _answer(connection: socket.socket) -> bytes:
    got, length = b"", -1
    while length < 0 or len(got) < length:
        piece = connection.recv(65536)
        if not piece:
            raise RuntimeError("The server closed a connection.")
        got += piece
        head, end, _body = got.partition(b"\r\n\r\n")
        if end:
            length = len(head) + 4 + int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
    return got
