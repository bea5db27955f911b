"""Devices with certificates at the real nginx with the lines of the broker's page, which asks the running server about each of them."""

import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from devices.models import Device
from products.models import BrokerKind, Product
from tests import cast, gateways
from tests.gateways import Gateway
from tests.openssl_pki import Factory, Made
from tests.processes import Server
from tests.registration import certificate_gateways, hooking
from tests.registration.certificate_gateways import DEVICE, Certificates, is_let_in, logged, nothing_is_logged, pinned, product_of, trust

pytestmark = pytest.mark.nginx
OVER_TLS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda version: version.name)


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
def service() -> Iterator[tuple[int, list[dict[str, str]]]]:
    """The port of a service behind nginx, and the headers and the body of each request that reached it."""
    heard: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            heard.append({name.lower(): value for name, value in self.headers.items()} | {"body": body.decode(), "path": self.path})
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        do_GET = do_POST = _do  # noqa: N815

        def log_message(self, *args: Any) -> None:
            pass

    running = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield running.server_port, heard
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def front(
    tmp_path: Path, running_server: Server, rsa_certificate: tuple[Path, Path], service: tuple[int, list[dict[str, str]]]
) -> Iterator[Gateway]:
    secret = hooking.broker(BrokerKind.NGINX).secret
    running = gateways.start_nginx(tmp_path, console=running_server.url, secret=secret, tls=rsa_certificate, service=service[0])
    yield running
    running.stop()


def sent(device: Made) -> str:
    """As nginx writes it into the header."""
    return quote(device.pem)


@OVER_TLS
def test_the_first_connection_lets_the_device_in_and_pins_its_certificate(
    front: Gateway, product: Product, made: Certificates, version: ssl.TLSVersion
) -> None:
    assert is_let_in(front.send(made.good, "/connect", [], tls=version))
    entry = logged()
    assert (entry.code, entry.device_name, entry.event) == ("accepted", DEVICE, "connection")
    assert entry.facts["broker"] == "nginx of cn-shanghai"
    assert pinned() == made.good.sha256
    assert Device.objects.at(cast.home()).get().activated_at
    assert is_let_in(front.call(made.good))


def test_another_certificate_of_the_same_ca_is_refused_and_the_log_has_both_fingerprints(
    front: Gateway, product: Product, made: Certificates
) -> None:
    assert is_let_in(front.call(made.good))
    assert not is_let_in(front.call(made.other))
    entry = logged(2)
    assert entry.code == "certificate_not_pinned"
    assert (entry.facts["expected"], entry.facts["seen"]) == (made.good.sha256, made.other.sha256)
    assert pinned() == made.good.sha256
    assert is_let_in(front.call(made.good))


@pytest.mark.parametrize(
    ("device", "code"),
    [
        ("expired", "certificate_expired"),
        ("early", "certificate_not_yet_valid"),
        ("server", "certificate_extended_key_usage"),
        ("self_signed", "certificate_issuer_unknown"),
        ("stranger", "certificate_issuer_unknown"),
    ],
)
def test_each_is_refused_for_its_own_reason(front: Gateway, product: Product, made: Certificates, device: str, code: str) -> None:
    assert not is_let_in(front.call(getattr(made, device), X_Product_Key=product.key))
    entry = logged()
    assert (entry.code, entry.accepted) == (code, False)
    assert not Device.objects.at(cast.home()).exists()


def test_who_has_no_certificate_is_refused(front: Gateway, product: Product) -> None:
    assert not is_let_in(front.call(None, X_Product_Key=product.key))
    assert logged().code == "no_certificate"


@OVER_TLS
def test_a_session_that_is_taken_up_again_is_judged_again(
    front: Gateway, product: Product, made: Certificates, version: ssl.TLSVersion
) -> None:
    """TLS looks at the certificate once, the console every time."""
    first, second, reused = front.call_twice(made.good, "/connect", version)
    assert is_let_in(first) and is_let_in(second)
    assert reused
    first, second, reused = front.call_twice(made.expired, f"/connect?product_key={product.key}", version)
    assert not is_let_in(first) and not is_let_in(second)
    assert reused
    assert logged(4).code == "certificate_expired"


def test_below_an_intermediate_ca_the_console_needs_that_one(front: Gateway, product: Product, made: Certificates) -> None:
    """nginx hands on the device's certificate alone."""
    assert not is_let_in(front.call(made.below, X_Product_Key=product.key))
    assert logged().code == "certificate_issuer_unknown"
    trust(product, made.line)
    assert is_let_in(front.call(made.below, X_Product_Key=product.key))
    assert pinned() == made.below.sha256


