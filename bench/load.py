"""A load client: several processes, each with several connections that are kept open, so that the client is never the bottleneck.

Requests are bytes that were made before the clock starts; an answer is read to its Content-Length and kept.
"""

import multiprocessing
import selectors
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from statistics import quantiles

PROCESSES = 2
CONNECTIONS = 4
"""For each process: as many together as the web server has threads."""

PATIENCE = 30.0

Answer = tuple[int, bytes]
Told = tuple[float, float, list[float], list[Answer]]


@dataclass(frozen=True, slots=True)
class Load:
    """`rate`: answers a second, all connections together. `p50` and `p99` in milliseconds. `answers`: (status, body) of each."""

    rate: float
    p50: float
    p99: float
    answers: list[Answer]


def run(port: int, requests: Sequence[bytes], *, rate: float = 0.0) -> Load:
    """Every request once, dealt to the connections in turn. Raises RuntimeError when the server leaves one open.

    `rate`: so many requests a second, whether the server keeps up or not: an answer's time begins when its request was due. 0 is as fast as
    the server answers.
    """
    context = multiprocessing.get_context("fork")
    together = context.Barrier(PROCESSES)
    ends: list[Connection] = []
    for number in range(PROCESSES):
        ours, theirs = context.Pipe(duplex=False)
        context.Process(target=_client, args=(port, requests[number::PROCESSES], rate / PROCESSES, together, theirs), daemon=True).start()
        theirs.close()
        ends.append(ours)
    told = [_told(one) for one in ends]
    times = sorted(seconds for one in told for seconds in one[2])
    answers = [answer for one in told for answer in one[3]]
    if len(answers) != len(requests):
        raise RuntimeError(f"Only {len(answers)} of {len(requests)} requests were answered.")
    cuts = quantiles(times, n=100, method="inclusive")
    elapsed = max(one[1] for one in told) - min(one[0] for one in told)
    return Load(len(answers) / elapsed, cuts[49] * 1000, cuts[98] * 1000, answers)


def _told(end: Connection) -> Told:
    try:
        told: Told = end.recv()
        return told
    except EOFError:
        raise RuntimeError("A load client broke off.") from None


class _Line:
    """One connection: at any time one request is on its way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self.got = b""

    def send(self, request: bytes, due: float) -> None:
        self.got, self.sent_at = b"", due or time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> Answer | None:
        """The answer once it is whole. Raises ConnectionError."""
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("The server closed a connection.")
        self.got += piece
        head, end, body = self.got.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return None
        return int(head[9:12]), body


def _length(head: bytes) -> int:
    return int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])


def _client(port: int, requests: Sequence[bytes], rate: float, together: Barrier, end: Connection) -> None:
    waiting, times, answers = deque(enumerate(requests)), list[float](), list[Answer]()
    with selectors.DefaultSelector() as selector:
        lines = [_Line(port) for _ in range(CONNECTIONS)]
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
        free = deque(lines)
        together.wait(PATIENCE)
        started = time.perf_counter()
        while len(answers) < len(requests):
            pause = _send_what_is_due(waiting, free, started, rate)
            for key, _events in selector.select(pause):
                answer = key.data.receive()
                if answer is not None:
                    times.append(time.perf_counter() - key.data.sent_at)
                    answers.append(answer)
                    free.append(key.data)
        end.send((started, time.perf_counter(), times, answers))


def _send_what_is_due(waiting: deque[tuple[int, bytes]], free: deque[_Line], started: float, rate: float) -> float:
    """How many seconds there is nothing to send."""
    while waiting and free:
        due = started + waiting[0][0] / rate if rate else 0.0
        ahead = due - time.perf_counter()
        if ahead > 0:
            return ahead
        free.popleft().send(waiting.popleft()[1], due)
    return PATIENCE
