"""TLS, the PROXY protocol, and the broker behind the registrar."""

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from products.models import Product
from registration.models import DeviceLogEntry
from registration.servers.proxy_header import Origin, write_v2
from tests import cast, processes
from tests.processes import Registrar
from tests.registration.mqtt_knocking import connecting, knock, log_entry, packet_of, received
from tests.registration.upstream import ListeningBroker

ACCEPTED = b"\x20\x02\x00\x00"
RSA_CBC = ["AES256-SHA256", "AES128-SHA256", "AES256-SHA", "AES128-SHA"]
"""What Alibaba's C SDKs 3.x and 4.x offer, and all that they offer."""


@pytest.fixture(autouse=True)
def home(transactional_db: None) -> None:
    cast.home()


@pytest.fixture
def product(transactional_db: None) -> Product:
    product = cast.lamp(preregistration_free=True)
    cast.row(product, "crate-1")
    return product


@pytest.fixture(scope="module")
def legacy(django_db_setup: None, process_folder: Path, rsa_certificate: tuple[Path, Path]) -> Iterator[Registrar]:
    own = processes.start_registrar(
        process_folder, tls=rsa_certificate, NAMEPLATE_MQTT_TLS_PROFILE="legacy-rsa-cbc", NAMEPLATE_PRODUCT_CACHE_SECONDS="0"
    )
    yield own
    own.stop()


