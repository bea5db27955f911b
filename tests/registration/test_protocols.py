"""One contract for every scheme, and what real clients sent (N1)."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.errors import DomainError
from registration.protocols.base import (
    BadSignature,
    Credentials,
    Grant,
    Malformed,
    OutsideWindow,
    RegistrationProtocol,
    Request,
    UnknownAlgorithm,
)
from registration.protocols.registry import every_protocol, mqtt_protocols, protocols_by_name
from tests.registration.golden import ACCEPTED, REFUSED, Golden

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CREDENTIALS = Credentials("a1ExpAkj9Hi", "hzvf5LF9S0isvBhDSauWMaIk", "dev0001")
SECRET = "lDZ6Uqt+I9E0wW7rvDUs7Q=="
PROTOCOLS = protocols_by_name()
CODES = [
    "malformed", "product_unknown", "product_not_published", "bad_signature", "unknown_algorithm", "outside_window", "nonce_used",
    "per_product_secret_off", "dynamic_registration_off", "bad_device_name", "device_disabled", "already_activated",
    "already_registered", "wrong_authentication", "not_imported", "auto_create_limit", "unavailable", "internal",
]  # fmt: skip

each_protocol = pytest.mark.parametrize("protocol", [*every_protocol(), *mqtt_protocols()], ids=lambda protocol: protocol.name)
each_golden = pytest.mark.parametrize("golden", ACCEPTED, ids=lambda golden: golden.id)


def refusal(code: str) -> DomainError:
    error = DomainError("A sentence for the operator that no device may see.")
    error.code = code  # type: ignore[misc]
    return error


def composed(protocol: RegistrationProtocol, at: datetime = NOW) -> Request:
    return protocol.compose(CREDENTIALS, host="iot.example.com", at=at, nonce=706384600)


@each_golden
def test_it_verifies_what_a_real_client_sent(golden: Golden) -> None:
    claim = PROTOCOLS[golden.protocol].parse(golden.request)
    assert (claim.product_key, claim.device_name) == (golden.product_key, golden.device_name)
    verified = claim.verify(golden.product_secret, golden.at)
    assert (verified.product_key, verified.device_name) == (golden.product_key, golden.device_name)


@each_golden
def test_it_refuses_what_a_real_client_signed_with_another_secret(golden: Golden) -> None:
    claim = PROTOCOLS[golden.protocol].parse(golden.request)
    with pytest.raises(BadSignature) as caught:
        claim.verify(golden.product_secret[::-1], golden.at)
    if golden.signed_text:
        assert caught.value.facts["signed_text"] == golden.signed_text


@pytest.mark.parametrize("golden", REFUSED, ids=lambda golden: golden.id)
def test_it_refuses_what_the_vendor_refused(golden: Golden) -> None:
    with pytest.raises(BadSignature):
        PROTOCOLS[golden.protocol].parse(golden.request).verify(golden.product_secret, golden.at)


@each_protocol
def test_it_accepts_what_its_own_device_side_composes(protocol: RegistrationProtocol) -> None:
    verified = protocol.parse(composed(protocol)).verify(CREDENTIALS.product_secret, NOW)
    assert (verified.product_key, verified.device_name, verified.notes) == ("a1ExpAkj9Hi", "dev0001", ())


@each_protocol
def test_it_refuses_a_proof_for_another_name(protocol: RegistrationProtocol) -> None:
    request = composed(protocol)
    claim = protocol.parse(replace(request, body=request.body.replace(b"dev0001", b"dev0002")))
    assert claim.device_name == "dev0002"
    with pytest.raises(BadSignature):
        claim.verify(CREDENTIALS.product_secret, NOW)


@each_protocol
def test_it_hands_the_secret_to_the_device(protocol: RegistrationProtocol) -> None:
    grant = Grant("a1ExpAkj9Hi", "dev0001", SECRET, CREDENTIALS.product_secret, request_id="02f437a3-a620-4705-bedf-27138c95f411")
    reply = protocol.accept(grant)
    answer = protocol.read(reply, CREDENTIALS.product_secret)
    assert (answer.device_secret, reply.status) == (SECRET, 200)
    assert len(reply.body) <= 255
    assert b": " not in reply.body and b", " not in reply.body


@each_protocol
@pytest.mark.parametrize("code", CODES)
def test_it_refuses_without_our_words(protocol: RegistrationProtocol, code: str) -> None:
    reply = protocol.refuse(refusal(code), "02f437a3-a620-4705-bedf-27138c95f411")
    answer = protocol.read(reply, CREDENTIALS.product_secret)
    assert not answer.device_secret
    assert b"operator" not in reply.body
    assert len(reply.body) <= 255
    assert reply.status == 200 or protocol.name == "native"


@each_protocol
@pytest.mark.parametrize("code", ["product_unknown", "product_not_published"])
def test_it_tells_a_stranger_nothing_about_a_product(protocol: RegistrationProtocol, code: str) -> None:
    assert protocol.refuse(refusal(code), "r") == protocol.refuse(refusal("bad_signature"), "r")


@each_protocol
def test_it_answers_an_unforeseen_error_with_the_vendors_failure(protocol: RegistrationProtocol) -> None:
    assert protocol.refuse(refusal("never_heard_of"), "r") == protocol.refuse(refusal("internal"), "r")


@each_protocol
def test_it_prints_no_secret_and_no_signature(protocol: RegistrationProtocol) -> None:
    request = composed(protocol)
    claim = protocol.parse(request)
    grant = Grant("a1ExpAkj9Hi", "dev0001", SECRET, CREDENTIALS.product_secret)
    shown = repr((claim, CREDENTIALS, grant, protocol.accept(grant), protocol.read(protocol.accept(grant), CREDENTIALS.product_secret)))
    signature = getattr(claim, "signature", getattr(claim, "sign", ""))
    assert signature and signature not in shown
    assert CREDENTIALS.product_secret not in shown and SECRET not in shown


@each_protocol
@pytest.mark.parametrize("name", ["", "x" * 129, "a\nb", "a\x00b", "a\u202eb"])
def test_it_refuses_a_name_that_no_log_could_show(protocol: RegistrationProtocol, name: str) -> None:
    with pytest.raises(Malformed):
        protocol.parse(protocol.compose(replace(CREDENTIALS, device_name=name), host="h", at=NOW, nonce=1))


HEADERS = st.dictionaries(
    st.sampled_from(["x-tc-algorithm", "x-tc-timestamp", "x-tc-nonce", "x-tc-signature", "host", "content-type"]), st.text(max_size=40)
)
MEMBERS = st.dictionaries(
    st.sampled_from(["productKey", "deviceName", "ProductId", "DeviceName", "productId", "timestamp", "nonce", "signature"]),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()),
)
BODIES = (
    st.binary(max_size=400)
    | MEMBERS.map(lambda members: json.dumps(members).encode())
    | st.text().map(
        lambda text: f"productKey={text}&deviceName={text}&random=1&sign={text}&signMethod={text}".encode("utf-8", "surrogatepass")
    )
)


@each_protocol
@given(body=BODIES, headers=HEADERS)
def test_it_meets_any_bytes_with_a_claim_or_malformed(protocol: RegistrationProtocol, body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises((Malformed, BadSignature, UnknownAlgorithm, OutsideWindow)):
        protocol.parse(Request("POST", protocol.path, "h", headers, body)).verify("hzvf5LF9S0isvBhDSauWMaIk", NOW)


@each_protocol
@given(at=st.integers(0, 10_000), replacement=st.binary(min_size=1, max_size=3))
def test_it_accepts_no_changed_byte_of_a_signed_name(protocol: RegistrationProtocol, at: int, replacement: bytes) -> None:
    request = composed(protocol)
    at %= len(request.body)
    changed = request.body[:at] + replacement + request.body[at + len(replacement) :]
    try:
        verified = protocol.parse(replace(request, body=changed)).verify(CREDENTIALS.product_secret, NOW)
    except DomainError:
        return
    assert (verified.product_key, verified.device_name) == ("a1ExpAkj9Hi", "dev0001")


@pytest.mark.parametrize("body", [b"[" * 8192, b'{"a":' * 1300, b"9" * 8192, b'{"a":1,"a":2}', b"NaN", b'{"a":1e999999}', b"\xff\xfe"])
@pytest.mark.parametrize("name", ["tencent-new", "tencent-old", "native"])
def test_it_refuses_json_that_is_made_to_hurt(name: str, body: bytes) -> None:
    with pytest.raises(Malformed):
        PROTOCOLS[name].parse(Request("POST", "/", "h", {}, body))


def test_every_protocol_has_a_name_and_a_path_of_its_own() -> None:
    protocols = [*every_protocol(tencent_window=timedelta(days=1)), *mqtt_protocols()]
    assert len({protocol.name for protocol in protocols}) == len({protocol.path for protocol in protocols}) == len(protocols)
