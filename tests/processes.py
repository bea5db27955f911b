"""The real web server and the real worker, as `manage.py serve` starts them, on the database of the running tests."""

import contextlib
import fcntl
import os
import random
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import connections
from django.test import override_settings

from console import static_files
from console.supervisor import die_with_parent, link_command, registrar_command, web_command, worker_command
from tests import nursery

START_SECONDS = 30
CLOSE_WAIT = "08"
"""In /proc/net/tcp."""
children: nursery.Nursery | None = None
"""Starts the console's processes if it is there: the tests' fixtures have one, a measurement has none."""


def collect_static(cache: Path) -> None:
    """Puts the console's real static files where its real settings look for them: collected once, and again when one of them changed."""
    cache.mkdir(parents=True, exist_ok=True)
    real = settings.STORAGES | {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with override_settings(STORAGES=real, STATIC_ROOT=cache / "static"):
            static_files.collect()
    root = Path(settings.STATIC_ROOT)
    if not root.is_symlink():
        root.rmdir()
        root.symlink_to(cache / "static")


SERVER_PORTS = range(20_000, 32_000)
"""Below those that the system gives to outgoing connections: a server takes some seconds until it binds, and nobody may come between."""


def free_port() -> int:
    """Ours until this process ends: it stays bound, where only a server that may reuse addresses, as ours all do, can come and listen.

    Nobody else draws it meanwhile, however long a busy machine needs until the server stands.
    """
    while True:
        port = random.SystemRandom().choice(SERVER_PORTS)
        probe = socket.socket()
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            probe.close()
            continue
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # After it was bound: to share it was no question then.
        probe.detach()  # The file descriptor stays open.
        return port


def environment(**changes: str) -> dict[str, str]:
    """What a process needs to stand on this test run's data folder and test database. Call it when the test database is there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NAMEPLATE_", "DATABASE_URL", "DJANGO_"))}
    databases = {("DATABASE_URL" if alias == "default" else f"DATABASE_URL_{alias.upper()}"): database_url(alias) for alias in connections}
    own = {"DJANGO_SETTINGS_MODULE": "console.settings", "NAMEPLATE_DATA_DIR": str(settings.DATA_DIR), "NAMEPLATE_LOG_LEVEL": "WARNING"}
    return kept | databases | own | changes


def database_url(alias: str) -> str:
    facts: dict[str, Any] = connections[alias].settings_dict
    if facts["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{facts['NAME']}"
    login = quote(facts["USER"], safe="") + (f":{quote(facts['PASSWORD'], safe='')}" if facts["PASSWORD"] else "")
    host = quote(facts["HOST"], safe="") + (f":{facts['PORT']}" if facts["PORT"] else "")
    return f"postgres://{login}@{host}/{facts['NAME']}"


class Process:
    """A process in a group of its own, so that it can be ended or killed with all its children."""

    def __init__(self, command: list[str], env: Mapping[str, str], log: Path) -> None:
        self.log = log
        self.popen: subprocess.Popen[bytes] | nursery.Child
        if children and nursery.can_start(command):
            self.popen = children.start(command, env, log)
            return
        with log.open("ab") as out:
            self.popen = subprocess.Popen(
                command,
                env=dict(env),
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=die_with_parent(os.getpid()),  # noqa: PLW1509
            )

    def kill(self) -> None:
        """SIGKILL for the whole group at once, as a machine's sudden end."""
        self._send(signal.SIGKILL)
        self.popen.wait(10)

    def stop(self) -> None:
        self.popen.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(10)
        self.kill()

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for_output(self, text: str, seconds: float = 30) -> None:
        """Fails with everything the process said if it does not say this in time."""
        end = time.monotonic() + seconds
        while text not in self.output():
            assert time.monotonic() < end and self.popen.poll() is None, f"{text!r} was not said:\n{self.output()}"
            time.sleep(0.05)

    def _send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, number)


@dataclass(frozen=True)
class Server:
    """A running web server. `url` without a trailing slash; `ca` is the certificate to trust when it speaks TLS."""

    process: Process
    host: str
    port: int
    ca: Path | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.ca else 'http'}://{self.host}:{self.port}"

    def connect(self, timeout: float = 10) -> socket.socket:
        """A plain or TLS socket to it, for tests that look at bytes."""
        raw = socket.create_connection((self.host, self.port), timeout=timeout)
        if self.ca is None:
            return raw
        return ssl.create_default_context(cafile=str(self.ca)).wrap_socket(raw, server_hostname="localhost")

    def stop(self) -> None:
        self.process.stop()


