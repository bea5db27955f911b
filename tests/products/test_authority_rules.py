"""What a CA certificate must be, and when a verification certificate proves that somebody has its private key."""

import random
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from console.crypto.certificates import reading
from products.rules import authorities
from products.rules import authority_errors as errors
from products.rules.authorities import CODE_FORM, ProofCode
from tests.console.x509_parts import (
    BEGIN,
    CA,
    DAY,
    NOW,
    SECOND,
    authority,
    basic,
    certificate,
    curve_key,
    dn,
    extension,
    key,
    known,
    purpose,
    rsa_key,
    usage,
    validity,
)

SKI, AKI = known(x509.SubjectKeyIdentifier(b"1234")), known(x509.AuthorityKeyIdentifier(b"5678", None, None))
CODE = authorities.new_code(random.Random(1).randbytes)
LIVE = ProofCode(CODE, NOW - DAY)
ROOT = reading.from_der(authority())


def problems(der: bytes) -> list[type[Exception]]:
    return [type(one) for one in authorities.examine(reading.from_der(der), at=NOW).problems]


def prove(*, code: ProofCode = LIVE, **parts: object) -> None:
    facts = {"subject": dn(CODE), "extensions": (basic(ca=False),)} | parts
    authorities.check_proof(reading.from_der(certificate(**facts)), ROOT, code, at=NOW)


# -- The CA certificate --------------------------------------------------------------------------------------------------------------------
def test_a_ca_certificate_that_is_as_it_should_be_has_no_problem_and_no_warning() -> None:
    found = authorities.examine(reading.from_der(authority(extensions=(*CA, SKI))), at=NOW)
    assert (found.problems, found.warnings) == ((), ())
    assert not problems(authority("RSA", public=rsa_key().public_key(), signer=rsa_key(), signature="rsa-sha256"))


@pytest.mark.parametrize(
    ("der", "problem"),
    [
        (certificate(extensions=(basic(ca=False),)), errors.NotACa),
        (authority(extensions=(usage("key_cert_sign"),)), errors.NotACa),
        (authority(extensions=(basic(ca=False),)), errors.NotACa),
        (authority(extensions=(basic(ca=True), usage("crl_sign"))), errors.MayNotSign),
        (authority(extensions=(*CA, purpose(ExtendedKeyUsageOID.SERVER_AUTH))), errors.WrongPurpose),
        (authority(dates=validity(BEGIN, NOW - SECOND)), errors.AuthorityExpired),
        (authority(public=rsa_key(1024).public_key(), signer=rsa_key(1024), signature="rsa-sha256"), errors.AuthorityWeak),
        (authority(public=curve_key(ec.SECP256K1).public_key(), signer=curve_key(ec.SECP256K1)), errors.AuthorityWeak),
        (authority(signature="ecdsa-sha1"), errors.AuthorityWeak),
        (authority(extensions=(*CA, extension(x509.ObjectIdentifier("1.2.3"), b"\x05\0", critical=True))), errors.AuthorityUnsupported),
        (authority(signer=key("other")), errors.SelfSignatureWrong),
    ],
)
def test_a_ca_certificate_is_refused_for_its_own_reason(der: bytes, problem: type[Exception]) -> None:
    assert problems(der) == [problem]
    with pytest.raises(problem):
        authorities.check(reading.from_der(der), at=NOW)


def test_a_certificate_of_version_1_is_no_ca_certificate() -> None:
    assert problems(authority(version=b"", extensions=None)) == [errors.NotVersion3, errors.NotACa]


def test_an_intermediate_is_as_good_as_a_root() -> None:
    assert not problems(authority("middle", of="CA", extensions=(*CA, SKI, AKI)))


