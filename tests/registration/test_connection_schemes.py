"""How devices prove themselves when they connect: Alibaba's variants, Tencent's, our own (A5, T1, T4)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.errors import DomainError
from registration.mqtt import packets
from registration.mqtt.packets import Connect
from registration.protocols import alibaba_connect, tencent_mqtt
from registration.protocols.alibaba_signature import sign
from registration.protocols.base import BadSignature, Malformed, OutsideWindow, UnknownAlgorithm
from registration.protocols.connecting import DeviceCredentials, Presented, presented
from registration.protocols.connection_schemes import COMPOSERS, SCHEMES, names_in, read
from tests.cast import NOON
from tests.registration.golden_mqtt import BY_SECRET, BY_TOKEN, CONNECTIONS, REGISTRATIONS, GoldenConnection

SECRET = "KGQQFFlGinIipW9Xn7xQ5U6d6MokPZD4"
PSK = "lDZ6Uqt+I9E0wW7rvDUs7Q=="
DEVICES = {
    "alibaba": DeviceCredentials("a1ExpAkj9Hi", "dev0001", SECRET),
    "tencent": DeviceCredentials("L4WG9V9M2M", "dev0001", PSK),
    "native": DeviceCredentials("a1ExpAkj9Hi", "dev0001", SECRET),
}
NODE_BUG = next(golden for golden in CONNECTIONS if not golden.declared_honestly)
PYTHON_TENCENT = next(golden for golden in CONNECTIONS if golden.id == "mqtt-dev_pypi")
by_secret = pytest.mark.parametrize("golden", BY_SECRET, ids=lambda golden: golden.id)
each_device = pytest.mark.parametrize("vendor", sorted(DEVICES))


def alibaba(client_id: str, text: str, method: str = "hmacsha256", *, upper: bool = False) -> Presented:
    """What a device with SECRET presents when it signed `text`."""
    password = sign(SECRET, text, method)
    return Presented(client_id, "dev0001&a1ExpAkj9Hi", password.upper() if upper else password)


@pytest.mark.parametrize("golden", CONNECTIONS, ids=lambda golden: golden.id)
def test_it_reads_who_a_real_device_says_that_it_is(golden: GoldenConnection) -> None:
    shown = presented(packets.read_connect(golden.packet))
    assert shown == golden.presented
    claim = read(shown)
    assert (claim.scheme, claim.product_key, claim.device_name) == (golden.scheme, golden.product_key, golden.device_name)
    assert names_in(shown.username) == (golden.product_key, golden.device_name)
    assert claim.scheme in SCHEMES


@by_secret
def test_it_verifies_what_a_real_device_signed(golden: GoldenConnection) -> None:
    notes = read(golden.presented).verify(golden.device_secret, golden.at)
    assert bool(notes) != golden.declared_honestly


@by_secret
def test_it_refuses_what_a_real_device_signed_with_another_secret(golden: GoldenConnection) -> None:
    other = ("A" if golden.device_secret[0] != "A" else "B") + golden.device_secret[1:]
    with pytest.raises(BadSignature) as caught:
        read(golden.presented).verify(other, golden.at)
    assert caught.value.facts["signed_text"] == golden.signed_text


@by_secret
def test_it_refuses_another_name_with_the_same_proof(golden: GoldenConnection) -> None:
    other = replace(
        golden.presented,
        username=golden.presented.username.replace(golden.device_name, golden.device_name + "x"),
        client_id=golden.presented.client_id.replace(golden.device_name, golden.device_name + "x"),
    )
    with pytest.raises(BadSignature):
        read(other).verify(golden.device_secret, golden.at)


@pytest.mark.parametrize("golden", BY_TOKEN, ids=lambda golden: golden.id)
def test_it_hands_on_a_client_id_with_its_token_and_never_verifies_it_by_a_secret(golden: GoldenConnection) -> None:
    claim = read(golden.presented)
    assert (claim.client_id, claim.token) == ("QRSTUV12345678", golden.token)
    assert golden.token not in repr(claim) + repr(golden.presented)
    with pytest.raises(BadSignature):
        claim.verify(golden.token, NOON)


@pytest.mark.parametrize("method", ["hmacmd5", "hmacsha1", "hmacsha256", "HmacSHA256"])
@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("with_base", [True, False])
@pytest.mark.parametrize("timestamp", ["", "2524608000000", "now, or so"])
def test_it_accepts_every_variant_of_alibabas_text(method: str, upper: bool, with_base: bool, timestamp: str) -> None:
    """One combination of what the documents allow: method, letter case, clientId and timestamp in the text or not."""
    timestamp = timestamp.replace(",", "")
    client_id = f"a1.dev|securemode=3,signmethod={method}{',timestamp=' + timestamp if timestamp else ''}|"
    text = ("clientIda1.dev" if with_base else "") + "deviceNamedev0001productKeya1ExpAkj9Hi"
    for signed in {text, text + (f"timestamp{timestamp}" if timestamp else "")}:
        assert read(alibaba(client_id, signed, method.lower(), upper=upper)).verify(SECRET, NOON) == ()


def test_it_takes_md5_when_no_method_is_named() -> None:
    text = "clientIda1.devdeviceNamedev0001productKeya1ExpAkj9Hi"
    for client_id in ("a1.dev|securemode=3|", "a1.dev", "a1.dev|"):
        assert read(alibaba(client_id, text, "hmacmd5")).verify(SECRET, NOON) == ()
    with pytest.raises(BadSignature):
        read(alibaba("a1.dev|securemode=3|", text, "hmacsha256")).verify(SECRET, NOON)


@pytest.mark.parametrize("rest", ["lan=JS|Broswer ,", "sii=type=eth,", "sii=a=b|c=d|,", "novalue,", ",,", "x=,", "中文=好,"])
def test_it_reads_past_parameters_that_hold_bars_and_equal_signs(rest: str) -> None:
    presented_ = alibaba(
        f"a1.dev|{rest}signmethod=hmacsha256,timestamp=789|", "clientIda1.devdeviceNamedev0001productKeya1ExpAkj9Hitimestamp789"
    )
    assert read(presented_).verify(SECRET, NOON) == ()


def test_a_timestamp_that_was_not_sent_is_not_in_the_text() -> None:
    with pytest.raises(BadSignature):
        read(alibaba("a|signmethod=hmacsha256|", "clientIdadeviceNamedev0001productKeya1ExpAkj9Hitimestamp1")).verify(SECRET, NOON)
    with pytest.raises(BadSignature):
        read(alibaba("a|signmethod=hmacsha256,timestamp=2|", "clientIdadeviceNamedev0001productKeya1ExpAkj9Hitimestamp1")).verify(
            SECRET, NOON
        )


def test_it_accepts_sha1_by_its_forty_digits_and_says_so() -> None:
    (note,) = read(NODE_BUG.presented).verify(NODE_BUG.device_secret, NODE_BUG.at)
    assert "HMAC-SHA1" in note


def test_a_signature_of_forty_digits_that_is_no_sha1_is_refused() -> None:
    with pytest.raises(BadSignature):
        read(replace(NODE_BUG.presented, password="0" * 40)).verify(NODE_BUG.device_secret, NODE_BUG.at)


def test_it_refuses_a_method_that_nobody_knows() -> None:
    with pytest.raises(UnknownAlgorithm):
        read(Presented("a|signmethod=hmacmd4|", "dev0001&a1ExpAkj9Hi", "00")).verify(SECRET, NOON)


@pytest.mark.parametrize("golden", REGISTRATIONS, ids=lambda golden: golden.id)
def test_a_registration_is_no_connection(golden: object) -> None:
    shown = presented(packets.read_connect(golden.packet))  # type: ignore[attr-defined]
    with pytest.raises(Malformed):
        read(shown)


@pytest.mark.parametrize(
    ("client_id", "username"),
    [
        ("a|authType=connwl,authType=register|", "d&p"),
        ("a|timestamp=1,timestamp=2|", "d&p"),
        ("a|authType=x509|", "d&p"),
        ("|authType=connwl|", "d&p"),
        ("a b|authType=connwl|", "d&p"),
        ("a" * 65 + "|authType=connwl|", "d&p"),
        ("a" * 513, "d&p"),
        ("", "d&p"),
        ("a\n", "d&p"),
        ("a", "d"),
        ("a", ""),
        ("a", "&p"),
        ("a", "d&"),
        ("a", "d&p&q"),
        ("a", "d" * 129 + "&p"),
        ("a", "/d"),
        ("a", "p/"),
        ("a", "p/d"),
        ("L4WG9V9M2Mdev", "L4WG9V9M2Mdev;1;2"),
        ("L4WG9V9M2Mdev", "L4WG9V9M2Mdev;1;2;3;4"),
        ("L4WG9V9M2Mdev", "L4WG9V9M2Mdev;1;2;-3"),
        ("L4WG9V9M2Mdev", "L4WG9V9M2Mdev;1;2;٣"),
        ("L4WG9V9M2Mdev", "L4WG9V9M2Mdev;1;2;" + "9" * 65),
        ("other", "L4WG9V9M2Mdev;1;2;3"),
        ("L4WG9V9M2M", "L4WG9V9M2M;1;2;3"),
    ],
)
def test_it_refuses_what_is_of_no_schemes_form(client_id: str, username: str) -> None:
    with pytest.raises(Malformed):
        read(Presented(client_id, username, "secret-looking"))


@pytest.mark.parametrize("password", ["00", ";hmacsha1", "00;", ""])
def test_it_refuses_tencents_password_without_its_parts(password: str) -> None:
    with pytest.raises(Malformed):
        read(replace(PYTHON_TENCENT.presented, password=password))


@pytest.mark.parametrize(
    "password", ["", "1.2", "1795177737." + "g" * 64, "1795177737" + "0" * 64, "-1." + "0" * 64, "1" * 21 + "." + "0" * 64]
)
def test_it_refuses_a_native_password_without_its_parts(password: str) -> None:
    with pytest.raises(Malformed):
        read(Presented("c", "a1ExpAkj9Hi/dev0001", password))


@pytest.mark.parametrize("fields", [{"username": None}, {"password": None}, {"password": b"\xff\xfe"}])
def test_it_refuses_a_packet_without_credentials(fields: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        presented(replace(Connect(4, "c", "u", b"p"), **fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["hmacsha1", "hmacsha256"])
@pytest.mark.parametrize("expiry", ["92233720368547758", "9223372036854775807", "1795177772992", "32472115200", "9" * 64])
def test_tencents_expiry_may_be_of_any_size(method: str, expiry: str) -> None:
    username = f"L4WG9V9M2Mdev;21010406;abcde;{expiry}"
    password = f"{tencent_mqtt.sign(PSK, username, method)};{method}"
    assert read(Presented("L4WG9V9M2Mdev", username, password)).verify(PSK, NOON) == ()


def test_tencents_expiry_ends_a_proof() -> None:
    seconds = int(NOON.timestamp())
    for expiry, ends in ((seconds, False), (seconds - 1, True), (0, True)):
        username = f"L4WG9V9M2Mdev;21010406;abcde;{expiry}"
        claim = read(Presented("L4WG9V9M2Mdev", username, tencent_mqtt.sign(PSK, username, "hmacsha1") + ";hmacsha1"))
        if ends:
            with pytest.raises(OutsideWindow):
                claim.verify(PSK, NOON)
        else:
            assert claim.verify(PSK, NOON) == ()


def test_tencents_key_is_the_decoded_psk_and_not_its_text() -> None:
    import hashlib
    import hmac

    username = PYTHON_TENCENT.presented.username
    by_text = hmac.new(PSK.encode(), username.encode(), hashlib.sha1).hexdigest() + ";hmacsha1"
    with pytest.raises(BadSignature):
        read(replace(PYTHON_TENCENT.presented, password=by_text)).verify(PSK, NOON)


@pytest.mark.parametrize("secret", ["", "not base64!", "abc", "===="])
def test_a_secret_that_is_no_psk_lets_nobody_in(secret: str) -> None:
    with pytest.raises(BadSignature):
        read(PYTHON_TENCENT.presented).verify(secret, NOON)


def test_it_refuses_a_method_that_tencent_does_not_know() -> None:
    with pytest.raises(UnknownAlgorithm):
        read(replace(PYTHON_TENCENT.presented, password="00;hmacmd5")).verify(PSK, NOON)


@pytest.mark.parametrize(("minutes", "inside"), [(-5.1, False), (-5, True), (0, True), (5, True), (5.1, False)])
def test_a_native_proof_is_good_for_five_minutes(minutes: float, inside: bool) -> None:
    claim = read(COMPOSERS["native"](DEVICES["native"], NOON, 7))
    if inside:
        assert claim.verify(SECRET, NOON + timedelta(minutes=minutes)) == ()
    else:
        with pytest.raises(OutsideWindow) as caught:
            claim.verify(SECRET, NOON + timedelta(minutes=minutes))
        assert "server_time" in caught.value.facts


def test_a_native_proof_is_bound_to_its_client_identifier() -> None:
    shown = COMPOSERS["native"](DEVICES["native"], NOON, 7)
    with pytest.raises(BadSignature):
        read(replace(shown, client_id="another")).verify(SECRET, NOON)


@each_device
def test_it_accepts_what_its_own_device_side_composes(vendor: str) -> None:
    claim = read(COMPOSERS[vendor](DEVICES[vendor], NOON, 706384600))
    assert claim.verify(DEVICES[vendor].device_secret, NOON) == ()
    assert (claim.scheme, claim.client_id, claim.token) == (vendor, "", "")


def test_a_device_with_a_token_presents_it() -> None:
    device = DeviceCredentials("a1ExpAkj9Hi", "dev0001", client_id="9rSzAbCd12UNMWj33f000112ab", device_token="t" * 32)
    claim = read(alibaba_connect.compose(device, NOON, 1))
    assert (claim.scheme, claim.client_id, claim.token) == ("alibaba-connwl", "9rSzAbCd12UNMWj33f000112ab", "t" * 32)
    assert "t" * 32 not in repr(device) + repr(claim)


TEXTS = st.text(max_size=80)
LIKELY = st.builds(
    Presented,
    client_id=st.builds("{}|{}={},{}|".format, TEXTS, st.sampled_from(["authType", "signmethod", "timestamp", "x"]), TEXTS, TEXTS) | TEXTS,
    username=st.builds("{}{}{}".format, TEXTS, st.sampled_from("&;/"), TEXTS) | st.builds("{0};{1};{1};9".format, TEXTS, TEXTS) | TEXTS,
    password=st.builds("{}.{}".format, st.integers(0, 10**20), TEXTS) | st.builds("{};hmacsha1".format, TEXTS) | TEXTS,
)


@given(shown=LIKELY)
def test_it_meets_any_texts_with_a_refusal(shown: Presented) -> None:
    with pytest.raises((Malformed, BadSignature, UnknownAlgorithm, OutsideWindow)):
        read(shown).verify(SECRET, NOON)


@each_device
@given(
    where=st.integers(0, 2), at=st.integers(0, 500), put=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=2)
)
def test_no_changed_character_makes_another_device_of_it(vendor: str, where: int, at: int, put: str) -> None:
    shown = COMPOSERS[vendor](DEVICES[vendor], NOON, 7)
    name = ("client_id", "username", "password")[where]
    text = getattr(shown, name)
    at %= len(text)
    try:
        claim = read(replace(shown, **{name: text[:at] + put + text[at + len(put) :]}))
        claim.verify(DEVICES[vendor].device_secret, NOON)
    except DomainError:
        return
    assert (claim.product_key, claim.device_name) == (DEVICES[vendor].product_key, "dev0001")


def test_the_names_in_a_user_name_are_read_without_the_rest() -> None:
    assert names_in("a1ExpAkj9Hi/dev0001") == ("a1ExpAkj9Hi", "dev0001")
    for username in ("", "nobody", "&", "a;b;c;d", "x" * 300):
        with pytest.raises(Malformed):
            names_in(username)


def test_the_timestamp_of_a_captured_device_is_of_a_time_zone() -> None:
    assert all(golden.at.tzinfo == UTC and golden.at > datetime(2026, 1, 1, tzinfo=UTC) for golden in CONNECTIONS)
