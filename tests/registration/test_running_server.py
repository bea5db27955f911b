"""The traps that real firmware falls into, each against the running server (N1; docs/divergences.md)."""

import json
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from console.shared import keyring
from devices.models import Device
from products.models import Product, ProductSecret
from registration.models import DeviceLogEntry
from registration.protocols.base import Answer, Credentials, Reply, Request
from registration.protocols.wire import compact_json
from registration.services.schemes import schemes
from tests import cast
from tests.processes import Server
from tests.registration.golden import ACCEPTED, REFUSED, Golden
from tests.registration.knocking import SECRETS, request_of
from tests.registration.raw_http import RawAnswer, exchange, golden_bytes, read_answer, request_bytes

VENDORS = pytest.mark.parametrize("protocol", ["alibaba", "tencent-new", "tencent-old"])
EVERY = pytest.mark.parametrize("protocol", ["alibaba", "tencent-new", "tencent-old", "native"])
PATHS = {name: scheme.path for name, scheme in schemes().items()}


@pytest.fixture(autouse=True)
def home(transactional_db: None) -> None:
    cast.home()


@pytest.fixture
def product(transactional_db: None) -> Product:
    product = cast.tracker()
    cast.row(product, "crate-1")
    return product


def product_of(golden: Golden) -> Product:
    """The vector's product, stored without the check of given keys: some vectors have a placeholder for one."""
    product = Product.objects.create(
        name=golden.id,
        key=golden.product_key,
        wire_protocol=golden.protocol.partition("-")[0],
        device_name_kind="free",
        status="published",
        dynamic_registration=True,
        per_product_secret=True,
        created_at=cast.NOON,
    )
    secret = ProductSecret(product=product, made_at=cast.NOON)
    secret.sealed = keyring.seal(golden.product_secret, owner=secret.owner())
    secret.save()
    cast.row(product, golden.device_name)
    return product


def composed(protocol: str, name: str = "crate-1", secret: str = "") -> Request:
    credentials = Credentials("L4WG9V9M2M", secret or SECRETS["L4WG9V9M2M"], name)
    return request_of(protocol, credentials, host="127.0.0.1", at=datetime.now(UTC))


def bytes_of(request: Request, **changes: str) -> bytes:
    headers = {"Host": "127.0.0.1", **request.headers, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return request_bytes(request.path, headers, request.body)


def understood(protocol: str, answer: RawAnswer) -> Answer:
    status = int(answer.status_line.split()[1])
    return schemes()[protocol].read(Reply(answer.body, status=status), SECRETS["L4WG9V9M2M"])


def register(server: Server, protocol: str, name: str = "crate-1", **changes: str) -> RawAnswer:
    with server.connect() as connection:
        return exchange(connection, bytes_of(composed(protocol, name), **changes))


@pytest.mark.parametrize("golden", [one for one in ACCEPTED if one.protocol != "native"], ids=lambda golden: golden.id)
def test_it_registers_what_a_real_client_sent(running_server: Server, golden: Golden) -> None:
    product = product_of(golden)
    with running_server.connect() as connection:
        answer = exchange(connection, golden_bytes(golden))
    told = schemes()[golden.protocol].read(Reply(answer.body), golden.product_secret)
    device = Device.objects.at(cast.home()).get()
    assert (device.product_id, device.device_name) == (product.pk, golden.device_name)
    assert told.device_secret == keyring.unseal(device.sealed_secret, owner=device.secret_owner())
    assert DeviceLogEntry.objects.get().accepted


@pytest.mark.parametrize("golden", REFUSED, ids=lambda golden: golden.id)
def test_it_refuses_what_the_vendor_refused(running_server: Server, golden: Golden) -> None:
    product_of(golden)
    with running_server.connect() as connection:
        answer = exchange(connection, golden_bytes(golden))
    assert json.loads(answer.body)["code"] == 1010
    assert "hexadecimal" in DeviceLogEntry.objects.get().path[-1]


@pytest.mark.parametrize("golden", [one for one in ACCEPTED if one.protocol == "native"], ids=lambda golden: golden.id)
def test_it_refuses_a_native_request_of_another_day(running_server: Server, golden: Golden) -> None:
    with running_server.connect() as connection:
        answer = exchange(connection, golden_bytes(golden))
    assert json.loads(answer.body)["code"] == "outside_window"


@VENDORS
@pytest.mark.parametrize("name", ["crate-1", "stranger"])
def test_the_answer_is_http_1_1_200_with_few_short_headers_in_the_usual_letter_case(
    running_server: Server, product: Product, protocol: str, name: str
) -> None:
    answer = register(running_server, protocol, name)
    assert answer.status_line.startswith("HTTP/1.1 200 ")
    assert answer.header("Content-Length") == str(len(answer.body))
    assert answer.header("Content-Type") == "application/json"
    assert {header for header, _ in answer.headers} <= {"Server", "Date", "Connection", "Content-Type", "Content-Length"}
    assert max(map(len, answer.head.split(b"\r\n"))) < 127
    assert len(answer.head) < 1000
    assert len(answer.body) <= 255
    assert compact_json(json.loads(answer.body)) == answer.body


def test_alibaba_s_code_comes_first_and_is_a_number(running_server: Server, product: Product) -> None:
    assert register(running_server, "alibaba").body.startswith(b'{"code":200,"data":{"deviceName":"crate-1"')
    assert register(running_server, "alibaba", "stranger").body.startswith(b'{"code":6100,"message":"')


@VENDORS
def test_every_refusal_is_http_200(running_server: Server, product: Product, protocol: str) -> None:
    wrong, good = bytes_of(composed(protocol, secret="x" * 24)), bytes_of(composed(protocol))
    broken = request_bytes(PATHS[protocol], {"Host": "127.0.0.1"}, b"{not a request")
    for switches in ({"status": "developing"}, {"dynamic_registration": False}):
        Product.objects.update(**({"status": "published", "dynamic_registration": True} | switches))
        for sent in (wrong, good, broken):
            with running_server.connect() as connection:
                assert exchange(connection, sent).status_line.startswith("HTTP/1.1 200 ")
    assert not Device.objects.at(cast.home()).exists()


@EVERY
def test_a_body_in_chunks_is_read_and_the_answer_has_none(running_server: Server, product: Product, protocol: str) -> None:
    request = composed(protocol)
    half = len(request.body) // 2
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (request.body[:half], request.body[half:])) + b"0\r\n\r\n"
    sent = request_bytes(request.path, {"Host": "127.0.0.1", **request.headers, "Transfer-Encoding": "chunked"}, chunks)
    with running_server.connect() as connection:
        answer = exchange(connection, sent)
    assert understood(protocol, answer).device_secret
    assert answer.header("Transfer-Encoding") is None
    assert answer.header("Content-Length") == str(len(answer.body))


