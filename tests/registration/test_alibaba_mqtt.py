"""Registration over MQTT, with and without pre-registration, as Alibaba's devices do it (A3, A4)."""

from dataclasses import replace

import pytest

from console.errors import DomainError
from registration.mqtt import packets
from registration.mqtt.packets import Connect
from registration.protocols.alibaba_mqtt import AlibabaMqtt, is_registration
from registration.protocols.base import BadSignature, Credentials, Grant, Malformed, Request, UnknownAlgorithm
from tests.cast import NOON
from tests.registration.golden_mqtt import CONNECTIONS, REGISTRATIONS, GoldenConnection, GoldenRegistration

CREDENTIALS = Credentials("a1ExpAkj9Hi", "h1nQFYPZS0mW1234", "dev0001")
each_golden = pytest.mark.parametrize("golden", REGISTRATIONS, ids=lambda golden: golden.id)
LEVELS = pytest.mark.parametrize("level", [3, 4, 5])


def changed(golden: GoldenRegistration, **fields: object) -> Request:
    connect = packets.read_connect(golden.packet)
    return Request("CONNECT", "", "", {}, packets.connect(replace(connect, **fields)))  # type: ignore[arg-type]


def with_client_id(golden: GoldenRegistration, old: str, new: str) -> Request:
    return changed(golden, client_id=packets.read_connect(golden.packet).client_id.replace(old, new))


@each_golden
def test_it_verifies_what_a_real_device_sent(golden: GoldenRegistration) -> None:
    claim = AlibabaMqtt().parse(golden.request)
    verified = claim.verify(golden.product_secret, NOON)
    assert (verified.product_key, verified.device_name, verified.notes) == (golden.product_key, golden.device_name, ())
    assert claim.preregistration_free == golden.regnwl
    assert is_registration(packets.read_connect(golden.packet))


@each_golden
def test_it_refuses_what_a_real_device_signed_with_another_secret(golden: GoldenRegistration) -> None:
    with pytest.raises(BadSignature) as caught:
        AlibabaMqtt().parse(golden.request).verify(golden.product_secret[::-1], NOON)
    assert caught.value.facts["signed_text"] == golden.signed_text


@pytest.mark.parametrize("golden", CONNECTIONS, ids=lambda golden: golden.id)
def test_it_tells_connections_from_registrations(golden: GoldenConnection) -> None:
    assert not is_registration(packets.read_connect(golden.packet))
    with pytest.raises(Malformed):
        AlibabaMqtt().parse(Request("CONNECT", "", "", {}, golden.packet))


@pytest.mark.parametrize("securemode", ["2", "-2", "3", "8", ""])
def test_it_does_not_look_at_securemode(securemode: str) -> None:
    golden = REGISTRATIONS[2]
    claim = AlibabaMqtt().parse(with_client_id(golden, "securemode=2", f"securemode={securemode}"))
    assert claim.verify(golden.product_secret, NOON).device_name == "dev0001"


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("random=1217904395,", "", "random"),
        ("signmethod=hmacsha256", "signmethod=", "signmethod"),
        ("authType=register", "authType=connwl", "authType"),
        ("authType=register", "authType=register,authType=regnwl", "clientId"),
        ("random=1217904395", "random=1217904395,random=1", "clientId"),
        ("dev0001.a1ExpAkj9Hi|", "\x07|", "clientId"),
    ],
)
def test_it_refuses_a_client_identifier_that_lacks_or_doubles_what_matters(old: str, new: str, field: str) -> None:
    with pytest.raises(Malformed) as caught:
        AlibabaMqtt().parse(with_client_id(REGISTRATIONS[0], old, new))
    assert caught.value.field == field


@pytest.mark.parametrize("username", ["dev0001", "&a1ExpAkj9Hi", "dev0001&", "dev0001&a1ExpAkj9Hi&x", "dev0001/a1ExpAkj9Hi"])
def test_it_refuses_a_user_name_that_is_not_two_names(username: str) -> None:
    with pytest.raises(Malformed):
        AlibabaMqtt().parse(changed(REGISTRATIONS[0], username=username))


