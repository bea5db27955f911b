"""One public MQTT port: the real HAProxy with the project's configuration sends each device where it belongs."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from products.models import Product
from registration.models import DeviceLogEntry
from registration.servers.proxy_header import Origin, write_v2
from tests import cast, haproxy
from tests.haproxy import Haproxy
from tests.processes import Registrar
from tests.registration.golden_mqtt import CONNECTIONS, REGISTRATIONS, GoldenConnection, GoldenRegistration
from tests.registration.mqtt_knocking import connecting, knock, log_entry, packet_of, received
from tests.registration.upstream import ListeningBroker

pytestmark = pytest.mark.haproxy
LEVELS = pytest.mark.parametrize("level", [3, 4, 5])
ACCEPTED = b"\x20\x02\x00\x00"


@pytest.fixture(autouse=True)
def home(transactional_db: None) -> None:
    cast.home()


@pytest.fixture
def product(transactional_db: None) -> Product:
    product = cast.lamp(preregistration_free=True)
    cast.row(product, "crate-1")
    return product


@pytest.fixture(scope="module")
def broker() -> Iterator[ListeningBroker]:
    with ListeningBroker() as listening:
        yield listening


@pytest.fixture(scope="module")
def behind(proxied_registrar: Registrar) -> Registrar:
    return proxied_registrar


@pytest.fixture(scope="module")
def front(
    tmp_path_factory: pytest.TempPathFactory, behind: Registrar, broker: ListeningBroker, rsa_certificate: tuple[Path, Path]
) -> Iterator[Haproxy]:
    running = haproxy.start(tmp_path_factory.mktemp("haproxy"), registrar=behind.port, broker=broker.port, tls=rsa_certificate)
    yield running
    running.stop()


def called(front: Haproxy, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", front.port), timeout=20, source_address=(source, 0))


@LEVELS
@pytest.mark.parametrize("auth_type", ["register", "regnwl"])
def test_a_device_that_registers_is_led_to_the_registrar(
    front: Haproxy, broker: ListeningBroker, product: Product, level: int, auth_type: str
) -> None:
    before = len(broker.heard)
    told = knock(called(front, "127.0.0.9"), packet_of("a1LampKey01", "crate-1", level=level, auth_type=auth_type), level=level)
    assert told.answer.accepted
    assert len(broker.heard) == before
    entry = DeviceLogEntry.objects.get()
    assert (entry.code, entry.address) == ("accepted", "127.0.0.9")


@pytest.mark.parametrize("golden", REGISTRATIONS, ids=lambda golden: golden.id)
def test_what_a_real_sdk_sent_to_register_is_led_to_the_registrar(front: Haproxy, golden: GoldenRegistration) -> None:
    with called(front) as connection:
        connection.sendall(golden.packet)
        assert received(connection, until_end=True) == b"\x20\x02\x00\x04"
    assert DeviceLogEntry.objects.get().code == "product_unknown"


@LEVELS
def test_a_device_that_connects_is_led_to_the_broker_with_its_address(front: Haproxy, broker: ListeningBroker, level: int) -> None:
    packet = connecting(level, "crate-1|securemode=3,signmethod=hmacsha256|")
    with called(front, "127.0.0.8") as connection:
        connection.sendall(packet)
        assert connection.recv(100) == ACCEPTED
        connection.sendall(b"\xc0\x00")
        assert connection.recv(100) == b"\xc0\x00"
    heard = broker.heard[-1]
    assert (heard.received, heard.origin and heard.origin.address) == (packet + b"\xc0\x00", "127.0.0.8")
    assert not DeviceLogEntry.objects.exists()


@pytest.mark.parametrize("golden", CONNECTIONS, ids=lambda golden: golden.id)
def test_what_a_real_sdk_sent_to_connect_is_led_to_the_broker(front: Haproxy, broker: ListeningBroker, golden: GoldenConnection) -> None:
    with called(front) as connection:
        connection.sendall(golden.packet)
        assert connection.recv(100) == ACCEPTED
    assert broker.heard[-1].received == golden.packet


def test_it_refuses_what_is_no_connect_at_once_and_without_a_word_to_anybody(front: Haproxy, broker: ListeningBroker) -> None:
    before = len(broker.heard)
    started = time.monotonic()
    with called(front) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert _end(connection)
    assert time.monotonic() - started < 3
    assert len(broker.heard) == before
    assert not DeviceLogEntry.objects.exists()


@pytest.mark.slow
def test_a_slow_client_is_let_go_after_ten_seconds_and_holds_up_nobody(front: Haproxy, product: Product) -> None:
    packet = packet_of("a1LampKey01", "crate-1")
    with called(front) as slow:
        started = time.monotonic()
        slow.sendall(packet[:20])
        assert knock(called(front), packet).answer.accepted
        assert _end(slow)
        assert 8 < time.monotonic() - started < 13


def test_over_tls_the_registrar_learns_which_host_the_device_called(
    front: Haproxy, product: Product, rsa_certificate: tuple[Path, Path]
) -> None:
    cast.frankfurt()
    context = ssl.create_default_context(cafile=str(rsa_certificate[0]))
    context.check_hostname = False
    raw = socket.create_connection(("127.0.0.1", front.tls_port), timeout=10)
    with context.wrap_socket(raw, server_hostname="frankfurt.devices.test") as connection:
        connection.sendall(packet_of("a1LampKey01", "crate-1"))
        assert received(connection).startswith(ACCEPTED)
    assert DeviceLogEntry.objects.at(cast.frankfurt()).get().code == "accepted"


def test_a_broker_that_is_away_ends_the_connection(tmp_path: Path, behind: Registrar) -> None:
    with ListeningBroker() as gone:
        port = gone.port
    alone = haproxy.start(tmp_path, registrar=behind.port, broker=port)
    try:
        with called(alone) as connection:
            connection.sendall(connecting())
            assert _end(connection)
    finally:
        alone.stop()


def test_nobody_but_the_proxy_reaches_the_registrar_behind_it(behind: Registrar, start_registrar: Callable[..., Registrar]) -> None:
    with behind.connect() as connection:
        connection.sendall(packet_of("a1LampKey01", "crate-1"))
        assert _end(connection)
    assert log_entry(saying="PROXY protocol header").code == "malformed"
    DeviceLogEntry.objects.all().delete()
    other = start_registrar(NAMEPLATE_MQTT_PROXY_PROTOCOL="on", NAMEPLATE_TRUSTED_PROXIES="192.0.2.1")
    with other.connect() as connection:
        connection.sendall(write_v2(Origin("203.0.113.9", 4711), ("127.0.0.1", 1883)) + packet_of("a1LampKey01", "crate-1"))
        assert _end(connection)
    assert log_entry(saying="not among the trusted ones").code == "malformed"


def _end(connection: socket.socket) -> bool:
    """Whether it ends without a byte, as an end or as a reset."""
    try:
        return connection.recv(100) == b""
    except ConnectionError:
        return True
