"""Devices with certificates at the real HAProxy with the lines of the broker's page, which asks the running server about each of them."""

import base64
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devices.models import Device
from products.models import BrokerKind, Product
from registration.mqtt import packets
from tests import cast, gateways, haproxy
from tests.gateways import Gateway
from tests.openssl_pki import Factory, Made, openssl
from tests.processes import Registrar, Server
from tests.registration import certificate_gateways, hooking, mutual_tls
from tests.registration.certificate_gateways import DEVICE, Certificates, is_let_in, logged, nothing_is_logged, pinned, product_of

pytestmark = pytest.mark.haproxy


@pytest.fixture(autouse=True)
def home(transactional_db: None) -> None:
    cast.home()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificate_gateways.make(Factory(tmp_path_factory.mktemp("factory")))


@pytest.fixture
def product(home: None, made: Certificates) -> Product:
    return product_of(made.root)


@pytest.fixture
def front(tmp_path: Path, running_server: Server, rsa_certificate: tuple[Path, Path], made: Certificates) -> Iterator[Gateway]:
    secret = hooking.broker(BrokerKind.HAPROXY).secret
    running = gateways.start_haproxy(tmp_path, console=running_server.url, secret=secret, tls=rsa_certificate, authorities=made.root.pem)
    yield running
    running.stop()


def sent(device: Made) -> str:
    """As HAProxy writes it into the header."""
    return base64.b64encode(der_of(device)).decode()


def der_of(device: Made) -> bytes:
    target = device.certificate.with_suffix(".der")
    openssl("x509", "-in", str(device.certificate), "-outform", "DER", "-out", str(target))
    return target.read_bytes()


def test_the_first_connection_lets_the_device_in_and_pins_its_certificate(front: Gateway, product: Product, made: Certificates) -> None:
    assert is_let_in(front.call(made.good))
    entry = logged()
    assert (entry.code, entry.device_name, entry.facts["broker"]) == ("accepted", DEVICE, "haproxy of cn-shanghai")
    assert pinned() == made.good.sha256
    assert is_let_in(front.call(made.good))


def test_another_certificate_of_the_same_ca_is_refused_and_the_log_has_both_fingerprints(
    front: Gateway, product: Product, made: Certificates
) -> None:
    assert is_let_in(front.call(made.good))
    assert not is_let_in(front.call(made.other))
    entry = logged(2)
    assert entry.code == "certificate_not_pinned"
    assert (entry.facts["expected"], entry.facts["seen"]) == (made.good.sha256, made.other.sha256)


@pytest.mark.parametrize("device", ["below", "deep"])
def test_intermediate_certificates_that_the_device_sends_are_handed_on(
    front: Gateway, product: Product, made: Certificates, device: str
) -> None:
    certificate = getattr(made, device)
    assert is_let_in(front.call(certificate, X_Product_Key=product.key))
    assert pinned() == certificate.sha256


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda version: version.name)
def test_it_is_there_at_the_next_connection_too(front: Gateway, product: Product, made: Certificates, version: ssl.TLSVersion) -> None:
    """A TLS session that is taken up again would have lost it."""
    first, second, reused = front.call_twice(made.below, f"/connect?product_key={product.key}", version)
    assert is_let_in(first) and is_let_in(second)
    assert not reused


@pytest.mark.parametrize(
    ("device", "number"), [("expired", "10"), ("early", "9"), ("server", "26"), ("self_signed", "18"), ("stranger", "21")]
)
def test_what_haproxy_does_not_accept_is_refused_with_its_number(
    front: Gateway, product: Product, made: Certificates, device: str, number: str
) -> None:
    assert not is_let_in(front.call(getattr(made, device), X_Product_Key=product.key))
    entry = logged()
    assert (entry.code, entry.facts["verify"]) == ("proxy_refused_certificate", number)
    assert not Device.objects.at(cast.home()).exists()


def test_who_has_no_certificate_is_refused(front: Gateway, product: Product) -> None:
    """Of whom HAProxy says verify=0 too."""
    assert not is_let_in(front.call(None, X_Product_Key=product.key))
    assert logged().code == "no_certificate"