@pytest.mark.parametrize("fields", [{"password": None}, {"password": None, "username": None}, {"password": b"\xff"}, {"password": b""}])
def test_it_refuses_a_connect_without_credentials(fields: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        AlibabaMqtt().parse(changed(REGISTRATIONS[0], **fields))


def test_it_refuses_a_packet_that_is_none() -> None:
    with pytest.raises(Malformed):
        AlibabaMqtt().parse(Request("CONNECT", "", "", {}, b"\x10\x00"))


def test_it_refuses_a_method_that_nobody_knows() -> None:
    with pytest.raises(UnknownAlgorithm):
        AlibabaMqtt().parse(with_client_id(REGISTRATIONS[0], "hmacsha256", "hmacmd4")).verify(CREDENTIALS.product_secret, NOON)


@LEVELS
@pytest.mark.parametrize("auth_type", ["register", "regnwl"])
def test_a_device_of_any_version_registers(level: int, auth_type: str) -> None:
    scheme = AlibabaMqtt(level, auth_type)
    request = scheme.compose(CREDENTIALS, host="", at=NOON, nonce=82880301)
    claim = AlibabaMqtt(level).parse(request)
    assert claim.preregistration_free == (auth_type == "regnwl")
    assert claim.verify(CREDENTIALS.product_secret, NOON).device_name == "dev0001"
    assert packets.read_connect(request.body).level == level


@LEVELS
def test_it_publishes_the_secret_unasked_and_compact(level: int) -> None:
    scheme = AlibabaMqtt(level)
    reply = scheme.accept(Grant("a1ExpAkj9Hi", "dev0001", "KGQQFFlGinIipW9Xn7xQ5U6d6MokPZD4", ""))
    _, published = packets.first_packet(reply.body) or (b"", b"")
    assert packets.read_publish(level, published) == (
        "/ext/register",
        b'{"deviceSecret":"KGQQFFlGinIipW9Xn7xQ5U6d6MokPZD4","productKey":"a1ExpAkj9Hi","deviceName":"dev0001"}',
    )
    assert scheme.read(reply, "").device_secret == "KGQQFFlGinIipW9Xn7xQ5U6d6MokPZD4"


@LEVELS
def test_it_publishes_a_client_id_and_its_token_where_sdks_look_for_them(level: int) -> None:
    scheme = AlibabaMqtt(level)
    reply = scheme.accept(Grant("a1ExpAkj9Hi", "dev0001", "", "", client_id="9rSzAbCd12UNMWj33f000112ab", device_token="t" * 32))
    _, published = packets.first_packet(reply.body) or (b"", b"")
    assert packets.read_publish(level, published) == (
        "/ext/regnwl",
        b'{"clientId":"9rSzAbCd12UNMWj33f000112ab","productKey":"a1ExpAkj9Hi","deviceName":"dev0001","deviceToken":"' + b"t" * 32 + b'"}',
    )
    answer = scheme.read(reply, "")
    assert (answer.client_id, answer.device_token, answer.device_secret) == ("9rSzAbCd12UNMWj33f000112ab", "t" * 32, "")
    assert "t" * 32 not in repr(answer) + repr(Grant("a", "b", "", "", client_id="c", device_token="t" * 32))


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("malformed", 2), ("unknown_algorithm", 2), ("unavailable", 3), ("internal", 3), ("bad_signature", 4), ("product_unknown", 4),
        ("already_activated", 4), ("device_disabled", 4), ("client_limit", 4), ("preregistration_free_off", 4),
    ],
)  # fmt: skip
@LEVELS
def test_it_refuses_with_a_return_code_and_nothing_else(level: int, code: str, number: int) -> None:
    error = DomainError("A sentence for the operator.")
    error.code = code  # type: ignore[misc]
    reply = AlibabaMqtt(level).refuse(error, "02f437a3")
    assert packets.read_connack(reply.body) == number
    assert AlibabaMqtt(level).read(reply, "").code == str(number)


@pytest.mark.parametrize("body", [b"", b"\x20", packets.connack(4, 0), packets.connack(4, 0) + packets.publish(4, "/ext/other", b"{}")])
def test_a_device_does_not_take_half_an_answer_or_another_topic(body: bytes) -> None:
    reply = AlibabaMqtt().accept(Grant("a", "b", "c", ""))
    with pytest.raises(Malformed):
        AlibabaMqtt().read(replace(reply, body=body), "")


def test_a_registration_in_a_connect_of_another_vendor_is_none() -> None:
    assert not is_registration(Connect(4, "authType=register", "u", b"p"))
    assert is_registration(Connect(4, "a|x,authType=register", None, None))
