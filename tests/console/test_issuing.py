"""Issuing CAs and the certificates that they sign, looked at by the real openssl."""

from datetime import timedelta
from math import gcd
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from console.crypto.certificates import device_requests, issuing, reading, requests, signing_keys
from console.crypto.certificates.issuing import Issuer, KeyKind, NamePlace, Profile
from console.errors import Invalid
from tests.products.issuing_cast import DEVICE, NOW, a_request, an_issuer, later, openssl, pem, rsa_key, write

PROFILE = Profile(days=365, organization="Acme", unit="Meters")


def issued(
    issuer: Issuer, key: ec.EllipticCurvePrivateKey | None = None, profile: Profile = PROFILE, name: str = DEVICE
) -> x509.Certificate:
    key = key or ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    return issuing.issue(issuer, device_name=name, public_key=public, profile=profile, serial=issuing.draw_serial(), at=NOW)


@pytest.mark.parametrize("kind", list(KeyKind))
def test_openssl_verifies_what_a_made_ca_has_signed(kind: KeyKind, tmp_path: Path) -> None:
    issuer = an_issuer(kind=kind)
    ca, leaf = write(tmp_path, "ca.pem", pem(issuer.certificate)), write(tmp_path, "leaf.pem", pem(issued(issuer)))
    assert "OK" in openssl("verify", "-x509_strict", "-CAfile", ca, "-purpose", "sslclient", leaf)
    openssl("verify", "-x509_strict", "-CAfile", ca, "-purpose", "sslserver", leaf, good=False)
    openssl("verify", "-CAfile", write(tmp_path, "other.pem", pem(an_issuer().certificate)), leaf, good=False)
    openssl("verify", "-x509_strict", "-CAfile", ca, ca)


def test_a_device_certificate_has_what_it_must_and_nothing_else(tmp_path: Path) -> None:
    text = openssl("x509", "-noout", "-text", "-in", write(tmp_path, "leaf.pem", pem(issued(an_issuer()))))
    for line in ("CA:FALSE", "Digital Signature", "TLS Web Client Authentication", f"O = Acme, OU = Meters, CN = {DEVICE}"):
        assert line in text
    for extension in ("Key Usage: critical", "Basic Constraints: critical", "Subject Key Identifier", "Authority Key Identifier"):
        assert extension in text
    assert "Alternative" not in text and "CRL Distribution" not in text and "Key Encipherment" not in text
    assert len(issued(an_issuer()).extensions) == 5


def test_it_is_read_as_strictly_as_any_other() -> None:
    issuer = an_issuer()
    leaf = reading.from_der(issued(issuer).public_bytes(Encoding.DER))
    assert leaf.common_names == (DEVICE,) and not leaf.is_ca and leaf.version == 3
    assert leaf.authority_key_identifier == reading.from_der(issuer.certificate.public_bytes(Encoding.DER)).subject_key_identifier


def test_serial_numbers_are_random_positive_and_at_most_twenty_octets() -> None:
    drawn = {issuing.draw_serial() for _ in range(2000)}
    assert len(drawn) == 2000 and all(0 < one < 2**128 for one in drawn)
    assert issuing.draw_serial(lambda size: b"\0" * size) == 1
    highest = issuing.draw_serial(lambda size: b"\xff" * size)
    made = issuing.issue(an_issuer(), device_name="d", public_key=rsa_key().public_key(), profile=PROFILE, serial=highest, at=NOW)
    assert made.serial_number == highest


def test_a_certificate_ends_with_its_ca_at_the_latest_and_begins_no_earlier() -> None:
    issuer = an_issuer(days=30)
    made = issued(issuer)
    assert made.not_valid_after_utc == issuer.certificate.not_valid_after_utc
    assert issuer.certificate.not_valid_before_utc <= made.not_valid_before_utc <= NOW


@pytest.mark.parametrize("at", [later(days=31), later(days=-1)])
def test_an_issuing_ca_that_has_ended_or_not_begun_signs_nothing(at) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(issuing.AuthorityEnded, match="valid from"):
        issuing.issue(an_issuer(days=30), device_name="d", public_key=rsa_key().public_key(), profile=PROFILE, serial=1, at=at)


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        (NamePlace.DNS_NAME, f"DNS:{DEVICE}"),
        (NamePlace.URI, f"URI:{DEVICE}"),
        (NamePlace.SUBJECT_SERIAL_NUMBER, f"serialNumber = {DEVICE}"),
    ],
)
def test_the_name_stands_also_where_the_product_reads_it(place: NamePlace, shown: str, tmp_path: Path) -> None:
    leaf = write(tmp_path, "leaf.pem", pem(issued(an_issuer(), profile=Profile(30, name_also_in=place))))
    assert shown in openssl("x509", "-noout", "-text", "-in", leaf)


def test_the_address_of_the_list_is_in_it_on_request(tmp_path: Path) -> None:
    profile = Profile(30, crl_url="http://console.example/crl/7.crl")
    assert "URI:http://console.example/crl/7.crl" in openssl(
        "x509", "-noout", "-text", data=pem(issued(an_issuer(), profile=profile)).encode()
    )


@pytest.mark.parametrize("name", ["", "x" * 65, "line\nfeed", "nul\0"])
def test_a_name_that_no_certificate_can_have_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        an_issuer(name)