@EVERY
def test_a_client_of_http_1_0_is_answered_and_the_connection_closed(running_server: Server, product: Product, protocol: str) -> None:
    request = composed(protocol)
    sent = request_bytes(request.path, {"Host": "127.0.0.1", **request.headers}, request.body, version="HTTP/1.0")
    with running_server.connect() as connection:
        answer = exchange(connection, sent)
        assert understood(protocol, answer).device_secret
        assert connection.recv(1) == b""


@VENDORS
def test_a_client_that_asks_for_it_is_closed_at_once(running_server: Server, product: Product, protocol: str) -> None:
    started = time.monotonic()
    with running_server.connect() as connection:
        assert understood(protocol, exchange(connection, bytes_of(composed(protocol), Connection="close"))).device_secret
        assert connection.recv(1) == b""
    assert time.monotonic() - started < 5, "Tencent's C client waits for the end of the connection, we would keep it for ten seconds"


def test_a_client_that_keeps_its_connection_may_use_it_again(running_server: Server, product: Product) -> None:
    with running_server.connect() as connection:
        secrets = {understood("alibaba", exchange(connection, bytes_of(composed("alibaba")))).device_secret for _ in range(3)}
    assert len(secrets) == 1 and "" not in secrets


@pytest.mark.parametrize("spelling", [str.lower, str.upper, str.title])
def test_the_names_of_tencent_s_headers_come_in_any_letter_case(running_server: Server, product: Product, spelling: type[str]) -> None:
    request = composed("tencent-new")
    headers = {spelling(name): value for name, value in request.headers.items()}
    with running_server.connect() as connection:
        answer = exchange(connection, request_bytes(request.path, {"Host": "127.0.0.1", **headers}, request.body))
    assert understood("tencent-new", answer).device_secret


def test_urllib_registers(running_server: Server, product: Product) -> None:
    request = composed("tencent-new")
    call = urllib.request.Request(running_server.url + request.path, request.body, dict(request.headers))
    with urllib.request.urlopen(call) as response:
        assert json.load(response)["Response"]["Payload"]


@VENDORS
def test_a_head_and_a_body_that_come_apart_are_one_request(running_server: Server, product: Product, protocol: str) -> None:
    request = composed(protocol)
    sent = bytes_of(request)
    with running_server.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(sent[: -len(request.body)])
        time.sleep(0.3)
        connection.sendall(sent[-len(request.body) :])
        assert understood(protocol, read_answer(connection)).device_secret


