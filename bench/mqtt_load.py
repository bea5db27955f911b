"""A load of CONNECT packets: several processes, each with several threads, a new connection for each packet, as devices do it."""

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import quantiles

from bench.load import PATIENCE, Load
from registration.management.mqtt_devices import MqttServer
from registration.protocols.base import Request

PROCESSES = 2
THREADS = 4

Told = tuple[float, float, list[float], list[bytes]]


def run(port: int, packets: Sequence[bytes], *, ca: Path | None = None) -> Load:
    """Every packet once. `ca`: of the listener with TLS. Raises RuntimeError when a client breaks off, OSError from within it."""
    context = multiprocessing.get_context("fork")
    together = context.Barrier(PROCESSES)
    ends: list[Connection] = []
    for number in range(PROCESSES):
        ours, theirs = context.Pipe(duplex=False)
        context.Process(target=_client, args=(port, packets[number::PROCESSES], ca, together, theirs), daemon=True).start()
        theirs.close()
        ends.append(ours)
    told = [_told(one) for one in ends]
    cuts = quantiles(sorted(seconds for one in told for seconds in one[2]), n=100, method="inclusive")
    answers = [(200, answer) for one in told for answer in one[3]]
    elapsed = max(one[1] for one in told) - min(one[0] for one in told)
    return Load(len(answers) / elapsed, cuts[49] * 1000, cuts[98] * 1000, answers)


def _told(end: Connection) -> Told:
    try:
        told: Told = end.recv()
        return told
    except EOFError:
        raise RuntimeError("A load client broke off.") from None


def _client(port: int, packets: Sequence[bytes], ca: Path | None, together: Barrier, end: Connection) -> None:
    server = MqttServer(f"{'mqtts' if ca else 'mqtt'}://localhost:{port}", ca=ca)
    server.address = ("127.0.0.1", port)

    def one(packet: bytes) -> tuple[float, bytes]:
        started = time.perf_counter()
        body = server.send(Request("CONNECT", "", "", {}, packet)).body
        return time.perf_counter() - started, body

    with ThreadPoolExecutor(THREADS) as pool:
        together.wait(PATIENCE)
        started = time.perf_counter()
        done = list(pool.map(one, packets))
        end.send((started, time.perf_counter(), [seconds for seconds, _ in done], [body for _, body in done]))