FORGED: dict[str, Callable[[Certificates], list[tuple[str, str]]]] = {
    "as nginx writes it": lambda made: [("X-SSL-Client-Verify", "SUCCESS"), ("X-SSL-Client-Cert", sent(made.good))],
    "with underscores": lambda made: [("X_SSL_Client_Verify", "SUCCESS"), ("X_SSL_Client_Cert", sent(made.good))],
    "twice": lambda made: [("X-SSL-Client-Cert", sent(made.good)), ("x-ssl-client-cert", sent(made.good))],
    "as Envoy writes it": lambda made: [("X-Forwarded-Client-Cert", f'Cert="{sent(made.good)}"')],
    "with a secret": lambda made: [
        ("X-Proxy-Secret", "guessed"),
        ("X-SSL-Client-Cert", sent(made.good)),
        ("X-SSL-Client-Verify", "SUCCESS"),
    ],
    "with a bearer token": lambda made: [("Authorization", "Bearer guessed"), ("X-SSL-Client-Cert", sent(made.good))],
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_header_that_the_client_writes_changes_nothing(front: Gateway, product: Product, made: Certificates, forged: str) -> None:
    """Without a certificate, and with one that is refused."""
    headers = [*FORGED[forged](made), ("X-Product-Key", product.key)]
    assert not is_let_in(front.send(None, "/connect", headers))
    assert logged().code == "no_certificate"
    assert not is_let_in(front.send(made.stranger, "/connect", headers))
    assert logged(2).code == "certificate_issuer_unknown"
    assert not is_let_in(front.send(made.expired, "/connect", headers))
    assert logged(3).code == "certificate_expired"
    assert not Device.objects.at(cast.home()).exists()


def test_a_device_reaches_the_service_behind_nginx_under_its_own_names(
    front: Gateway, product: Product, made: Certificates, service: tuple[int, list[dict[str, str]]]
) -> None:
    """What it writes under these names is gone, what it tells the service stays its own."""
    forged = [("X-Device-Name", "crate-2"), ("X-Device-Product-Key", "another"), ("X_Device_Name", "crate-2")]
    forged += [("Authorization", "Bearer of the service")]
    answer = front.send(made.good, "/readings?day=1", forged, body=b"21.5")
    assert (answer.status, answer.body) == (200, b"ok")
    heard = service[1].pop()
    assert (heard["path"], heard["body"]) == ("/readings?day=1", "21.5")
    assert (heard["x-device-product-key"], heard["x-device-name"]) == (product.key, DEVICE)
    assert heard["authorization"] == "Bearer of the service"
    assert "x-proxy-secret" not in heard and "x_device_name" not in heard
    assert logged().accepted
    assert pinned() == made.good.sha256


@pytest.mark.parametrize("device", ["none", "other", "expired", "self_signed", "stranger"])
def test_who_is_refused_does_not_reach_the_service(
    front: Gateway, product: Product, made: Certificates, service: tuple[int, list[dict[str, str]]], device: str
) -> None:
    assert is_let_in(front.call(made.good))
    answer = front.send(getattr(made, device, None), "/readings", [("X-Device-Name", DEVICE), ("X-Product-Key", product.key)], body=b"21.5")
    assert answer.status == 403
    assert not service[1]
    assert not logged(2).accepted


def test_nobody_calls_the_question_or_the_hook_from_outside(front: Gateway, product: Product, made: Certificates) -> None:
    assert front.call(made.good, "/certificate").status == 404
    assert nothing_is_logged()


def test_while_the_console_is_away_nobody_is_let_in(tmp_path: Path, rsa_certificate: tuple[Path, Path], made: Certificates) -> None:
    """Nothing listens on the discard port."""
    alone = gateways.start_nginx(tmp_path, console="http://127.0.0.1:9", secret="x", tls=rsa_certificate)
    try:
        assert alone.call(made.good).status == 502
        assert alone.call(made.good, "/readings").status == 500
    finally:
        alone.stop()


def test_the_log_has_the_address_of_the_device_where_nginx_is_a_trusted_proxy(
    tmp_path: Path, start_server: Callable[..., Server], rsa_certificate: tuple[Path, Path], product: Product, made: Certificates
) -> None:
    server = start_server(NAMEPLATE_TRUSTED_PROXIES="127.0.0.1", NAMEPLATE_PRODUCT_CACHE_SECONDS="0")
    secret = hooking.broker(BrokerKind.NGINX).secret
    front = gateways.start_nginx(tmp_path, console=server.url, secret=secret, tls=rsa_certificate)
    try:
        assert is_let_in(front.send(made.good, "/connect", [("X-Forwarded-For", "203.0.113.9")], source="127.0.0.9"))
    finally:
        front.stop()
    assert logged().address == "127.0.0.9"


def test_over_tls_it_asks_a_console_whose_certificate_it_believes(
    tmp_path: Path, tls_server: Server, rsa_certificate: tuple[Path, Path], product: Product, made: Certificates
) -> None:
    secret = hooking.broker(BrokerKind.NGINX).secret
    url = f"https://localhost:{tls_server.port}"
    for believed, status in ((rsa_certificate[0], 200), (made.root.certificate, 502)):
        front = gateways.start_nginx(tmp_path, console=url, secret=secret, tls=rsa_certificate, trust=believed)
        try:
            assert front.call(made.good).status == status
        finally:
            front.stop()
    assert logged().accepted


@pytest.mark.haproxy
def test_no_proxy_tells_its_secret_to_a_server_of_another_name(
    tmp_path: Path, start_server: Callable[..., Server], rsa_certificate: tuple[Path, Path], product: Product, made: Certificates
) -> None:
    """Its certificate is believed, and is of another host than the one that was called."""
    (tmp_path / "other").mkdir()
    other = Factory(tmp_path / "other").device("other.example.com", None, purpose="serverAuth")
    server = start_server(tls=(other.certificate, other.key))
    options: dict[str, Any] = {"console": f"https://localhost:{server.port}", "tls": rsa_certificate, "trust": other.certificate}
    nginx = gateways.start_nginx(tmp_path, secret=hooking.broker(BrokerKind.NGINX).secret, **options)
    haproxy = gateways.start_haproxy(tmp_path, secret=hooking.broker(BrokerKind.HAPROXY).secret, authorities=made.root.pem, **options)
    try:
        assert (nginx.call(made.good).status, haproxy.call(made.good).status) == (502, 503)
        nginx.process.wait_for_output("does not match")
    finally:
        nginx.stop()
        haproxy.stop()
    assert nothing_is_logged()