FORGED: dict[str, Callable[[Certificates], list[tuple[str, str]]]] = {
    "as HAProxy writes it": lambda made: [
        ("X-SSL-Client-Used", "1"),
        ("X-SSL-Client-Verify", "0"),
        ("X-SSL-Client-DER", sent(made.good)),
    ],
    "with underscores": lambda made: [("X_SSL_Client_Used", "1"), ("X_SSL_Client_Verify", "0"), ("X_SSL_Client_DER", sent(made.good))],
    "twice": lambda made: [("X-SSL-Client-DER", sent(made.good)), ("x-ssl-client-der", sent(made.good)), ("X-SSL-Client-Used", "1")],
    "only the chain": lambda made: [("X-SSL-Client-Chain-DER", sent(made.good)), ("X-SSL-Client-Used", "1")],
    "as nginx writes it": lambda made: [("X-SSL-Client-Verify", "SUCCESS"), ("X-SSL-Client-Cert", made.good.pem.replace("\n", "%0A"))],
    "with a secret": lambda made: [("X-Proxy-Secret", "guessed"), ("X_Proxy_Secret", "guessed"), ("X-SSL-Client-DER", sent(made.good))],
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_header_that_the_client_writes_changes_nothing(front: Gateway, product: Product, made: Certificates, forged: str) -> None:
    """Without a certificate, and with one that is refused."""
    headers = [*FORGED[forged](made), ("X-Product-Key", product.key)]
    assert not is_let_in(front.send(None, "/connect", headers))
    assert logged().code == "no_certificate"
    assert not is_let_in(front.send(made.stranger, "/connect", headers))
    assert logged(2).code == "proxy_refused_certificate"
    assert not Device.objects.at(cast.home()).exists()


def test_nothing_but_the_question_gets_through(front: Gateway, product: Product, made: Certificates) -> None:
    for path in ("/", "/login/", "/hooks/haproxy/connect", "/connect/..", "/connectx"):
        assert front.call(made.good, path).status == 404
    assert nothing_is_logged()


def test_the_log_has_the_address_of_the_device_where_haproxy_is_a_trusted_proxy(
    tmp_path: Path, start_server: Callable[..., Server], rsa_certificate: tuple[Path, Path], product: Product, made: Certificates
) -> None:
    server = start_server(NAMEPLATE_TRUSTED_PROXIES="127.0.0.1", NAMEPLATE_PRODUCT_CACHE_SECONDS="0")
    secret = hooking.broker(BrokerKind.HAPROXY).secret
    front = gateways.start_haproxy(tmp_path, console=server.url, secret=secret, tls=rsa_certificate, authorities=made.root.pem)
    try:
        assert is_let_in(front.send(made.good, "/connect", [("X-Forwarded-For", "203.0.113.9")], source="127.0.0.9"))
    finally:
        front.stop()
    assert logged().address == "127.0.0.9"


def test_over_tls_it_asks_a_console_whose_certificate_it_believes(
    tmp_path: Path, tls_server: Server, rsa_certificate: tuple[Path, Path], product: Product, made: Certificates
) -> None:
    secret = hooking.broker(BrokerKind.HAPROXY).secret
    options: dict[str, Any] = {"console": f"https://localhost:{tls_server.port}", "tls": rsa_certificate, "authorities": made.root.pem}
    for believed, status in ((rsa_certificate[0], 200), (made.root.certificate, 503)):
        front = gateways.start_haproxy(tmp_path, secret=secret, trust=believed, **options)
        try:
            assert front.call(made.good).status == status
        finally:
            front.stop()
    assert logged().accepted


def test_over_mqtt_it_passes_tls_on_unopened_and_the_registrar_sees_the_certificate(
    tmp_path: Path, start_registrar: Callable[..., Registrar], rsa_certificate: tuple[Path, Path], product: Product, made: Certificates
) -> None:
    proxied = {"NAMEPLATE_MQTT_PROXY_PROTOCOL": "on", "NAMEPLATE_TRUSTED_PROXIES": "127.0.0.1", "NAMEPLATE_MQTT_UPSTREAM": "embedded"}
    behind = start_registrar(tls=rsa_certificate, **proxied)
    front = haproxy.start(tmp_path, registrar=behind.port, broker=9, registrar_tls=behind.tls_port)
    before = replace(behind, tls_port=front.certificates_port)
    try:
        assert mutual_tls.knock(before, mutual_tls.context(before, made.below)) == packets.ACCEPTED
        assert mutual_tls.newest(1).facts["certificate"] == made.below.sha256
        assert mutual_tls.knock(before, mutual_tls.context(before, made.good)) == packets.WRONG_CREDENTIALS
        assert mutual_tls.newest(2).code == "certificate_not_pinned"
    finally:
        front.stop()
