"""The doors inside Django: exact bytes, exact headers, POST alone; and the address behind proxies."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from console.shared.addresses import client_address
from products.services import lookup
from registration.models import DeviceLogEntry
from registration.protocols.base import Credentials
from registration.protocols.registry import every_protocol
from registration.protocols.wire import compact_json
from tests import cast
from tests.registration.knocking import SECRETS, request_of

pytestmark = pytest.mark.django_db
each_path = pytest.mark.parametrize("path", [protocol.path for protocol in every_protocol()])


@pytest.fixture(autouse=True)
def home() -> None:
    cast.home()
    lookup.forget()


def post(protocol: str, name: str, **extra: Any) -> Any:
    product = cast.tracker()
    cast.row(product, "crate-1")
    request = request_of(protocol, Credentials(product.key, SECRETS[product.key], name), at=timezone.now())
    headers = {f"HTTP_{key.upper().replace('-', '_')}": value for key, value in request.headers.items() if key != "content-type"}
    client = Client(headers={"host": "shanghai.devices.test"})
    return client.post(request.path, request.body, content_type=request.headers["content-type"], **headers, **extra)


@pytest.mark.parametrize("protocol", ["alibaba", "tencent-new", "tencent-old"])
@pytest.mark.parametrize("name", ["crate-1", "stranger"])
def test_a_vendor_s_door_answers_200_with_two_headers_and_no_cookie(protocol: str, name: str) -> None:
    response = post(protocol, name)
    assert response.status_code == 200
    assert dict(response.headers) == {"Content-Type": "application/json", "Content-Length": str(len(response.content))}
    assert not response.cookies
    assert compact_json(response.json()) == response.content


@pytest.mark.parametrize(("name", "status"), [("crate-1", 200), ("stranger", 404)])
def test_the_native_door_answers_with_a_status(name: str, status: int) -> None:
    response = post("native", name)
    assert response.status_code == status
    assert "Set-Cookie" not in response.headers and "Content-Security-Policy" not in response.headers


def test_the_native_door_refuses_with_a_problem_document() -> None:
    response = Client().post("/api/v1/register", b"{}", content_type="application/json")
    assert (response.status_code, response.headers["Content-Type"]) == (400, "application/problem+json")


def test_the_native_door_tells_how_to_authenticate() -> None:
    request = request_of("native", Credentials("L4WG9V9M2M", "wrong", "crate-1"), at=timezone.now())
    response = Client().post(request.path, request.body, content_type="text/plain")
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "nameplate-register-v1")


@each_path
@pytest.mark.parametrize("method", ["get", "put", "delete", "head", "options"])
def test_it_refuses_every_method_but_post(path: str, method: str) -> None:
    response = getattr(Client(), method)(path)
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    assert not DeviceLogEntry.objects.exists()


@each_path
def test_it_answers_any_host_without_a_redirect(path: str) -> None:
    response = Client(headers={"host": "whatever.the.firmware.knows"}).post(path, b"", content_type="text/plain")
    assert response.status_code in (200, 400) and "Location" not in response.headers
    assert DeviceLogEntry.objects.get().code == "malformed"


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "expected"),
    [
        ("198.51.100.1", "203.0.113.9", (), "198.51.100.1"),
        ("10.0.0.1", "203.0.113.9", ("10.0.0.1",), "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", ("10.0.0.0/8",), "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9", ("10.0.0.0/8",), "203.0.113.9"),
        ("10.0.0.1", "", ("10.0.0.0/8",), "10.0.0.1"),
        ("", "203.0.113.9", ("*",), "203.0.113.9"),
        ("", "", ("*",), ""),
        ("::1", "[2001:db8::7]:443", ("::1",), "2001:db8::7"),
        ("10.0.0.1", "203.0.113.9:5123", ("10.0.0.1",), "203.0.113.9"),
        ("10.0.0.1", "nonsense", ("10.0.0.1",), ""),
    ],
)
def test_it_believes_only_proxies_that_it_was_told_to_trust(peer: str, forwarded: str, trusted: tuple[str, ...], expected: str) -> None:
    assert client_address({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}, trusted) == expected
