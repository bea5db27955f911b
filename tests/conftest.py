"""Fixtures that need a database, a server or a worker. The cast is in tests/cast.py, plain functions."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from console.shared import confirmation
from products.services import authorities, brokers, issuing_profiles, lookup
from tests import certificates, gateways, haproxy, nursery, processes, rabbitmq
from tests.processes import Process, Registrar, Server
from tests.rabbitmq import RabbitMQ

IN_CI = os.environ.get("CI") == "true"
UNCACHED = {"NAMEPLATE_PRODUCT_CACHE_SECONDS": "0"}
"""One server serves many tests, whose products and data centers come and go."""

NEEDED = {
    "postgres": lambda: connection.vendor == "postgresql",
    "redis": lambda: bool(os.environ.get("REDIS_URL")),
    "haproxy": haproxy.is_installed,
    "nginx": gateways.nginx_is_installed,
    "rabbitmq": rabbitmq.is_installed,
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that needs a service is skipped where there is none; in CI that fails, unless this is the run on the embedded defaults."""
    for marker, present in NEEDED.items():
        if item.get_closest_marker(marker) and not present():
            if IN_CI and os.environ.get("TESTS_ON") != "embedded":
                pytest.fail(f"{marker} is missing: run the tests with `make test`")
            pytest.skip(f"needs {marker}: run `make test`")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Every test has an id of its own, or xdist takes several for one and runs that; tests of one xdist_group run in one process.

    Schemathesis 4.32 and xdist 3.8 write what they add where pytest 9.2 does not look for it any more.
    """
    for item in items:
        case = item.name.partition("[")[2]
        if case and not item.nodeid.partition("@")[0].endswith("]"):
            _rename(item, f"{item.nodeid}[{case}")
    if getattr(config.option, "loadgroup", False):
        for item in items:
            group = item.get_closest_marker("xdist_group")
            if group and not item.nodeid.endswith(f"@{group.args[0]}"):
                _rename(item, f"{item.nodeid}@{group.args[0]}")
    assert len({item.nodeid for item in items}) == len(items)


def _rename(item: Any, nodeid: str) -> None:
    item._id = type(item._id).parse(nodeid)


@pytest.fixture(autouse=True)
def who_is_signed_in_has_just_proved_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after the sign-in page: Client.force_login goes past it."""
    force_login = Client.force_login

    def sign_in(client: Client, user: Any, backend: str | None = None) -> None:
        force_login(client, user, backend)
        session = client.session
        confirmation.note(session, timezone.now())
        session.save()

    monkeypatch.setattr(Client, "force_login", sign_in)


@pytest.fixture(autouse=True)
def nothing_is_kept_of_another_test() -> None:
    """Products and CA certificates get the numbers of those before them."""
    for kept in (lookup, brokers, authorities, issuing_profiles):
        kept.forget()


@pytest.fixture(scope="session")
def process_folder(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Path]:
    """Where the logs of servers and workers are written. The static files of a real server are there from here on, and the nursery."""
    processes.collect_static(pytestconfig.rootpath / ".pytest_cache" / "static-files")
    processes.children = nursery.Nursery()
    yield tmp_path_factory.mktemp("processes")
    processes.children.close()
    processes.children = None


@pytest.fixture(scope="session")
def rsa_certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(certificate, key) for localhost."""
    return certificates.make_rsa(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def _plain_server(django_db_setup: None, process_folder: Path) -> Iterator[Server]:
    server = processes.start_server(process_folder, **UNCACHED)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _tls_server(django_db_setup: None, process_folder: Path, rsa_certificate: tuple[Path, Path]) -> Iterator[Server]:
    server = processes.start_server(process_folder, tls=rsa_certificate, NAMEPLATE_TLS_PROFILE="legacy", **UNCACHED)
    yield server
    server.stop()


@pytest.fixture
def running_server(transactional_db: None, _plain_server: Server) -> Iterator[Server]:
    """The real web server over HTTP on the test database. One process for the whole run; what a test stores is committed, then flushed."""
    yield _plain_server
    processes.wait_until_done(_plain_server.port)


@pytest.fixture
def tls_server(transactional_db: None, _tls_server: Server) -> Iterator[Server]:
    """The same over TLS with an RSA certificate and the profile for old firmware."""
    yield _tls_server
    processes.wait_until_done(_tls_server.port)


@pytest.fixture
def start_server(transactional_db: None, process_folder: Path) -> Iterator[Callable[..., Server]]:
    """Starts a server of the test's own: start_server(tls=..., NAMEPLATE_X="..."). It ends with the test."""
    started: list[Server] = []

    def start(**options: Any) -> Server:
        started.append(processes.start_server(process_folder, **options))
        return started[-1]

    yield start
    for server in started:
        server.process.kill()  # An end in order has tests of its own.