def openssl(registrar: Registrar, packet: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
    """An s_client that sends the packet and prints what comes; it goes when the server does, or after three seconds."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{registrar.tls_port}", "-tls1_2", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
        assert client.stdin
        client.stdin.write(packet)
        client.stdin.flush()
        time.sleep(1.5)
        out, err = client.communicate(timeout=20)
        return subprocess.CompletedProcess(command, client.returncode, out, err)


def test_a_device_registers_over_tls(registrar: Registrar, product: Product) -> None:
    with registrar.connect_tls() as connection:
        assert connection.version() == "TLSv1.3"
        connection.sendall(packet_of("a1LampKey01", "crate-1"))
        assert received(connection).startswith(ACCEPTED)


@pytest.mark.parametrize("suite", RSA_CBC)
def test_the_legacy_profile_registers_firmware_that_knows_only_rsa_and_cbc(legacy: Registrar, product: Product, suite: str) -> None:
    done = openssl(legacy, packet_of("a1LampKey01", "crate-1"), "-cipher", f"{suite}:@SECLEVEL=0", "-quiet", "-no_ign_eof")
    assert b"/ext/register" in done.stdout, done.stderr.decode()[-400:]
    assert log_entry(device_name="crate-1").code == "accepted"


def test_the_legacy_profile_still_prefers_forward_secrecy(legacy: Registrar) -> None:
    with legacy.connect_tls() as connection:
        assert connection.version() == "TLSv1.3"
    done = openssl(legacy, b"", "-cipher", "AES256-SHA:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")
    assert b"Cipher is ECDHE-RSA-AES128-GCM-SHA256" in done.stdout


def test_the_standard_profile_refuses_rsa_key_exchange_and_the_log_says_why(registrar: Registrar) -> None:
    done = openssl(registrar, b"", "-cipher", "AES256-SHA256:@SECLEVEL=0")
    assert b"Cipher is (NONE)" in done.stdout
    entry = log_entry(saying="The TLS handshake failed.")
    assert (entry.code, entry.path, entry.facts["tls"]) == ("malformed", ["The TLS handshake failed."], "NO_SHARED_CIPHER")


def test_it_refuses_tls_1_1(legacy: Registrar) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", legacy.tls_port), timeout=5) as raw, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(raw)


def test_a_client_that_is_slow_at_its_handshake_is_let_go(registrar: Registrar, product: Product) -> None:
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", registrar.tls_port), timeout=10) as slow:
        slow.sendall(b"\x16\x03\x01")
        with suppress(ConnectionError):
            assert slow.recv(10) == b""
    assert time.monotonic() - started < 7
    assert log_entry(saying="No complete CONNECT came in time.").path == ["No complete CONNECT came in time."]


def test_plain_mqtt_at_the_tls_port_is_no_handshake(registrar: Registrar) -> None:
    with socket.create_connection(("127.0.0.1", registrar.tls_port), timeout=10) as connection:
        connection.sendall(connecting())
        connection.recv(100)
    assert log_entry(saying="The TLS handshake failed.").path == ["The TLS handshake failed."]


@pytest.mark.parametrize("host", ["frankfurt.devices.test", "FRANKFURT.devices.test"])
def test_the_host_that_the_device_called_decides_the_data_center(registrar: Registrar, product: Product, host: str) -> None:
    cast.frankfurt()
    with registrar.connect_tls(host) as connection:
        connection.sendall(packet_of("a1LampKey01", "crate-1"))
        assert received(connection).startswith(ACCEPTED)
    assert DeviceLogEntry.objects.at(cast.frankfurt()).get().accepted


V1_TCP6 = b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 1883\r\n"
HEADERS = {
    "v2, IPv4": (write_v2(Origin("203.0.113.9", 4711), ("192.0.2.1", 1883)), "203.0.113.9"),
    "v2, IPv6": (write_v2(Origin("2001:db8::7", 4711), ("2001:db8::1", 1883)), "2001:db8::7"),
    "v2, with a host": (write_v2(Origin("203.0.113.9", 1, "frankfurt.devices.test"), ("192.0.2.1", 1883)), "203.0.113.9"),
    "v2, for itself": (write_v2(Origin(), ("192.0.2.1", 1883)), "127.0.0.1"),
    "v1, IPv4": (b"PROXY TCP4 203.0.113.9 192.0.2.1 4711 1883\r\n", "203.0.113.9"),
    "v1, IPv6": (V1_TCP6, "2001:db8::7"),
    "v1, unknown": (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
}


@pytest.mark.parametrize(("header", "address"), HEADERS.values(), ids=list(HEADERS))
def test_the_address_that_a_trusted_proxy_names_is_in_the_log(
    proxied_registrar: Registrar, product: Product, header: bytes, address: str
) -> None:
    cast.frankfurt()
    with proxied_registrar.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in header[:20]:
            connection.sendall(bytes([byte]))
        connection.sendall(header[20:] + packet_of("a1LampKey01", "crate-1"))
        assert received(connection).startswith(ACCEPTED)
    entry = log_entry(device_name="crate-1")
    assert (entry.code, entry.address) == ("accepted", address)
    assert entry.data_center == (cast.frankfurt() if b"frankfurt" in header else cast.home())


@pytest.mark.parametrize(
    "header",
    [
        b"PROXY TCP4 203.0.113.9\r\n",
        b"PROXY TCP4 not.an.address 192.0.2.1 4711 1883\r\n",
        b"PROXY " + b"x" * 300,
        write_v2(Origin("203.0.113.9", 4711), ("192.0.2.1", 1883))[:12] + b"\x31\x11\x00\x0c" + b"x" * 12,
        write_v2(Origin(), ("", 0))[:14] + b"\xff\xff",
    ],
    ids=["v1 short", "v1 no address", "v1 endless", "version 3", "v2 endless"],
)
def test_it_refuses_what_is_no_proxy_header(proxied_registrar: Registrar, header: bytes) -> None:
    with proxied_registrar.connect() as connection:
        connection.sendall(header)
        with suppress(ConnectionError):
            assert connection.recv(100) == b""
    assert log_entry(saying="PROXY protocol header").code == "malformed"


def test_a_proxy_header_comes_before_tls(
    start_registrar: Callable[..., Registrar], product: Product, rsa_certificate: tuple[Path, Path]
) -> None:
    own = start_registrar(tls=rsa_certificate, NAMEPLATE_MQTT_PROXY_PROTOCOL="on", NAMEPLATE_TRUSTED_PROXIES="127.0.0.0/8")
    raw = socket.create_connection(("127.0.0.1", own.tls_port), timeout=10)
    raw.sendall(write_v2(Origin("203.0.113.9", 4711), ("192.0.2.1", 8883)))
    with ssl.create_default_context(cafile=str(rsa_certificate[0])).wrap_socket(raw, server_hostname="localhost") as connection:
        connection.sendall(packet_of("a1LampKey01", "crate-1"))
        assert received(connection).startswith(ACCEPTED)
    assert DeviceLogEntry.objects.get().address == "203.0.113.9"


def test_it_refuses_to_start_behind_a_proxy_that_nobody_named(process_folder: Path, transactional_db: None) -> None:
    with pytest.raises(AssertionError, match="NAMEPLATE_TRUSTED_PROXIES"):
        processes.start_registrar(process_folder, NAMEPLATE_MQTT_PROXY_PROTOCOL="on")


def test_it_refuses_a_key_that_is_not_the_certificate_s(process_folder: Path, tmp_path: Path, rsa_certificate: tuple[Path, Path]) -> None:
    with pytest.raises(AssertionError, match="cannot start"):
        processes.start_registrar(process_folder, tls=(rsa_certificate[0], shutil.copy(rsa_certificate[0], tmp_path / "key.pem")))


@pytest.mark.parametrize("proxy_header", [True, False])
@pytest.mark.parametrize("over_tls", [True, False])
def test_what_is_no_registration_is_passed_on_to_the_broker(
    start_registrar: Callable[..., Registrar], product: Product, rsa_certificate: tuple[Path, Path], proxy_header: bool, over_tls: bool
) -> None:
    with ListeningBroker(proxy_header) as broker:
        switched = {"NAMEPLATE_MQTT_UPSTREAM_PROXY_PROTOCOL": "on"} if proxy_header else {}
        own = start_registrar(tls=rsa_certificate, NAMEPLATE_MQTT_UPSTREAM=f"127.0.0.1:{broker.port}", **switched)
        with own.connect_tls() if over_tls else own.connect() as connection:
            connection.sendall(connecting() + b"\xc0\x00")
            first = connection.recv(100)
            while len(first) < 4:
                first += connection.recv(100)
            assert first[:4] == ACCEPTED
            much = bytes(range(256)) * 8192
            connection.settimeout(20)
            back = _echoed(connection, much)
            assert back == much
            own_port = connection.getsockname()[1]
        assert knock(own.connect(), packet_of("a1LampKey01", "crate-1")).answer.accepted
        [heard] = broker.heard
        assert heard.received == connecting() + b"\xc0\x00" + much
        assert heard.origin == (Origin("127.0.0.1", own_port) if proxy_header else None)
    with own.connect() as connection:
        connection.sendall(connecting())
        assert received(connection, until_end=True) == b"\x20\x02\x00\x03"


def _echoed(connection: socket.socket, much: bytes) -> bytes:
    """Sends while it reads: neither end can hold all of it."""
    back, at = b"", 0
    while len(back) < len(much):
        if at < len(much) and at - len(back) < 200_000:
            at += connection.send(much[at : at + 65536])
        else:
            piece = connection.recv(65536)
            assert piece, "it ended too early"
            back += piece
    return back
