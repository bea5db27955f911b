"""Registration that is answered with a certificate: what is handed to whom, and the exact bytes of each scheme."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from console.crypto.certificates import issuing, reading, signing_keys
from console.crypto.certificates.issuing import KeyKind, Profile
from registration.protocols import handing_out
from registration.protocols.base import Asked, BadSignature, Grant, Malformed, asked_by
from registration.protocols.handing_out import CsrMissing, CsrNotTaken, Handed
from registration.protocols.native import Native
from registration.protocols.registry import every_protocol
from registration.protocols.tencent import TencentNew, TencentOld
from registration.protocols.tencent_payload import plain_text_of, unseal
from registration.protocols.wire import compact_json
from tests.products.issuing_cast import NOW, a_request, an_issuer, pem, rsa_key
from tests.registration.test_protocols import CREDENTIALS, refusal

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECRET = CREDENTIALS.product_secret
REQUEST_ID = "02f437a3-a620-4705-bedf-27138c95f411"
CSR = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n"


def pair(kind: KeyKind = KeyKind.EC_P256, name: str = "dev0001", **profile: Any) -> tuple[str, str]:
    """A device's certificate and key as PEM."""
    key: Any = issuing.new_key(kind)
    issuer = an_issuer(kind=kind)
    made = issuing.issue(
        issuer, device_name=name, public_key=key.public_key(), profile=Profile(3650, **profile), serial=issuing.draw_serial(), at=NOW
    )
    return pem(made), signing_keys.old_pem_of(key)


def grant(certificate: str = "", key: str = "", **more: Any) -> Grant:
    return Grant("a1ExpAkj9Hi", "dev0001", "", SECRET, request_id=REQUEST_ID, certificate=certificate, private_key=key, **more)


# -- Who is handed what ------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("asked", "answers", "trusts", "handed"),
    [
        (Asked(), False, False, Handed.KEY),
        (Asked(takes_key=True), False, True, Handed.KEY),
        (Asked(own_certificate=b"x", takes_key=True), False, False, Handed.KEY),
        (Asked(own_certificate=b"x", takes_key=True), False, True, Handed.OWN_CERTIFICATE),
        (Asked(takes_key=True), True, True, Handed.KEY_AND_CERTIFICATE),
        (Asked(own_certificate=b"x", takes_key=True), True, False, Handed.OWN_CERTIFICATE),
        (Asked(csr=b"x"), True, True, Handed.CERTIFICATE),
    ],
)
def test_what_is_handed_out_follows_from_the_product_and_the_request(asked: Asked, answers: bool, trusts: bool, handed: Handed) -> None:
    assert handing_out.choose(asked, answers_with_certificate=answers, trusts_a_ca=trusts) == handed


def test_what_cannot_be_handed_out_is_refused() -> None:
    with pytest.raises(CsrMissing):
        handing_out.choose(Asked(), answers_with_certificate=True, trusts_a_ca=True)
    with pytest.raises(CsrNotTaken):
        handing_out.choose(Asked(csr=b"x"), answers_with_certificate=False, trusts_a_ca=True)


def test_each_scheme_says_whether_it_can_carry_a_key() -> None:
    asked = {one.name: asked_by(one.parse(one.compose(CREDENTIALS, host="h", at=AT, nonce=7))) for one in every_protocol()}
    assert {name: one.takes_key for name, one in asked.items()} == {
        "alibaba": False,
        "tencent-new": True,
        "tencent-old": True,
        "native": False,
    }


# -- Tencent -----------------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", list(KeyKind))
def test_tencents_plaintext_is_what_its_text_scanner_reads(kind: KeyKind) -> None:
    certificate, key = pair(kind)
    plain = plain_text_of(grant(certificate, key)).decode()
    assert plain.startswith('{"encryptionType":1,"clientCert":"-----BEGIN CERTIFICATE-----\\nMII')
    assert '\\n","clientKey":"-----BEGIN ' in plain and plain.endswith('PRIVATE KEY-----\\n"}')
    assert "\n" not in plain and "\\/" not in plain and "\\r" not in plain and "\\u" not in plain and " :" not in plain
    assert plain.count("\\") == plain.count("\\n") == certificate.count("\n") + key.count("\n")
    assert json.loads(plain) == {"encryptionType": 1, "clientCert": certificate, "clientKey": key}


def test_a_key_is_in_the_form_that_every_tls_library_reads() -> None:
    assert pair(KeyKind.RSA_2048)[1].startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert pair(KeyKind.EC_P256)[1].startswith("-----BEGIN EC PRIVATE KEY-----")


@pytest.mark.parametrize("scheme", [TencentNew, TencentOld])
@pytest.mark.parametrize("kind", list(KeyKind))
def test_a_device_finds_its_pair_in_the_answer(scheme: Any, kind: KeyKind) -> None:
    certificate, key = pair(kind)
    found = scheme().read(scheme().accept(grant(certificate, key)), SECRET)
    assert found.accepted and (found.certificate, found.private_key, found.device_secret) == (certificate, key, "")


@pytest.mark.parametrize("scheme", [TencentNew, TencentOld])
def test_the_longest_answer_fits_the_buffers_of_the_c_sdk(scheme: Any) -> None:
    """5 KiB: an RSA-2048 pair, the longest DeviceName of the vendor, and short O and OU."""
    answer = scheme().accept(grant(*pair(KeyKind.RSA_2048, "n" * 48, organization="O" * 32, unit="U" * 32)))
    assert len(answer.body) < 5 * 1024
    with pytest.raises(ValueError, match="3600"):
        scheme().accept(grant("A" * 2500, "B" * 1200))


