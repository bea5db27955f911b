"""Every request has a number and one line; no line has a secret."""

import json
import logging
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.test import Client

from tests import cast, processes

PLANTED = "PLANTED-s3cr3t-9f8e7d6c5b4a"
"""Stands for every secret that somebody may put anywhere."""


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_a_page_has_the_number_of_its_line(admin_client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "nameplate.request"):
        first, second = admin_client.get("/"), admin_client.get("/account/")
    assert first["X-Request-ID"] != second["X-Request-ID"]
    told = [record.msg for record in caplog.records if record.name == "nameplate.request"]
    assert [(one["event"], one["status"], one["method"]) for one in told] == [("request", 200, "GET")] * 2
    assert [one["request_id"] for one in told] == [first["X-Request-ID"], second["X-Request-ID"]]
    assert all(one["user"] for one in told)


def test_a_line_names_the_route_and_not_what_stood_in_the_address(admin_client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "nameplate.request"):
        admin_client.get(f"/products/product/{PLANTED}/change/?q={PLANTED}")
    assert caplog.records
    assert PLANTED not in "".join(str(record.msg) for record in caplog.records if record.name == "nameplate.request")


def test_a_client_cannot_choose_the_number(admin_client: Client) -> None:
    assert admin_client.get("/", headers={"x-request-id": "chosen"})["X-Request-ID"] != "chosen"


def test_a_device_s_answer_has_no_header_more() -> None:
    assert "X-Request-ID" not in Client().get("/healthz").headers


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PLANTINGS: list[tuple[str, bytes, dict[str, str]]] = [
    ("/auth/register/device", f"productKey=a1ExpAkj9Hi&deviceName=4C11AE000001&random=1&signMethod=hmacsha1&sign={PLANTED}".encode(), FORM),
    ("/auth/register/device", f"productKey={PLANTED}&sign={PLANTED}".encode(), FORM),
    ("/device/register", json.dumps({"ProductSecret": PLANTED, "Signature": PLANTED}).encode(), {}),
    ("/register/dev", f"{{{PLANTED}".encode(), {}),
    ("/api/v1/register", json.dumps({"product_key": "x", "signature": PLANTED}).encode(), {}),
    (f"/hooks/rabbitmq/{PLANTED}/user", f"username=x&password={PLANTED}".encode(), FORM),
    ("/login/", f"username=admin&password={PLANTED}".encode(), FORM),
    ("/api/v1/products", b"", {"Authorization": f"Bearer {PLANTED}"}),
    (f"/nowhere/?code={PLANTED}", b"", {"Cookie": f"sessionid={PLANTED}"}),
    ("/download/", f"code={PLANTED}".encode(), FORM),
    ("/metrics", b"", {"Authorization": f"Bearer {PLANTED}"}),
]
"""Path, body and headers of requests that hold it wherever somebody could put a secret."""


def knock_with(url: str, path: str, body: bytes, **headers: str) -> int:
    try:
        with urlopen(Request(url + path, data=body, headers=headers), timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_a_planted_secret_is_in_no_line_of_a_server_that_logs_everything(transactional_db: None, tmp_path: Path) -> None:
    cast.home()
    cast.kettle(dynamic_registration=True, per_product_secret=True)
    server = processes.start_server(tmp_path, NAMEPLATE_LOG_LEVEL="DEBUG", NAMEPLATE_LOG_FORMAT="json")
    try:
        told = {knock_with(server.url, path, body, **headers) for path, body, headers in PLANTINGS}
        time.sleep(0.5)
    finally:
        server.stop()
    said = server.process.output()
    assert told - {200}
    assert not [line[:600] for line in said.splitlines() if PLANTED in line]
    requests = [line for line in lines(said) if line.get("event") == "request"]
    assert requests, said[-2000:]
    assert all(line["request_id"] and line["timestamp"] and line["route"] for line in requests)
    assert all(line.startswith("{") for line in said.splitlines() if line.strip()), "one JSON object a line"
