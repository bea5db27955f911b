"""Alibaba's scheme: what its SDKs do in their own way."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from registration.protocols.alibaba import Alibaba, AlibabaClaim, read_form
from registration.protocols.base import BadSignature, Malformed, Request, UnknownAlgorithm
from tests.registration.test_protocols import refusal

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SECRET = "h1nQFYPZS0mW1234"
TEXT = "deviceNamedev0001productKeya1ExpAkj9HirandomR"


def claim(method: str, sign: str, extra: str = "") -> AlibabaClaim:
    body = f"productKey=a1ExpAkj9Hi&deviceName=dev0001&random=R{extra}&sign={sign}&signMethod={method}"
    return Alibaba().parse(Request("POST", "/auth/register/device", "h", {}, body.encode()))


def signed(digest: str, text: str = TEXT) -> str:
    return hmac.new(SECRET.encode(), text.encode(), getattr(hashlib, digest)).hexdigest()


@pytest.mark.parametrize(("method", "digest"), [("hmacmd5", "md5"), ("HmacMD5", "md5"), ("HMACSHA1", "sha1"), ("hmacSha256", "sha256")])
@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_it_accepts_each_method_in_any_letter_case(method: str, digest: str, case: type[str]) -> None:
    assert claim(method, case(signed(digest))).verify(SECRET, NOW).notes == ()


@pytest.mark.parametrize("method", ["hmacsha256", "hmacmd5"])
def test_it_accepts_the_node_sdk_that_signs_with_sha1_whatever_it_declares(method: str) -> None:
    (note,) = claim(method, signed("sha1")).verify(SECRET, NOW).notes
    assert method in note and "Node" in note


def test_it_refuses_another_digest_than_the_declared_one() -> None:
    with pytest.raises(BadSignature):
        claim("hmacsha1", signed("sha256")).verify(SECRET, NOW)


@pytest.mark.parametrize("method", ["sha256", "hmacsha512", "none"])
def test_it_refuses_a_method_that_it_does_not_know(method: str) -> None:
    with pytest.raises(UnknownAlgorithm):
        claim(method, signed("sha256")).verify(SECRET, NOW)


def test_it_signs_further_fields_as_the_documents_have_it() -> None:
    text = "deviceNamedev0001instanceIdiot-1productKeya1ExpAkj9HirandomR"
    claim("hmacsha256", signed("sha256", text), "&instanceId=iot-1").verify(SECRET, NOW)
    with pytest.raises(BadSignature):
        claim("hmacsha256", signed("sha256"), "&instanceId=iot-1").verify(SECRET, NOW)


def test_it_reads_escaped_and_bare_characters_alike() -> None:
    assert read_form(f"deviceName={quote('Dev_01-A.b:c@d')}".encode()) == read_form(b"deviceName=Dev_01-A.b:c@d")


TOO_MANY = b"&".join(b"a%d=1" % number for number in range(17))


@pytest.mark.parametrize("body", [b"a=%", b"a=%4", b"a=%zz", b"a=1&a=2", b"a", b"=1", b"a=%ff", b"a=%00", TOO_MANY])
def test_it_refuses_a_form_that_two_readers_could_read_differently(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_form(body)


@pytest.mark.parametrize("missing", ["productKey", "deviceName", "random", "sign", "signMethod"])
def test_it_refuses_a_request_without_one_of_the_five_fields(missing: str) -> None:
    fields = {"productKey": "a1ExpAkj9Hi", "deviceName": "dev0001", "random": "R", "sign": signed("sha256"), "signMethod": "hmacsha256"}
    body = "&".join(f"{name}={value}" for name, value in fields.items() if name != missing)
    with pytest.raises(Malformed) as caught:
        Alibaba().parse(Request("POST", "/auth/register/device", "h", {}, body.encode()))
    assert caught.value.field == missing


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("malformed", 460), ("bad_signature", 6600), ("product_unknown", 6600), ("unknown_algorithm", 6292),
        ("dynamic_registration_off", 6288),
        ("already_activated", 6289), ("already_registered", 6289), ("not_imported", 6100), ("device_disabled", 6204), ("internal", 500),
    ],
)  # fmt: skip
def test_it_answers_with_the_vendors_number_first(code: str, number: int) -> None:
    body = Alibaba().refuse(refusal(code), "r").body
    assert body.startswith(b'{"code":%d,' % number)
    assert "data" not in json.loads(body)