def test_the_content_type_of_tencent_s_old_interface_means_nothing(running_server: Server, product: Product) -> None:
    request = composed("tencent-old")
    for headers in ({"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "application/json;charset=UTF-8"}, {}):
        with running_server.connect() as connection:
            answer = exchange(connection, request_bytes(request.path, {"Host": "127.0.0.1", **headers}, request.body))
        assert understood("tencent-old", answer).device_secret


@EVERY
def test_a_body_that_no_device_sends_is_refused_and_the_server_goes_on(running_server: Server, product: Product, protocol: str) -> None:
    with running_server.connect() as connection:
        answer = exchange(connection, request_bytes(PATHS[protocol], {"Host": "127.0.0.1"}, b"x" * 1_000_000))
    assert answer.status_line.split()[1] in ("200", "400")
    assert DeviceLogEntry.objects.get().code == "malformed"
    assert understood(protocol, register(running_server, protocol)).device_secret


def test_a_length_without_a_body_is_answered_when_the_client_gives_up(running_server: Server) -> None:
    with running_server.connect() as connection:
        connection.sendall(request_bytes(PATHS["alibaba"], {"Host": "127.0.0.1", "Content-Length": "100"}, b"productKey="))
        connection.shutdown(socket.SHUT_WR)
        assert b'"code":460' in read_answer(connection).body


def test_slow_bodies_do_not_hold_up_the_others(running_server: Server, product: Product) -> None:
    slow = [running_server.connect() for _ in range(3)]
    try:
        for connection in slow:
            connection.sendall(request_bytes(PATHS["alibaba"], {"Host": "127.0.0.1", "Content-Length": "100"}, b"productKey="))
        time.sleep(0.3)
        started = time.monotonic()
        assert understood("tencent-old", register(running_server, "tencent-old")).device_secret
        assert time.monotonic() - started < 4, "the slow ones are waited for five seconds"
        assert b'"code":460' in read_answer(slow[0]).body, "a body that does not come is not waited for"
    finally:
        for connection in slow:
            connection.close()


@EVERY
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_it_refuses_another_method(running_server: Server, protocol: str, method: str) -> None:
    with running_server.connect() as connection:
        answer = exchange(connection, request_bytes(PATHS[protocol], {"Host": "127.0.0.1"}, b"", method=method))
    assert answer.status_line.split()[1] == "405"
    assert answer.header("Allow") == "POST"


@EVERY
def test_a_trailing_slash_leads_nowhere(running_server: Server, product: Product, protocol: str) -> None:
    request = composed(protocol)
    with running_server.connect() as connection:
        answer = exchange(connection, request_bytes(request.path + "/", {"Host": "127.0.0.1", **request.headers}, request.body))
    assert answer.status_line.split()[1] in ("401", "403", "404")  # 401 under the management API's own addresses.
    assert answer.header("Location") is None
    assert not DeviceLogEntry.objects.exists()


@VENDORS
@pytest.mark.parametrize("host", ["frankfurt.devices.test", "FRANKFURT.devices.test:443"])
def test_the_host_decides_the_data_center(running_server: Server, product: Product, protocol: str, host: str) -> None:
    request = request_of(protocol, Credentials(product.key, SECRETS[product.key], "crate-1"), host=host, at=datetime.now(UTC))
    cast.frankfurt()
    with running_server.connect() as connection:
        exchange(connection, request_bytes(request.path, {"Host": host, **request.headers}, request.body))
    assert Device.objects.at(cast.frankfurt()).count() == DeviceLogEntry.objects.at(cast.frankfurt()).count() == 1
    assert not Device.objects.at(cast.home()).exists()


@pytest.mark.parametrize("host", ["iot-auth.cn-shanghai.aliyuncs.com", "ap-guangzhou.gateway.tencentdevices.com", "192.0.2.1:8080", "a_b"])
@VENDORS
def test_an_unknown_host_leads_home(running_server: Server, product: Product, protocol: str, host: str) -> None:
    cast.frankfurt()
    request = request_of(protocol, Credentials(product.key, SECRETS[product.key], "crate-1"), host=host, at=datetime.now(UTC))
    with running_server.connect() as connection:
        exchange(connection, request_bytes(request.path, {"Host": host, **request.headers}, request.body))
    assert Device.objects.at(cast.home()).count() == 1


def test_a_stranger_s_forwarded_address_is_not_believed(running_server: Server, product: Product) -> None:
    register(running_server, "alibaba", X_Forwarded_For="203.0.113.9")
    assert DeviceLogEntry.objects.get().address == "127.0.0.1"


def test_the_address_behind_a_trusted_proxy_is_in_the_log(start_server: Callable[..., Server], product: Product) -> None:
    server = start_server(NAMEPLATE_TRUSTED_PROXIES="127.0.0.1", NAMEPLATE_PRODUCT_CACHE_SECONDS="0")
    register(server, "alibaba", X_Forwarded_For="192.0.2.99, 203.0.113.9")
    assert DeviceLogEntry.objects.get().address == "203.0.113.9"


@VENDORS
def test_over_tls_the_connection_stays_open_after_the_answer(tls_server: Server, product: Product, protocol: str) -> None:
    with tls_server.connect() as connection:
        assert understood(protocol, exchange(connection, bytes_of(composed(protocol)))).device_secret
        connection.settimeout(2.5)
        with pytest.raises((TimeoutError, ssl.SSLWantReadError)):
            connection.recv(1)


@pytest.mark.parametrize("suite", ["AES256-SHA256", "AES128-SHA", "ECDHE-RSA-AES256-GCM-SHA384"])
def test_the_legacy_profile_speaks_with_old_firmware(tls_server: Server, suite: str) -> None:
    command = ["openssl", "s_client", "-connect", f"{tls_server.host}:{tls_server.port}", "-tls1_2", "-cipher", f"{suite}:@SECLEVEL=0"]
    done = subprocess.run([*command, "-servername", "localhost"], input=b"", capture_output=True, timeout=20, check=False)
    assert f"Cipher is {suite}".encode() in done.stdout, done.stderr.decode()[-400:]