def test_a_certificate_is_short() -> None:
    """Those of EC have some 500 bytes; with an RSA CA and key and the longest name it is below 1,100."""
    long = Profile(3650, organization="A company with a long name, Inc", unit="Meters")
    assert len(issued(an_issuer()).public_bytes(Encoding.DER)) < 520
    made = issuing.issue(
        an_issuer(kind=KeyKind.RSA_2048), device_name="n" * 48, public_key=rsa_key().public_key(), profile=long, serial=1, at=NOW
    )
    assert len(made.public_bytes(Encoding.DER)) < 1100


# -- Keys --------------------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_key_is_read_in_every_usual_form(form: PrivateFormat, encoding: Encoding) -> None:
    for key in (ec.generate_private_key(ec.SECP384R1()), rsa_key()):
        assert signing_keys.pem_of(signing_keys.read_private_key(key.private_bytes(encoding, form, NoEncryption()))) == signing_keys.pem_of(
            key
        )


def test_an_encrypted_key_needs_its_password() -> None:
    data = rsa_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame"))
    assert signing_keys.read_private_key(data, password="open sesame")
    for password, words in (("", "encrypted"), ("wrong", "does not open")):
        with pytest.raises(signing_keys.BadPrivateKey, match=words):
            signing_keys.read_private_key(data, password=password)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"x" * 20_000,
        ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        ec.generate_private_key(ec.SECP256K1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        rsa_key(1024).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    ],
)
def test_what_is_no_key_for_a_ca_is_refused(data: bytes) -> None:
    with pytest.raises(signing_keys.BadPrivateKey):
        signing_keys.read_private_key(data)


def test_it_sees_that_a_key_is_another_certificates() -> None:
    one, other = an_issuer(), an_issuer()
    assert issuing.belongs_together(one.certificate, one.key)
    assert not issuing.belongs_together(one.certificate, other.key)
    assert "BEGIN" not in repr(one)


# -- Requests ----------------------------------------------------------------------------------------------------------------------------
def fault(data: bytes) -> str:
    with pytest.raises(device_requests.BadRequest) as caught:
        device_requests.check(data, names={DEVICE})
    return str(caught.value.facts["fault"])


@pytest.mark.parametrize("name", [DEVICE, "", "A4-C1-38-00-00-01"])
def test_a_request_for_the_device_or_for_nobody_is_taken(name: str) -> None:
    found = device_requests.check(a_request(name), names={DEVICE, "A4-C1-38-00-00-01"})
    assert found.spki_sha256 == requests.read_request(found.der).spki_sha256


def test_a_request_of_openssl_is_taken(tmp_path: Path) -> None:
    openssl(
        "req",
        "-new",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        str(tmp_path / "k"),
        "-subj",
        f"/CN={DEVICE}/O=X",
        "-out",
        str(tmp_path / "r"),
    )
    assert device_requests.check((tmp_path / "r").read_bytes(), names={DEVICE})


def test_each_request_that_cannot_be_signed_is_refused_for_its_own_reason() -> None:
    tampered = bytearray(a_request())
    tampered[-1] ^= 1
    other = a_request("somebody-else")
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    found = {
        "garbage": fault(b"garbage"),
        "size": fault(b"0" * 7000),
        "signature": fault(bytes(tampered)),
        "name": fault(other),
        "authority": fault(a_request(DEVICE, None, constraints)),
        "usage": fault(a_request(DEVICE, None, issuing._usage(sign_certificates=True))),
        "curve": fault(a_request(DEVICE, ec.generate_private_key(ec.SECP521R1()))),
        "weak": fault(a_request(DEVICE, rsa_key(1024))),
        "certificate": fault(an_issuer().certificate.public_bytes(Encoding.PEM)),
    }
    assert found["size"] == "size" and found["name"] == "name" and found["curve"] == "curve"
    assert found["authority"] == found["usage"] == "authority"
    assert found["signature"] == "certificate_bad_signature" and found["weak"] == "certificate_weak_key"
    assert found["certificate"] == "wrong_pem_label" and found["garbage"] != "size"


def test_an_exponent_that_only_costs_time_is_refused() -> None:
    """With a private exponent of choice, the public one is as long as the key; OpenSSL still verifies with it below 3,072 bits."""
    given = rsa_key().private_numbers()
    private = next(one for one in range(65539, 99999, 2) if gcd(one, (given.p - 1) * (given.q - 1)) == 1)
    public = rsa.RSAPublicNumbers(pow(private, -1, (given.p - 1) * (given.q - 1)), given.p * given.q)
    parts = (private % (given.p - 1), private % (given.q - 1), given.iqmp)
    key = rsa.RSAPrivateNumbers(given.p, given.q, private, *parts, public).private_key(unsafe_skip_rsa_key_validation=True)
    assert fault(a_request(DEVICE, key)) == "exponent"


def test_extensions_that_a_request_asks_for_are_not_honoured(tmp_path: Path) -> None:
    asked = a_request(
        DEVICE, None, x509.SubjectAlternativeName([x509.DNSName("bank.example")]), x509.BasicConstraints(ca=False, path_length=None)
    )
    request = device_requests.check(asked, names={DEVICE})
    issuer = an_issuer()
    made = issuing.issue(issuer, device_name=DEVICE, public_key=request.public_key, profile=PROFILE, serial=1, at=NOW)
    assert "bank.example" not in openssl("x509", "-noout", "-text", "-in", write(tmp_path, "leaf.pem", pem(made)))


def test_a_ca_that_ends_tomorrow_still_signs_until_then() -> None:
    assert issued(an_issuer(days=1)).not_valid_after_utc == NOW + timedelta(days=1)