@pytest.mark.parametrize("scheme", [TencentNew, TencentOld])
def test_a_device_with_its_own_certificate_is_told_so_in_twenty_bytes(scheme: Any) -> None:
    assert plain_text_of(grant(own_certificate=True)) == b'{"encryptionType":1}'
    body = json.loads(scheme().accept(grant(own_certificate=True)).body)
    inner = body.get("Response", body)
    assert inner.get("Len", inner.get("len")) == 20
    assert scheme().read(scheme().accept(grant(own_certificate=True)), SECRET).own_certificate


@pytest.mark.parametrize("member", ["ClientCert", "clientCert"])
def test_a_certificate_that_the_device_brings_is_read_in_both_spellings(member: str) -> None:
    request = TencentNew().compose(CREDENTIALS, host="h", at=AT, nonce=1)
    body = compact_json({**json.loads(request.body), member: "-----BEGIN CERTIFICATE-----\nMII\n"})
    claim = TencentNew().parse(replace(request, body=body))
    assert asked_by(claim) == Asked(own_certificate=b"-----BEGIN CERTIFICATE-----\nMII\n", takes_key=True)
    assert claim.notes


@pytest.mark.parametrize("value", [5, None, ["x"], "x" * 7000, "schlüssel"])
def test_a_certificate_that_no_reader_would_take_is_passed_over(value: Any) -> None:
    request = TencentNew().compose(CREDENTIALS, host="h", at=AT, nonce=1)
    claim = TencentNew().parse(replace(request, body=compact_json({**json.loads(request.body), "ClientCert": value})))
    assert asked_by(claim).own_certificate == b""


@pytest.mark.parametrize("bad", ["", "-----BEGIN\r\n", "é"])
def test_a_pem_that_would_break_firmware_is_never_sent(bad: str) -> None:
    with pytest.raises(ValueError, match="PEM"):
        plain_text_of(grant("-----BEGIN CERTIFICATE-----\n", bad))


def test_an_answer_that_holds_nothing_is_none() -> None:
    from registration.protocols.tencent_payload import seal

    length, payload = seal(b'{"encryptionType":2}', SECRET)
    assert unseal(length, payload, SECRET) == {"encryptionType": 2}
    with pytest.raises(Malformed):
        TencentOld().read(
            replace(
                TencentOld().accept(grant(own_certificate=True)),
                body=compact_json({"code": 0, "message": "", "len": length, "payload": payload}),
            ),
            SECRET,
        )


# -- Native ------------------------------------------------------------------------------------------------------------------------------
def native_request(csr: str | None = CSR, *, sign: bool = True) -> Any:
    from registration.protocols.native import NativeClaim, _sign

    plain = Native().compose(CREDENTIALS, host="h", at=AT, nonce=7)
    members = json.loads(plain.body)
    claim = NativeClaim(
        members["productKey"], members["deviceName"], str(members["timestamp"]), members["nonce"], "", csr if sign and csr else ""
    )
    members |= {"signature": _sign(SECRET, claim.signed_text)} | ({"csr": csr} if csr is not None else {})
    return replace(plain, body=compact_json(members))


def test_a_csr_is_signed_with_the_request() -> None:
    claim = Native().parse(native_request())
    claim.verify(SECRET, AT)
    assert asked_by(claim).csr == CSR.encode()
    assert claim.signed_text.count("\n") == 7 and len(claim.signed_text.rpartition("\n")[2]) == 64
    other = native_request()
    with pytest.raises(BadSignature):
        Native().parse(replace(other, body=other.body.replace(b"MIIB", b"MIIC"))).verify(SECRET, AT)
    with pytest.raises(BadSignature):
        Native().parse(native_request(sign=False)).verify(SECRET, AT)


def test_a_csr_that_is_taken_out_on_the_way_is_missed() -> None:
    request = native_request()
    members = json.loads(request.body)
    del members["csr"]
    with pytest.raises(BadSignature):
        Native().parse(replace(request, body=compact_json(members))).verify(SECRET, AT)


@pytest.mark.parametrize("csr", ["", 5, None, [], "MIIB", "x" * 7000, "-----BEGIN é"])
def test_a_csr_that_is_no_pem_is_malformed(csr: Any) -> None:
    members = json.loads(native_request(None).body) | {"csr": csr}
    with pytest.raises(Malformed) as caught:
        Native().parse(replace(native_request(), body=compact_json(members)))
    assert caught.value.field == "csr"


def test_the_native_answer_has_the_certificate_and_its_chain_in_the_place_of_the_secret() -> None:
    certificate, _key = pair()
    reply = Native().accept(grant(certificate, certificate_chain=certificate))
    assert list(json.loads(reply.body)) == ["productKey", "deviceName", "certificate", "certificateChain", "isNew", "requestId"]
    found = Native().read(reply, SECRET)
    assert found.accepted and reading.read_one(found.certificate.encode()).common_names == ("dev0001",)


@pytest.mark.parametrize("code", ["bad_csr", "csr_missing", "csr_not_taken", "no_issuing_ca", "issuing_failed"])
@pytest.mark.parametrize("protocol", every_protocol(), ids=lambda protocol: protocol.name)
def test_refusals_are_told_without_our_words(protocol: Any, code: str) -> None:
    reply = protocol.refuse(refusal(code), REQUEST_ID)
    assert not protocol.read(reply, SECRET).accepted
    assert b"operator" not in reply.body and len(reply.body) <= 255


def test_a_real_request_fits_the_longest_body() -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    longest = x509.load_der_x509_csr(a_request("n" * 48, rsa_key(4096))).public_bytes(Encoding.PEM).decode()
    assert len(native_request(longest).body) < 4096
