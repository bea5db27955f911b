"""MQTT: registrations a second at the registrar, connection checks a second at a broker's hook, each beside its floor."""

import random
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from django.conf import settings

from bench import certificate_checks, doors, figures, load, mqtt_load, stage
from bench.figures import Figure
from bench.load import Load
from console.shared import keyring
from console.shared.actors import SYSTEM
from devices.models import PreImportedDevice
from products.models import Broker, BrokerKind, Product
from products.services import brokers, data_centers
from registration.protocols.alibaba_mqtt import AlibabaMqtt
from registration.protocols.base import Credentials, Grant, Reply, Request
from registration.protocols.connecting import DeviceCredentials
from registration.protocols.connection_schemes import COMPOSERS
from registration.services.enrolment import register
from tests import certificates, processes
from tests.processes import Process

REGISTRAR_FLOOR = "bare accept-and-answer, same loop, same TLS"
APART_AIM = "≤ 2"
CHECK_AIM = "≥ 0.6"


def registrations(count: int, rounds: int, folder: Path) -> list[Figure]:
    """`count` registrations a round, plain and with TLS, eight devices at a time; and the same decisions without any network."""
    made, found = stage.product("Over MQTT", wire="alibaba", kind="free"), list[Figure]()
    tls = certificates.make_rsa(folder)
    registrar = processes.start_registrar(folder, tls=tls)
    try:
        for word, port, certificate in (("plain", registrar.port, ()), ("with TLS", registrar.tls_port, tls)):
            ca = certificate[0] if certificate else None
            pairs, decided = list[tuple[Load, Load]](), list[float]()
            with _floor(folder, certificate) as floor_port:
                for number in range(rounds + 1):
                    asked = _connects(made, [f"{word.replace(' ', '-')}-{number}-{at:05d}" for at in range(count)])
                    pairs.append((_accepted(mqtt_load.run(port, asked, ca=ca)), mqtt_load.run(floor_port, asked, ca=ca)))
                    others = _connects(made, [f"{word.replace(' ', '-')}-alone-{number}-{at:05d}" for at in range(count)])
                    decided.append(_decisions_a_second(others))
            found += _figures(f"registration over MQTT, {word}", pairs[1:], decided[1:])
    finally:
        registrar.stop()
    return found


def checks(count: int, rounds: int, folder: Path) -> list[Figure]:
    """`count` connection checks a round of devices that have connected before, on eight kept connections: by DeviceSecret at RabbitMQ's
    hook, and by certificate at EMQX's."""
    made = stage.product("Checked", wire="alibaba", kind="free")
    server = processes.start_server(folder)
    try:
        asked = [request for at, request in zip(range(count), _questions(made, min(count, 200)), strict=False)]
        empty = [doors.EMPTY] * count * doors.LONGER
        pairs = [(_allowed(load.run(server.port, asked)), load.run(server.port, empty)) for _ in range(rounds + 1)]
        asked = [request for at, request in zip(range(count), certificate_checks.questions(made, min(count, 200)), strict=False)]
        certified = [(_certified(load.run(server.port, asked)), load.run(server.port, empty)) for _ in range(rounds + 1)]
    finally:
        server.stop()
    return [
        _check_figure("connection check, RabbitMQ's hook", pairs[1:], CHECK_AIM),
        _check_figure("connection check by certificate, EMQX's hook", certified[1:], ""),
    ]


def _check_figure(work: str, pairs: Sequence[tuple[Load, Load]], aim: str) -> Figure:
    rates = [(own.rate, base.rate) for own, base in pairs]
    return figures.of_rates(work, doors.FLOOR, rates, aim=aim, remarks=(_times(pairs), ""))


def _figures(work: str, pairs: Sequence[tuple[Load, Load]], decided: Sequence[float]) -> list[Figure]:
    """As it is; and the time of one registration less that of its decision alone, which is nearly all the database's."""
    rates = [(own.rate, base.rate) for own, base in pairs]
    apart = [(max(0.0, 1 / own - 1 / alone), 1 / base) for (own, base), alone in zip(rates, decided, strict=True)]
    remark = f"{_times(pairs)}; the decision alone {median(decided):,.0f}/s"
    return [
        figures.of_rates(work, REGISTRAR_FLOOR, rates, aim="", remarks=(remark, "")),
        figures.of_times(f"{work}, the decision taken off", REGISTRAR_FLOOR, apart, aim=APART_AIM),
    ]


