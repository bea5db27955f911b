"""The device doors: registrations a second, first and repeated, against an empty view of the same web server."""

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from django.db import connection, transaction

from bench import figures, load, pgbench, stage
from bench.figures import Figure
from bench.load import Load
from console.shared import bulk, keyring
from devices.models import Authentication, Device, PreImportedDevice
from devices.models.pre_import import device_secret_owner
from devices.querysets import PreImportRow
from products.models import Product
from products.rules.wire_formats import system_random, wire_format
from registration.models import UsedNonce
from registration.protocols.base import Credentials, RegistrationProtocol, Reply, Request
from registration.protocols.registry import every_protocol
from registration.services.enrolment import register
from tests import processes
from tests.processes import Server

HOST = "devices.example"
FLOOR = "empty view, GET /healthz"
AIM = "≥ 0.4"
BARE = "pgbench, the same statements"
BARE_AIM = "≥ 0.5"
EMPTY = f"GET /healthz HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
LONGER = 4
"""So many times as many empty requests, so that both sides of a ratio meet the same weather."""


@dataclass(frozen=True, slots=True)
class Run:
    """One load, and the processor time that each answer cost the web server, in milliseconds."""

    load: Load
    cpu: float


@dataclass(frozen=True, slots=True)
class Round:
    """`bare`: registrations a second of pgbench with the same statements, 0 where there is none (SQLite); `half`: the load again at half
    of the rate that was found."""

    own: Run
    empty: Run
    bare: float
    half: Load


def registrations(count: int, rounds: int, folder: Path, *, only: str = "") -> list[Figure]:
    """`count` registrations a round by each protocol, or by the one named `only`, on eight connections, and the same names again."""
    makers = {wire: stage.product(f"Doors {wire}", wire=wire, kind="free") for wire in ("alibaba", "tencent", "native")}
    schemes = {protocol: makers[protocol.name.partition("-")[0]] for protocol in every_protocol() if only in ("", protocol.name)}
    measured: dict[tuple[str, str], list[Round]] = {}
    server = processes.start_server(folder)
    try:
        _warm(server, schemes)
        for number in range(rounds):
            for protocol, made in schemes.items():
                for kind in ("first", "repeated"):
                    stem = f"{protocol.name}-{number}-"
                    measured.setdefault((protocol.name, kind), []).append(_round(server, protocol, made, kind, stem, count, folder))
    finally:
        server.stop()
    return [figure for (name, kind), found in measured.items() for figure in _figures(f"{kind} registration, {name}", found)]


def _round(server: Server, protocol: RegistrationProtocol, made: Product, kind: str, stem: str, count: int, folder: Path) -> Round:
    names = _names(stem, count)
    if kind == "first":
        imported(made, names)
    empty = _run(server, [EMPTY] * count * LONGER)
    own = _register(server, protocol, made, names)
    bare = _bare(protocol, made, kind, f"{kind}-{stem}", count, folder) if connection.vendor == "postgresql" else 0.0
    slow = _names(f"half-{stem}", count)
    if kind == "first":
        imported(made, slow)
    return Round(own, empty, bare, _register(server, protocol, made, slow, rate=own.load.rate / 2).load)


def _names(stem: str, count: int) -> list[str]:
    return [f"{stem}{at:0{pgbench.DIGITS}d}" for at in range(count)]


def _bare(protocol: RegistrationProtocol, made: Product, kind: str, stem: str, count: int, folder: Path) -> float:
    """One registration is recorded, and run `count` times under other names with a nonce of its own each."""
    example = f"{stem}example"
    imported(made, [example])
    nonces = random.SystemRandom()
    secret, differing = stage.product_secret(made), {example: pgbench.numbered(stem)}
    for _again in range(1 if kind == "first" else 2):
        asked = Credentials(made.key, secret, example)
        request = protocol.compose(asked, host=HOST, at=datetime.now(UTC), nonce=nonces.getrandbits(31))
        with pgbench.recording() as statements:
            register(protocol=protocol, request=request, peer_address="127.0.0.1", at=datetime.now(UTC))
    if kind == "first":
        imported(made, _names(stem, count))
    else:
        device = Device.objects.get(product=made, device_name=example)
        differing[device.pk] = f"({_copies(device, stem, count)} + (:n)::bigint)"
    if protocol.name == "native":
        differing[UsedNonce.objects.latest("pk").nonce] = "md5(random()::text)"
    return pgbench.rate(statements, count, differing, folder)


def _copies(device: Device, stem: str, count: int) -> int:
    """As many devices that are the same but for their numbered names; returns the first one's number, the others follow."""
    fields = [field.attname for field in Device._meta.concrete_fields if not field.primary_key]
    facts = {name: getattr(device, name) for name in fields}
    first = Device.objects.latest("pk").pk + 1
    rows = [tuple((facts | {"device_name": name})[field] for field in fields) for name in _names(stem, count)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s, false)", [Device._meta.db_table, first])
    with transaction.atomic():
        bulk.store(Device, [field.removesuffix("_id") for field in fields], rows, using="default")
    return first


def _figures(work: str, found: Sequence[Round]) -> list[Figure]:
    own, empty = ([getattr(one, side) for one in found] for side in ("own", "empty"))
    remark = f", {_times([one.load for one in own])}, {_cpu(own)}; at half the rate {_times([one.half for one in found])}"
    beside_empty = [(one.own.load.rate, one.empty.load.rate) for one in found]
    beside_bare = [(one.own.load.rate, one.bare) for one in found]
    figure = figures.of_rates(work, FLOOR, beside_empty, aim=AIM, remarks=(remark, f", {_cpu(empty)}"))
    if not all(one.bare for one in found):
        return [figure]
    return [figure, figures.of_rates(work, BARE, beside_bare, aim=BARE_AIM, remarks=("", ""))]


def _times(loads: Sequence[Load]) -> str:
    return f"p50 {median(one.p50 for one in loads):.1f} ms, p99 {median(one.p99 for one in loads):.1f} ms"


def _cpu(runs: Sequence[Run]) -> str:
    return f"{median(run.cpu for run in runs):.2f} ms CPU"


def _run(server: Server, requests: Sequence[bytes], rate: float = 0.0) -> Run:
    before = _cpu_seconds(server)
    done = load.run(server.port, requests, rate=rate)
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


def _register(server: Server, protocol: RegistrationProtocol, made: Product, names: Sequence[str], rate: float = 0.0) -> Run:
    """Raises RuntimeError unless every device was handed a secret."""
    secret = stage.product_secret(made)
    now, nonces = datetime.now(UTC), random.SystemRandom()
    requests = [
        _bytes(protocol.compose(Credentials(made.key, secret, name), host=HOST, at=now, nonce=nonces.getrandbits(31))) for name in names
    ]
    done = _run(server, requests, rate)
    for status, body in done.load.answers:
        answer = protocol.read(Reply(body, "", status), secret)
        if not answer.device_secret:
            raise RuntimeError(f"{protocol.name} refused a registration: {answer}")
    return done


def _bytes(request: Request) -> bytes:
    lines = [f"{request.method} {request.path} HTTP/1.1", f"Host: {HOST}", *(f"{name}: {value}" for name, value in request.headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(request.body)}", "", ""]).encode() + request.body
