"""Devices register over MQTT at the running registrar (A3, A4), and whoever else comes costs nothing."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest
from django.db import connection as database
from django.db import transaction

from console.shared import keyring
from devices.models import ClientIdentity, Device
from products.models import Product
from registration.models import DeviceLogEntry
from tests import cast
from tests.processes import Registrar
from tests.registration.golden_mqtt import REGISTRATIONS, GoldenRegistration
from tests.registration.mqtt_knocking import Told, connecting, knock, packet_of, received

pytestmark = pytest.mark.storage


@contextmanager
def nobody_writes() -> Iterator[None]:
    """Meanwhile a registration is being decided about, and not yet decided."""
    with transaction.atomic(), database.cursor() as cursor:  # SQLite's transactions have its one lock from their beginning.
        if database.vendor == "postgresql":
            cursor.execute("LOCK TABLE devices_device IN EXCLUSIVE MODE")
        yield


LEVELS = pytest.mark.parametrize("level", [3, 4, 5])


@pytest.fixture(autouse=True)
def home(transactional_db: None) -> None:
    cast.home()


@pytest.fixture
def product(transactional_db: None) -> Product:
    product = cast.lamp(preregistration_free=True)
    cast.row(product, "crate-1")
    return product


def register(registrar: Registrar, name: str = "crate-1", *, level: int = 4, auth_type: str = "register", secret: str = "") -> Told:
    return knock(registrar.connect(), packet_of("a1LampKey01", name, level=level, auth_type=auth_type, secret=secret), level=level)


def entries(count: int, seconds: float = 5) -> list[DeviceLogEntry]:
    """Exactly so many, when they have been written."""
    end = time.monotonic() + seconds
    while DeviceLogEntry.objects.count() < count and time.monotonic() < end:
        time.sleep(0.05)
    found = list(DeviceLogEntry.objects.order_by("id"))
    assert len(found) == count, [(one.code, one.path) for one in found]
    return found


@LEVELS
def test_a_device_registers_and_is_handed_its_secret(registrar: Registrar, product: Product, level: int) -> None:
    told = register(registrar, level=level)
    device = Device.objects.at(cast.home()).get()
    assert told.answer.device_secret == keyring.unseal(device.sealed_secret, owner=device.secret_owner())
    [entry] = entries(1)
    assert (entry.code, entry.protocol, entry.address, entry.device_name) == ("accepted", "alibaba-mqtt", "127.0.0.1", "crate-1")


@LEVELS
def test_a_preregistration_free_device_is_handed_a_client_id_of_its_own(registrar: Registrar, product: Product, level: int) -> None:
    told = [register(registrar, "new-1", level=level, auth_type="regnwl").answer for _ in range(2)]
    assert len({answer.client_id for answer in told}) == 2
    assert all(len(answer.client_id) == 26 and len(answer.device_token) == 32 for answer in told)
    found = entries(2)
    assert [entry.client_id for entry in found] == [answer.client_id for answer in told]
    assert "Preregistration-free registration is allowed for the product." in found[0].path
    assert not any(answer.device_token in str(entry.__dict__) for answer in told for entry in found)
    assert set(ClientIdentity.objects.values_list("client_id", flat=True)) == {answer.client_id for answer in told}


@pytest.mark.parametrize("golden", REGISTRATIONS, ids=lambda golden: golden.id)
def test_it_registers_what_a_real_sdk_sent(registrar: Registrar, golden: GoldenRegistration) -> None:
    product = Product.objects.get(pk=cast.kettle(device_name_kind="free", preregistration_free=True).pk)
    assert (product.key, golden.product_secret) == (golden.product_key, "h1nQFYPZS0mW1234")
    if not golden.regnwl:
        cast.row(product, golden.device_name)
    assert knock(registrar.connect(), golden.packet).answer.accepted


REFUSALS: list[tuple[str, dict[str, object], str, str]] = [
    ("not_imported", {}, "stranger", "register"),
    ("dynamic_registration_off", {"dynamic_registration": False}, "crate-1", "register"),
    ("dynamic_registration_off", {"dynamic_registration": False}, "crate-1", "regnwl"),
    ("preregistration_free_off", {"preregistration_free": False}, "new-1", "regnwl"),
    ("per_product_secret_off", {"per_product_secret": False}, "crate-1", "register"),
    ("product_not_published", {"status": "developing"}, "crate-1", "regnwl"),
    ("bad_device_name", {}, "with blank", "regnwl"),
]


@pytest.mark.parametrize(("code", "switches", "name", "auth_type"), REFUSALS)
def test_it_refuses_by_the_table_and_closes(
    registrar: Registrar, product: Product, code: str, switches: dict[str, object], name: str, auth_type: str
) -> None:
    Product.objects.update(**switches)
    with registrar.connect() as connection:
        connection.sendall(packet_of("a1LampKey01", name, auth_type=auth_type))
        assert received(connection, until_end=True) == b"\x20\x02\x00\x04"
    assert [entry.code for entry in entries(1)] == [code]


def test_it_refuses_a_wrong_proof_and_a_device_that_is_activated(registrar: Registrar, product: Product) -> None:
    assert register(registrar, secret="x" * 16).code == "4"
    assert register(registrar).code == "0"
    cast.activate(Device.objects.at(cast.home()).get())
    assert register(registrar).code == "4"
    assert [entry.code for entry in entries(3)] == ["bad_signature", "accepted", "already_activated"]


def test_connack_and_publish_come_in_one_piece(registrar: Registrar, product: Product) -> None:
    with registrar.connect() as connection:
        connection.sendall(packet_of("a1LampKey01", "crate-1"))
        got = connection.recv(4096)
    assert got.startswith(b"\x20\x02\x00\x00\x30")
    assert got[6:].partition(b"{")[0].endswith(b"/ext/register")
    assert got.endswith(b'"productKey":"a1LampKey01","deviceName":"crate-1"}')


def test_a_client_that_closed_its_own_half_is_answered(registrar: Registrar, product: Product) -> None:
    with registrar.connect() as connection:
        connection.sendall(packet_of("a1LampKey01", "crate-1"))
        connection.shutdown(socket.SHUT_WR)
        assert received(connection, until_end=True).startswith(b"\x20\x02\x00\x00\x30")


def test_a_connect_that_comes_byte_by_byte_is_one_connect(registrar: Registrar, product: Product) -> None:
    with registrar.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in packet_of("a1LampKey01", "crate-1"):
            connection.sendall(bytes([byte]))
        assert received(connection).startswith(b"\x20\x02\x00\x00")


@pytest.mark.parametrize("ending", [b"\xe0\x00", b"", b"\x82\x0a\x00\x01\x00\x05/ext/\x00\xe0\x00"])
def test_every_way_of_leaving_is_normal(registrar: Registrar, product: Product, ending: bytes) -> None:
    with registrar.connect() as connection:
        connection.sendall(packet_of("a1LampKey01", "crate-1"))
        assert received(connection)
        connection.sendall(ending)
    assert [entry.code for entry in entries(1)] == ["accepted"]


def test_a_device_that_says_goodbye_is_not_waited_for(registrar: Registrar, product: Product) -> None:
    with registrar.connect(timeout=5) as connection:
        connection.sendall(packet_of("a1LampKey01", "crate-1"))
        assert received(connection)
        connection.sendall(b"\xe0\x00")
        assert connection.recv(1) == b""


@pytest.mark.slow
def test_a_registered_device_is_given_fifteen_seconds_to_leave(registrar: Registrar, product: Product) -> None:
    with registrar.connect(timeout=20) as connection:
        connection.sendall(packet_of("a1LampKey01", "crate-1"))
        assert received(connection)
        started = time.monotonic()
        assert connection.recv(1) == b""
        assert 13 < time.monotonic() - started < 17


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", b""),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b""),
        (b"\x10\xff\xff\xff\xff\x7f", b""),
        (b"\x10\xff\xff\x7f" + b"x" * 100, b""),
        (b"\x10\x02\x00\x04", b""),
        (b"\xe0\x00", b""),
        (b"\x10\x0c\x00\x04MQTT\x06\x02\x00\x3c\x00\x00", b"\x20\x02\x00\x01"),
    ],
    ids=["HTTP", "TLS", "endless length", "too long", "too short", "DISCONNECT first", "MQTT 6"],
)
def test_what_is_no_connect_gets_nothing_but_an_entry(registrar: Registrar, sent: bytes, answer: bytes) -> None:
    with registrar.connect() as connection:
        connection.sendall(sent)
        assert received(connection, until_end=True) == answer
    [entry] = entries(1)
    assert (entry.code, entry.protocol, entry.product_key, entry.address) == ("malformed", "mqtt", "", "127.0.0.1")
    assert entry.path


def test_a_slow_client_gets_its_time_and_no_more(registrar: Registrar, product: Product) -> None:
    started = time.monotonic()
    with registrar.connect() as connection:
        for byte in packet_of("a1LampKey01", "crate-1"):
            try:
                connection.sendall(bytes([byte]))
                time.sleep(0.1)
            except OSError:
                break
        with suppress(ConnectionError):
            assert connection.recv(1) == b""
    assert time.monotonic() - started < 7
    assert [entry.path for entry in entries(1)] == [["No complete CONNECT came in time."]]


def test_many_slow_clients_do_not_hold_up_a_device(registrar: Registrar, product: Product) -> None:
    slow = [registrar.connect() for _ in range(100)]
    try:
        for connection in slow:
            connection.sendall(b"\x10\x60\x00\x04MQ")
        started = time.monotonic()
        assert register(registrar).answer.device_secret
        assert time.monotonic() - started < 2.9, "the slow ones are waited for three seconds"
    finally:
        for connection in slow:
            connection.close()


def test_a_device_that_wants_to_connect_is_told_that_it_may_not(registrar: Registrar, product: Product) -> None:
    with registrar.connect() as connection:
        connection.sendall(connecting())
        assert received(connection, until_end=True) == b"\x20\x02\x00\x05"
    [entry] = entries(1)
    assert (entry.code, entry.event) == ("unavailable", "connection")


def test_who_says_nothing_and_leaves_leaves_no_trace(registrar: Registrar, product: Product) -> None:
    for _ in range(5):
        registrar.connect().close()
    register(registrar)
    time.sleep(0.3)
    entries(1)


def test_a_flood_does_not_fill_the_log_and_is_counted(start_registrar: Callable[..., Registrar]) -> None:
    own = start_registrar()
    for _ in range(200):
        with own.connect() as connection:
            connection.sendall(b"\x00" * 8)
            assert received(connection, until_end=True) == b""
    time.sleep(1.5)
    with own.connect() as connection:
        connection.sendall(b"\x00" * 8)
        received(connection, until_end=True)
    time.sleep(0.5)
    found = list(DeviceLogEntry.objects.order_by("id"))
    assert 30 <= len(found) < 100
    assert sum(int(one.facts["left_out"].split()[0]) for one in found if "left_out" in one.facts) == 201 - len(found)


def test_one_address_may_not_have_too_many_unfinished_connections(start_registrar: Callable[..., Registrar], product: Product) -> None:
    own = start_registrar(NAMEPLATE_MQTT_WAITING_PER_ADDRESS="5")
    waiting = [own.connect() for _ in range(5)]
    for connection in waiting:
        connection.sendall(b"\x10")
    time.sleep(0.2)
    with own.connect() as sixth:
        assert received(sixth, until_end=True) == b""
    for connection in waiting:
        connection.close()
    time.sleep(0.2)
    assert register(own).answer.device_secret


def test_there_is_a_bound_on_all_connections(start_registrar: Callable[..., Registrar], product: Product) -> None:
    own = start_registrar(NAMEPLATE_MQTT_CONNECTIONS="3")
    open_ones = [own.connect() for _ in range(3)]
    time.sleep(0.2)
    with own.connect() as fourth, suppress(ConnectionError):
        assert received(fourth, until_end=True) == b""
    for connection in open_ones:
        connection.close()
    time.sleep(0.2)
    assert register(own).answer.device_secret


def test_it_answers_whom_it_is_deciding_about_when_it_is_asked_to_end(start_registrar: Callable[..., Registrar], product: Product) -> None:
    own = start_registrar()
    with own.connect() as idle, own.connect() as connection:
        with nobody_writes():
            connection.sendall(packet_of("a1LampKey01", "crate-1"))
            time.sleep(1)
            own.process.popen.terminate()
            time.sleep(0.3)
        assert received(connection, until_end=True).startswith(b"\x20\x02\x00\x00")
        with suppress(ConnectionError):
            assert idle.recv(1) == b""
    assert own.process.popen.wait(10) == 0


@pytest.mark.postgres
def test_twenty_physical_devices_of_one_name_register_at_once(registrar: Registrar, product: Product) -> None:
    with ThreadPoolExecutor(20) as pool:
        told = list(pool.map(lambda _n: register(registrar, "new-1", auth_type="regnwl").answer, range(20)))
    assert len({answer.client_id for answer in told} - {""}) == 20
    assert Device.objects.at(cast.home()).count() == 1
    assert ClientIdentity.objects.count() == 20


def test_several_devices_of_one_name_register_at_once_on_any_database(registrar: Registrar, product: Product) -> None:
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda _n: register(registrar, "new-1", auth_type="regnwl").answer, range(6)))
    assert len({answer.client_id for answer in told} - {""}) == 6
    assert Device.objects.at(cast.home()).count() == 1