@pytest.mark.parametrize(
    ("der", "says"),
    [
        (authority(), ["no subject key identifier"]),
        (authority("middle", of="CA", extensions=(*CA, SKI)), ["no authority key identifier"]),
        (authority(extensions=(basic(ca=True), SKI)), ["no key usage"]),
        (authority(extensions=(known(x509.BasicConstraints(True, None)), CA[1], SKI)), ["not critical"]),
        (authority(extensions=(*CA, SKI), dates=validity(NOW + DAY, NOW + 2 * DAY)), ["not valid before 2026-11-22 12:00:00 UTC"]),
    ],
)
def test_what_is_unwise_is_a_warning(der: bytes, says: list[str]) -> None:
    warnings = authorities.check(reading.from_der(der), at=NOW)
    assert len(warnings) == len(says) and all(words in told for words, told in zip(says, warnings, strict=True))


# -- Proof of possession -------------------------------------------------------------------------------------------------------------------
def test_a_code_is_of_the_form_of_a_uuid_and_all_of_it_is_random() -> None:
    drawn = []

    def random_bytes(count: int) -> bytes:
        drawn.append(count)
        return bytes(range(count))

    assert authorities.new_code(random_bytes) == "00010203-0405-0607-0809-0a0b0c0d0e0f"
    assert drawn == [16]
    assert CODE_FORM.fullmatch(CODE) and len(CODE) == 36


def test_a_certificate_with_the_code_proves_it() -> None:
    prove()
    prove(subject=dn(CODE.upper()))
    prove(subject=dn(CODE, (NameOID.ORGANIZATION_NAME, "Acme")))
    prove(version=b"", extensions=None)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"subject": dn(CODE[:-1] + "x")}, errors.ProofWithoutCode),
        ({"subject": dn("x" + CODE)}, errors.ProofWithoutCode),
        ({"subject": dn("")}, errors.ProofWithoutCode),
        ({"subject": dn("", (NameOID.ORGANIZATION_NAME, CODE))}, errors.ProofWithoutCode),
        ({"subject": dn(CODE, (NameOID.COMMON_NAME, CODE))}, errors.ProofWithoutCode),
        ({"issuer": dn("other")}, errors.ProofOfAnotherCa),
        ({"issuer": dn(CODE), "signer": key(), "public": key().public_key()}, errors.ProofOfAnotherCa),
        ({"signer": key("other")}, errors.ProofSignatureWrong),
        ({"signature": "ecdsa-sha1"}, errors.ProofSignatureWrong),
        ({"extensions": CA}, errors.ProofIsCa),
        ({"dates": validity(BEGIN, NOW - SECOND)}, errors.ProofNotValidNow),
        ({"dates": validity(NOW + SECOND, NOW + DAY)}, errors.ProofNotValidNow),
    ],
)
def test_a_certificate_that_proves_nothing_is_refused_for_its_own_reason(parts: dict[str, object], reason: type[Exception]) -> None:
    with pytest.raises(errors.ProofRefused) as refused:
        prove(**parts)
    assert refused.type is reason


def test_the_ca_certificate_itself_proves_nothing() -> None:
    with pytest.raises(errors.ProofIsCa):
        authorities.check_proof(ROOT, ROOT, LIVE, at=NOW)


def test_a_code_is_good_for_seven_days_and_one_use() -> None:
    prove(code=ProofCode(CODE, NOW - timedelta(days=7) + SECOND))
    with pytest.raises(errors.CodeExpired, match="2026-11-21 12:00:00 UTC"):
        prove(code=ProofCode(CODE, NOW - timedelta(days=7)))
    with pytest.raises(errors.CodeUsed):
        prove(code=ProofCode(CODE, NOW - DAY, used_at=NOW))


def test_a_ca_with_another_key_of_the_same_name_is_not_proven() -> None:
    twin = reading.from_der(authority(public=key("other").public_key(), signer=key("other")))
    with pytest.raises(errors.ProofSignatureWrong):
        authorities.check_proof(reading.from_der(certificate(subject=dn(CODE), extensions=None, version=b"")), twin, LIVE, at=NOW)
