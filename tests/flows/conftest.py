"""An operator in Chromium, and the one MQTT port that devices come to. A page that breaks behind the operator's back fails the test,
whatever they saw."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from tests import cast, haproxy, rabbitmq
from tests.flows.operator import QUIET, Operator
from tests.haproxy import Haproxy
from tests.processes import Process, Registrar, Server
from tests.rabbitmq import RabbitMQ

Front = Registrar | Haproxy
"""Both have a `port`, and a `tls_port` with a certificate for localhost."""
FLEET = [pytest.mark.rabbitmq, pytest.mark.haproxy, pytest.mark.xdist_group("rabbitmq")]

# Playwright keeps an event loop in this thread, and Django takes that for asynchronous code when fixtures use the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return browser_type_launch_args | {"args": [*browser_type_launch_args.get("args", []), *QUIET]}


@pytest.fixture
def operator_at(new_context: Callable[..., BrowserContext]) -> Iterator[Callable[[str], Operator]]:
    """operator_at(url): somebody in front of a fresh browser of 1280 by 900 pixels."""
    people: list[Operator] = []

    def sit_down(url: str) -> Operator:
        context = new_context(viewport={"width": 1280, "height": 900}, locale="en", timezone_id="UTC")
        people.append(Operator(context.new_page(), url))
        return people[-1]

    yield sit_down
    assert [complaint for person in people for complaint in person.complaints] == []


@pytest.fixture
def laptop(running_server: Server, start_registrar: Callable[..., Registrar], rsa_certificate: tuple[Path, Path]) -> Registrar:
    """As `make run` has it: the registrar with the embedded broker in it."""
    cast.home()
    return start_registrar(tls=rsa_certificate, NAMEPLATE_MQTT_UPSTREAM="embedded", NAMEPLATE_MQTT_CONNECTIONS="200")


@pytest.fixture
def fleet(
    rabbit: RabbitMQ, start_registrar: Callable[..., Registrar], broker_link: Process, rsa_certificate: tuple[Path, Path], tmp_path: Path
) -> Iterator[Haproxy]:
    """As a fleet has it: HAProxy, behind it the registrar and a real RabbitMQ, which asks the console."""
    rabbitmq.enrol(rabbit, cast.home())
    registrar = start_registrar(NAMEPLATE_MQTT_PROXY_PROTOCOL="on", NAMEPLATE_TRUSTED_PROXIES="127.0.0.1")
    proxy = haproxy.start(tmp_path, registrar=registrar.port, broker=rabbit.mqtt_port, tls=rsa_certificate, broker_proxy_header=False)
    yield proxy
    proxy.stop()


@pytest.fixture(params=["laptop", pytest.param("fleet", marks=FLEET)])
def front(request: pytest.FixtureRequest) -> Front:
    """Each of them in turn."""
    found: Front = request.getfixturevalue(request.param)
    return found
