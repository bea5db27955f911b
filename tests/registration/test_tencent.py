"""Tencent's two interfaces: what its SDKs and its cloud do in their own way."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from registration.protocols.base import BadSignature, Grant, Malformed, OutsideWindow, Reply, Request, UnknownAlgorithm
from registration.protocols.tencent import TencentNew, TencentOld, open_psk, seal_psk
from tests.registration.golden import ACCEPTED, CAPTURED_ANSWERS, PAYLOADS, REFUSED
from tests.registration.test_protocols import CREDENTIALS, refusal

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECRET = CREDENTIALS.product_secret
GOLDEN = {golden.id: golden for golden in ACCEPTED + REFUSED}


@pytest.mark.parametrize("vector", PAYLOADS, ids=lambda vector: vector["id"])
def test_it_encrypts_to_the_bytes_that_the_cloud_sent(vector: dict[str, Any]) -> None:
    psk = json.loads(vector["plaintext"])["psk"]
    assert seal_psk(psk, vector["product_secret"]) == (vector["len"], vector["payload"])
    assert open_psk(vector["len"], vector["payload"], vector["product_secret"]) == psk


@pytest.mark.parametrize("vector", CAPTURED_ANSWERS, ids=lambda vector: vector["id"])
def test_it_answers_as_the_sdks_accepted_it(vector: dict[str, Any]) -> None:
    scheme = TencentNew() if vector["kind"] == "new_sign" else TencentOld()
    psk = json.loads(vector["response_plaintext"])["psk"]
    expected = json.loads(vector["response_body"])
    ours = json.loads(scheme.accept(Grant("p", "d", psk, vector["product_secret"], request_id="r")).body)
    theirs, mine = expected.get("Response", expected), ours.get("Response", ours)
    assert {name: mine[name] for name in theirs if name != "RequestId"} == {name: theirs[name] for name in theirs if name != "RequestId"}


def test_it_names_the_base64_of_the_raw_digest() -> None:
    golden = GOLDEN["cloud-old-sign-REJECTED"]
    with pytest.raises(BadSignature, match="base64 of the digest's bytes"):
        TencentOld().parse(golden.request).verify(golden.product_secret, golden.at)


def test_it_names_the_base64_of_the_hexadecimal_text_in_the_new_interface() -> None:
    request = TencentNew().compose(CREDENTIALS, host="h", at=NOW, nonce=1)
    digest = base64.b64decode(request.headers["x-tc-signature"]).hex().encode()
    headers = {**request.headers, "x-tc-signature": base64.b64encode(digest).decode()}
    with pytest.raises(BadSignature, match="hexadecimal text; this interface wants"):
        TencentNew().parse(replace(request, headers=headers)).verify(SECRET, NOW)


def test_it_lets_the_constant_timestamp_of_the_c_sdk_pass_any_window() -> None:
    golden = GOLDEN["captured-c_hub_new_http"]
    (note,) = TencentNew(window=timedelta(seconds=1)).parse(golden.request).verify(golden.product_secret, NOW).notes
    assert "constant" in note


@pytest.mark.parametrize("scheme", [TencentNew, TencentOld])
@pytest.mark.parametrize("days", [-2, 2])
def test_it_refuses_a_clock_outside_the_window_and_tells_the_skew(scheme: Any, days: int) -> None:
    request = scheme().compose(CREDENTIALS, host="h", at=NOW + timedelta(days=days), nonce=1)
    with pytest.raises(OutsideWindow, match=r"172800 seconds (ahead of|behind) ours"):
        scheme(window=timedelta(days=1)).parse(request).verify("another secret: the window does not depend on it", NOW)
    (note,) = scheme(window=timedelta(days=3)).parse(request).verify(SECRET, NOW).notes
    assert "172800 seconds" in note


@pytest.mark.parametrize(
    "host", ["ap-guangzhou.gateway.tencentdevices.com", "iot.example.com", "iot.example.com:8443", "proxied.example.com"]
)
@pytest.mark.parametrize("path", ["/device/register", "/behind/a/prefix"])
@pytest.mark.parametrize("algorithm", ["hmacsha256", "HmacSha256", "hmacsha1", "HmacSha1"])
def test_it_accepts_each_host_path_and_spelling_that_a_device_may_have_signed(host: str, path: str, algorithm: str) -> None:
    body, name = b'{"ProductId":"L4WG9V9M2M","DeviceName":"d1"}', algorithm.lower().removeprefix("hmac")
    text = "\n".join(["POST", host, path, "", algorithm, "1795177737", "7", hashlib.new(name, body).hexdigest()])
    signature = base64.b64encode(hmac.new(SECRET.encode(), text.encode(), name).digest()).decode()
    headers = {"host": "iot.example.com:8443", "x-tc-algorithm": algorithm, "x-tc-timestamp": "1795177737", "x-tc-nonce": "7"}
    request = Request("POST", path, "iot.example.com", headers | {"x-tc-signature": signature}, body)
    TencentNew(public_hosts=("proxied.example.com",)).parse(request).verify(SECRET, NOW)


def test_it_refuses_a_signature_for_a_host_that_is_not_ours() -> None:
    request = TencentNew().compose(CREDENTIALS, host="elsewhere.example.com", at=NOW, nonce=1)
    with pytest.raises(BadSignature):
        TencentNew().parse(replace(request, host="iot.example.com")).verify(SECRET, NOW)


def test_it_refuses_an_algorithm_that_it_does_not_know() -> None:
    request = TencentNew().compose(CREDENTIALS, host="h", at=NOW, nonce=1)
    headers = {**request.headers, "x-tc-algorithm": "rsa-sha256"}
    with pytest.raises(UnknownAlgorithm):
        TencentNew().parse(replace(request, headers=headers)).verify(SECRET, NOW)


@pytest.mark.parametrize("missing", ["x-tc-algorithm", "x-tc-timestamp", "x-tc-nonce", "x-tc-signature"])
def test_it_refuses_a_request_without_one_of_the_headers(missing: str) -> None:
    request = TencentNew().compose(CREDENTIALS, host="h", at=NOW, nonce=1)
    headers = {name: value for name, value in request.headers.items() if name != missing}
    with pytest.raises(Malformed) as caught:
        TencentNew().parse(replace(request, headers=headers))
    assert caught.value.field.lower() == missing


def test_it_hashes_the_bytes_and_not_the_meaning_of_the_body() -> None:
    request = TencentNew().compose(CREDENTIALS, host="h", at=NOW, nonce=1)
    with pytest.raises(BadSignature):
        TencentNew().parse(replace(request, body=request.body.replace(b",", b", "))).verify(SECRET, NOW)


def test_it_notes_a_certificate_that_the_device_brought() -> None:
    golden = GOLDEN["captured-c_hub_new_http"]
    body = golden.body[:-1] + b',"clientCert":"-----BEGIN"}'
    assert TencentNew().parse(replace(golden.request, body=body)).notes


def test_it_takes_the_old_interfaces_numbers_as_text() -> None:
    request = TencentOld().compose(CREDENTIALS, host="h", at=NOW, nonce=159)
    body = request.body.replace(b'"nonce":159', b'"nonce":"159"').replace(b'"timestamp":1795262400', b'"timestamp":"1795262400"')
    assert body.count(b'"159"') == body.count(b'"1795262400"') == 1
    TencentOld().parse(replace(request, body=body)).verify(SECRET, NOW)


@pytest.mark.parametrize("nonce", [b"1.5", b"true", b"-1", b"null", b'"x"', b"1e3"])
def test_it_refuses_a_nonce_that_is_no_whole_number(nonce: bytes) -> None:
    request = TencentOld().compose(CREDENTIALS, host="h", at=NOW, nonce=159)
    with pytest.raises(Malformed):
        TencentOld().parse(replace(request, body=request.body.replace(b"159,", nonce + b",")))


def test_it_refuses_a_secret_that_would_overflow_the_firmware() -> None:
    assert len(TencentNew().accept(Grant("p", "d", "x" * 64, SECRET, request_id="r" * 36)).body) <= 255
    with pytest.raises(ValueError, match="64 characters"):
        seal_psk("x" * 65, SECRET)


def test_it_refuses_a_product_secret_that_is_too_short_to_encrypt_with() -> None:
    short = replace(CREDENTIALS, product_secret="fifteen_letters")
    for scheme in (TencentNew(), TencentOld()):
        with pytest.raises(BadSignature, match="shorter than the 16"):
            scheme.parse(scheme.compose(short, host="h", at=NOW, nonce=1)).verify(short.product_secret, NOW)


def test_it_tells_whether_the_device_is_new() -> None:
    states = [json.loads(TencentNew().accept(Grant("p", "d", "s", SECRET, is_new=new)).body)["Response"]["State"] for new in (True, False)]
    assert states == [0, 1]


def test_it_answers_in_the_envelopes_of_the_vendor() -> None:
    assert json.loads(TencentOld().refuse(refusal("bad_signature"), "r").body) == {
        "code": 1010, "message": "Check signature failed", "requestId": "r"
    }  # fmt: skip
    assert json.loads(TencentOld().refuse(refusal("already_activated"), "r").body)["code"] == 1021
    error = json.loads(TencentNew().refuse(refusal("already_activated"), "r").body)["Response"]["Error"]
    assert error["Message"] == "Device has been activated"


def test_its_device_side_refuses_an_answer_that_it_cannot_decrypt() -> None:
    with pytest.raises(Malformed):
        TencentOld().read(Reply(b'{"code":0,"message":"success","len":53,"payload":"AAAA"}'), SECRET)
