"""The device doors: registrations a second, first and repeated, against an empty view of the same web server."""

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench import figures, load, stage
from bench.figures import Figure
from bench.load import Load
from console.shared import keyring
from devices.models import Authentication, PreImportedDevice
from devices.models.pre_import import device_secret_owner
from devices.querysets import PreImportRow
from products.models import Product
from products.rules.wire_formats import system_random, wire_format
from registration.protocols.base import Credentials, RegistrationProtocol, Reply, Request
from registration.protocols.registry import every_protocol
from tests import processes
from tests.processes import Server

HOST = "devices.example"
FLOOR = "empty view, GET /healthz"
AIM = "≥ 0.4"
EMPTY = f"GET /healthz HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
LONGER = 4
"""So many times as many empty requests, so that both sides of a ratio meet the same weather."""


@dataclass(frozen=True, slots=True)
class Run:
    """One load, and the processor time that each answer cost the web server, in milliseconds."""

    load: Load
    cpu: float


def registrations(count: int, rounds: int, folder: Path) -> list[Figure]:
    """`count` registrations a round by each protocol on eight connections, and the same names again."""
    makers = {wire: stage.product(f"Doors {wire}", wire=wire, kind="free") for wire in ("alibaba", "tencent", "native")}
    schemes = {protocol: makers[protocol.name.partition("-")[0]] for protocol in every_protocol()}
    measured: dict[tuple[str, str], list[tuple[Run, Run]]] = {}
    server = processes.start_server(folder)
    try:
        _warm(server, schemes)
        for number in range(rounds):
            for protocol, made in schemes.items():
                names = imported(made, [f"{protocol.name}-{number}-{at:06d}" for at in range(count)])
                for kind in ("first", "repeated"):
                    floor = _run(server, [EMPTY] * count * LONGER)
                    measured.setdefault((protocol.name, kind), []).append((_register(server, protocol, made, names), floor))
    finally:
        server.stop()
    return [_figure(f"{kind} registration, {name}", pairs) for (name, kind), pairs in measured.items()]


def _figure(work: str, pairs: Sequence[tuple[Run, Run]]) -> Figure:
    rates = [(own.load.rate, base.load.rate) for own, base in pairs]
    p50, p99 = median(own.load.p50 for own, _ in pairs), median(own.load.p99 for own, _ in pairs)
    own_cpu, base_cpu = (f", {median(run.cpu for run in column):.2f} ms CPU" for column in zip(*pairs, strict=True))
    return figures.of_rates(work, FLOOR, rates, aim=AIM, remarks=(f", p50 {p50:.0f} ms, p99 {p99:.0f} ms{own_cpu}", base_cpu))


def _run(server: Server, requests: Sequence[bytes]) -> Run:
    before = _cpu_seconds(server)
    done = load.run(server.port, requests)
    return Run(done, (_cpu_seconds(server) - before) / len(requests) * 1000)


def _cpu_seconds(server: Server) -> float:
    """Of the web server's processes together, which are a process group."""
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            facts = file.read_text().rpartition(")")[2].split()
        except OSError:  # A process that ended while we looked.
            continue
        if int(facts[2]) == server.process.popen.pid:
            ticks += int(facts[11]) + int(facts[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _warm(server: Server, schemes: dict[RegistrationProtocol, Product]) -> None:
    """Every thread of the server has its database connection, and every module is loaded."""
    _run(server, [EMPTY] * 200)
    for protocol, made in schemes.items():
        _register(server, protocol, made, imported(made, [f"warm-{protocol.name}-{at:03d}" for at in range(100)]))


def imported(made: Product, names: list[str]) -> list[str]:
    """Stored in the pre-import list, dynamic, each with its secret."""
    secrets = wire_format(made.wire_protocol).make_device_secrets(len(names), system_random)
    sealed = keyring.seal_many([(secret, device_secret_owner(made.pk, name)) for secret, name in zip(secrets, names, strict=True)])
    now = datetime.now(UTC)
    PreImportedDevice.objects.store(
        PreImportRow(made.pk, name, "", None, Authentication.DYNAMIC, secret, "", None, now)
        for name, secret in zip(names, sealed, strict=True)
    )
    return names


def _register(server: Server, protocol: RegistrationProtocol, made: Product, names: Sequence[str]) -> Run:
    """Raises RuntimeError unless every device was handed a secret."""
    secret = stage.product_secret(made)
    now, nonces = datetime.now(UTC), random.SystemRandom()
    requests = [
        _bytes(protocol.compose(Credentials(made.key, secret, name), host=HOST, at=now, nonce=nonces.getrandbits(31))) for name in names
    ]
    done = _run(server, requests)
    for status, body in done.load.answers:
        answer = protocol.read(Reply(body, "", status), secret)
        if not answer.device_secret:
            raise RuntimeError(f"{protocol.name} refused a registration: {answer}")
    return done


def _bytes(request: Request) -> bytes:
    lines = [f"{request.method} {request.path} HTTP/1.1", f"Host: {HOST}", *(f"{name}: {value}" for name, value in request.headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(request.body)}", "", ""]).encode() + request.body