def _times(pairs: Sequence[tuple[Load, Load]]) -> str:
    return f", p50 {median(own.p50 for own, _ in pairs):.0f} ms, p99 {median(own.p99 for own, _ in pairs):.0f} ms"


def _connects(made: Product, names: list[str]) -> list[bytes]:
    """A registration of each name, which is on the pre-import list."""
    secret, scheme, nonces = stage.product_secret(made), AlibabaMqtt(), random.SystemRandom()
    now = datetime.now(UTC)
    return [
        scheme.compose(Credentials(made.key, secret, name), host="", at=now, nonce=nonces.getrandbits(31)).body
        for name in doors.imported(made, names)
    ]


def _decisions_a_second(asked: Sequence[bytes]) -> float:
    """Of the service and the database alone, in as many threads of one process as the registrar has."""

    def decide(packet: bytes) -> None:
        request = Request("CONNECT", "", "", {}, packet)
        register(protocol=AlibabaMqtt(), request=request, peer_address="127.0.0.1", at=datetime.now(UTC))

    with ThreadPoolExecutor(settings.NAMEPLATE_MQTT_THREADS) as pool:
        started = time.perf_counter()
        list(pool.map(decide, asked))
        return len(asked) / (time.perf_counter() - started)


def _accepted(done: Load) -> Load:
    """Raises RuntimeError unless every device was handed its secret."""
    for _, body in done.answers:
        if not AlibabaMqtt().read(Reply(body), "").accepted:
            raise RuntimeError("The registrar refused a registration.")
    return done


def _questions(made: Product, devices: int) -> Iterator[bytes]:
    """Endless: what RabbitMQ asks when the devices connect, by turns."""
    broker = Broker()
    access = {"management_url": "", "management_user": "", "management_secret": None, "events_url": None, "vhost": "/"}
    center, now = data_centers.serving(""), datetime.now(UTC)
    row = brokers.save(broker, data_center=center, name="Bench", kind=BrokerKind.RABBITMQ, enabled=True, by=SYSTEM, at=now, **access)
    path = f"/hooks/rabbitmq/{brokers.reveal_hook_secret(row, by=SYSTEM, at=now)}/user"
    names = doors.imported(made, [f"checked-{at:05d}" for at in range(devices)])
    rows = PreImportedDevice.objects.filter(product=made, device_name__in=names)
    known = [DeviceCredentials(made.key, one.device_name, keyring.unseal(one.sealed_secret, owner=one.secret_owner())) for one in rows]
    while True:
        for device in known:
            shown = COMPOSERS["alibaba"](device, now, 0)
            fields = {"username": shown.username, "password": shown.password, "vhost": "/", "client_id": shown.client_id}
            body = urlencode(fields).encode()
            head = f"POST {path} HTTP/1.1\r\nHost: {doors.HOST}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            yield f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _allowed(done: Load) -> Load:
    """Raises RuntimeError unless every device was let in."""
    if {body for _, body in done.answers} != {b"allow"}:
        raise RuntimeError("The hook refused a device.")
    return done


@contextmanager
def _floor(folder: Path, certificate: Sequence[Path]) -> Iterator[int]:
    port = processes.free_port()
    answer = AlibabaMqtt().accept(Grant("a1ExpAkj9Hi", "dev-000001", "0" * 32, "")).body
    command = [sys.executable, "-m", "bench.mqtt_floor", str(port), answer.hex(), *map(str, certificate)]
    process = Process(command, processes.environment(), folder / f"floor-{port}.log")
    try:
        process.wait_for_output("ready", 30)
        yield port
    finally:
        process.stop()


def _certified(done: Load) -> Load:
    """Raises RuntimeError unless every device was let in."""
    if not certificate_checks.allowed([body for _, body in done.answers]):
        raise RuntimeError("The hook refused a device with a certificate.")
    return done