@pytest.fixture
def start_worker(transactional_db: None, process_folder: Path) -> Iterator[Callable[..., Process]]:
    """Starts a real worker: start_worker(concurrency=1, NAMEPLATE_X="..."). kill() ends its whole group; it ends with the test."""
    started: list[Process] = []

    def start(**options: Any) -> Process:
        started.append(processes.start_worker(process_folder, **options))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()  # Ending politely takes Celery five seconds, and a worker must survive a kill anyway.


@pytest.fixture(scope="session")
def _rabbitmq(_plain_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    node = RabbitMQ(tmp_path_factory.mktemp("rabbitmq") / "node", _plain_server.url)
    node.start()
    yield node
    node.stop()


@pytest.fixture
def rabbit(running_server: Server, _rabbitmq: RabbitMQ) -> RabbitMQ:
    """The real broker, asking the running server. One for the whole run: tests that use it share an xdist group."""
    if not _rabbitmq.is_ready():
        _rabbitmq.stop()
        _rabbitmq.start()
    return _rabbitmq


@pytest.fixture(scope="session")
def _registrar(django_db_setup: None, process_folder: Path, rsa_certificate: tuple[Path, Path]) -> Iterator[Registrar]:
    registrar = processes.start_registrar(process_folder, tls=rsa_certificate, NAMEPLATE_MQTT_READ_SECONDS="3", **UNCACHED)
    yield registrar
    registrar.stop()


@pytest.fixture
def registrar(transactional_db: None, _registrar: Registrar) -> Iterator[Registrar]:
    """The real MQTT registrar, plain and with TLS, on the test database; all but registrations are refused. One for the whole run."""
    yield _registrar
    processes.wait_until_done(_registrar.port, _registrar.tls_port)


@pytest.fixture(scope="session")
def _proxied_registrar(django_db_setup: None, process_folder: Path) -> Iterator[Registrar]:
    proxied = {"NAMEPLATE_MQTT_PROXY_PROTOCOL": "on", "NAMEPLATE_TRUSTED_PROXIES": "127.0.0.1"}
    registrar = processes.start_registrar(process_folder, **UNCACHED, **proxied)
    yield registrar
    registrar.stop()


@pytest.fixture(scope="module")
def proxied_registrar(_proxied_registrar: Registrar) -> Iterator[Registrar]:
    """One that stands behind a proxy. One for the whole run; a test that uses it wants a database of its own beside it."""
    yield _proxied_registrar
    processes.wait_until_done(_proxied_registrar.port)


@pytest.fixture
def start_registrar(transactional_db: None, process_folder: Path) -> Iterator[Callable[..., Registrar]]:
    """Starts a registrar of the test's own: start_registrar(tls=..., NAMEPLATE_X="..."). It ends with the test."""
    started: list[Registrar] = []

    def start(**options: Any) -> Registrar:
        started.append(processes.start_registrar(process_folder, **{**UNCACHED, **options}))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()


@pytest.fixture
def broker_link(transactional_db: None, process_folder: Path) -> Iterator[Process]:
    """The link to the brokers that the test database names."""
    link = processes.start_link(process_folder)
    yield link
    link.kill()


@pytest.fixture
def celery_worker_process(start_worker: Callable[..., Process]) -> Process:
    """One real worker, ready for messages."""
    return start_worker()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Chromium as the system has it."""
    return browser_type_launch_args | {"executable_path": "/usr/bin/chromium", "args": ["--no-sandbox", "--disable-dev-shm-usage"]}