def start_server(folder: Path, *, tls: tuple[Path, Path] | None = None, **changes: str) -> Server:
    """`tls` is (certificate, key). Returns when the port answers."""
    port = free_port()
    bind = f"127.0.0.1:{port}"
    own = {"NAMEPLATE_TLS_CERT": str(tls[0]), "NAMEPLATE_TLS_KEY": str(tls[1])} if tls else {}
    command = web_command(bind, tls=tls)
    process = Process(command, environment(**own, **changes), folder / f"server-{port}.log")
    wait_for_port(port, process)
    return Server(process, "127.0.0.1", port, tls[0] if tls else None)


def start_worker(folder: Path, *, concurrency: int = 1, **changes: str) -> Process:
    """A Celery worker with the pool that `manage.py serve` gives it. Returns when it is ready for messages."""
    process = Process(
        worker_command(concurrency), environment(NAMEPLATE_LOG_LEVEL="INFO", **changes), folder / f"worker-{time.monotonic_ns()}.log"
    )
    try:
        process.wait_for_output(" ready.", START_SECONDS)
    except AssertionError:
        process.kill()
        raise
    return process


@dataclass(frozen=True)
class Registrar:
    """A running MQTT registrar. `port`: its plain listener; `tls_port`: 0 without a certificate, which is `ca`."""

    process: Process
    port: int
    tls_port: int = 0
    ca: Path | None = None

    def connect(self, timeout: float = 10) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def connect_tls(self, host: str = "localhost", timeout: float = 10) -> ssl.SSLSocket:
        raw = socket.create_connection(("127.0.0.1", self.tls_port), timeout=timeout)
        context = ssl.create_default_context(cafile=str(self.ca))
        context.check_hostname = False
        return context.wrap_socket(raw, server_hostname=host)

    def stop(self) -> None:
        self.process.stop()


def start_registrar(folder: Path, *, tls: tuple[Path, Path] | None = None, **changes: str) -> Registrar:
    """`tls` is (certificate, key). Devices can only register unless NAMEPLATE_MQTT_UPSTREAM says otherwise. Returns when it is up."""
    port, tls_port = free_port(), free_port() if tls else 0
    own = {"NAMEPLATE_MQTT_BIND": f"127.0.0.1:{port}", "NAMEPLATE_MQTT_UPSTREAM": "off"}
    if tls:
        own |= {"NAMEPLATE_MQTT_TLS_BIND": f"127.0.0.1:{tls_port}", "NAMEPLATE_TLS_CERT": str(tls[0]), "NAMEPLATE_TLS_KEY": str(tls[1])}
    process = Process(registrar_command(), environment(**own | changes), folder / f"registrar-{port}.log")
    try:
        process.wait_for_output("The MQTT registrar is at", START_SECONDS)
    except AssertionError:
        process.kill()
        raise
    return Registrar(process, port, tls_port, tls[0] if tls else None)


def start_link(folder: Path, **changes: str) -> Process:
    """The link to the brokers, as `manage.py serve` starts it. Returns when it has begun to look for brokers."""
    link = Process(link_command(), environment(**changes), folder / f"link-{time.monotonic_ns()}.log")
    link.wait_for_output("is up", START_SECONDS)
    return link


def wait_until_done(*ports: int) -> None:
    """Until a server has no connection left whose client has gone: what it still decides there must not appear in the next test."""
    left, end = {f"{port:04X}" for port in ports}, time.monotonic() + 5
    while time.monotonic() < end:
        table = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        if not any(row[1].rpartition(":")[2] in left and row[3] == CLOSE_WAIT for row in table):
            return
        time.sleep(0.02)


def wait_for_port(port: int, process: Process) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            if process.popen.poll() is None:
                return
            raise AssertionError(f"Port {port} is another's:\n{process.output()}")
        except OSError:
            if time.monotonic() > end or process.popen.poll() is not None:
                process.kill()
                raise AssertionError(f"Nothing answers on port {port}:\n{process.output()}") from None
            time.sleep(0.1)
