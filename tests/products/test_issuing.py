"""A product's issuing CA: made, taken up or outside; certificates for its devices, written down and superseded."""

import base64
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from django.db import transaction

from console.crypto.certificates import device_requests, reading, signing_keys
from console.errors import Conflict, DomainError, Invalid
from console.models import AuditEntry
from console.shared import fetching, keyring
from products.models import AuthorityState, CertificateAuthority, CertificatePolicy, IssuedCertificate, IssuingCA, Product, RevokedSerial
from products.services import authority_states, authority_upkeep, issuing, issuing_authority, issuing_ca, issuing_profiles, outside_ca
from products.services.issuing_ca import Outside
from tests import cast
from tests.cast import OPERATOR
from tests.products import issuing_cast
from tests.products.issuing_cast import DEVICE, NOW, a_request, an_issuer, later, openssl, own_ca, pem, rsa_key, server, write

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    issuing_profiles.forget()


@pytest.fixture
def meter() -> Product:
    return cast.meter()


def issue(product: Product, csr: bytes | None = None, name: str = DEVICE, **more: Any) -> issuing.Issued:
    issuing_profiles.forget()
    return issuing.issue_for(product_id=product.pk, device_name=name, csr=csr, at=NOW, **more)


def stored(product: Product, *, only_one: bool = False, name: str = DEVICE, center: int | None = 1) -> IssuedCertificate:
    with transaction.atomic():
        return issuing.record(issue(product, name=name), data_center_id=center, only_one=only_one, at=NOW)


def good(product: Product) -> list[str]:
    return list(IssuedCertificate.objects.of_device(product.pk, DEVICE).good().order_by("id").values_list("serial", flat=True))


# -- The CA ------------------------------------------------------------------------------------------------------------------------------
def test_a_made_ca_is_a_ca_certificate_that_is_proven_active_and_serves_the_product(meter: Product) -> None:
    row = own_ca(meter)
    authority = row.authority
    assert authority.state == AuthorityState.ACTIVE and authority.proof_certificate and list(authority.products.all()) == [meter]
    assert not authority.is_without_proof
    assert [line.action for line in AuditEntry.objects.filter(action__startswith="issuing_ca").order_by("id")] == [
        "issuing_ca.make",
        "issuing_ca.change",
    ]


def test_its_key_is_sealed_to_its_row_and_stands_in_no_audit_line(meter: Product) -> None:
    row = own_ca(meter)
    assert b"PRIVATE" not in bytes(row.sealed_key)
    text = keyring.unseal(row.sealed_key, owner=row.owner())
    assert signing_keys.open_kept(text)
    assert text[40:80] not in str(list(AuditEntry.objects.values_list("before", "after")))
    with pytest.raises(DomainError):
        keyring.unseal(row.sealed_key, owner=b"issuing ca|999")


def test_a_product_has_one_issuing_ca_until_it_is_retired(meter: Product) -> None:
    first = own_ca(meter)
    with pytest.raises(issuing_ca.HasIssuingCA):
        issuing_ca.make(meter, name="Another", by=OPERATOR, at=NOW)
    issuing_ca.retire(first.pk, reason="rollover", by=OPERATOR, at=NOW)
    with pytest.raises(Conflict):
        issuing_ca.retire(first.pk, by=OPERATOR, at=NOW)
    with pytest.raises(issuing.NoIssuingCA):
        issue(meter)
    issuing_ca.make(meter, name="Another", by=OPERATOR, at=NOW)
    assert issue(meter).certificate.issuer == "CN=Another"


def test_a_ca_is_taken_up_with_its_key(meter: Product) -> None:
    given = an_issuer("Old CA")
    key = signing_keys.pem_of(given.key).encode()
    row = issuing_ca.take_up(meter, certificate=pem(given.certificate).encode(), key=key, by=OPERATOR, at=NOW)
    assert row.authority.state == AuthorityState.ACTIVE and row.authority.name == "Old CA"
    assert issue(meter).certificate.issuer == "CN=Old CA"
    tracker = cast.tracker()
    issuing_ca.take_up(tracker, certificate=pem(given.certificate).encode(), key=key, by=OPERATOR, at=NOW)
    assert CertificateAuthority.objects.count() == 1 and row.authority.products.count() == 2


def test_what_does_not_fit_is_not_taken_up(meter: Product) -> None:
    one, other = an_issuer(), an_issuer()
    leaf = issuing_cast.outside_answer(one, a_request())
    key = signing_keys.pem_of(one.key).encode()
    for certificate, given, words in (
        (pem(one.certificate).encode(), signing_keys.pem_of(other.key).encode(), "not that of the certificate"),
        (b"nonsense", key, "."),
        (pem(one.certificate).encode(), b"nonsense", "not a private key"),
        (pem(leaf).encode(), key, "not that of the certificate"),
    ):
        with pytest.raises(Invalid, match=words):
            issuing_ca.take_up(meter, certificate=certificate, key=given, by=OPERATOR, at=NOW)
    assert not CertificateAuthority.objects.exists() and not IssuingCA.objects.exists()


def test_a_ca_that_may_not_sign_lists_is_not_taken_up(meter: Product, tmp_path: Path) -> None:
    key, made = str(tmp_path / "k"), str(tmp_path / "c")
    extensions = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", made, "-subj", "/CN=No lists", "-days", "30", *extensions
    )
    with pytest.raises(issuing_authority.NotFitting, match="cRLSign"):
        issuing_ca.take_up(meter, certificate=Path(made).read_bytes(), key=Path(key).read_bytes(), by=OPERATOR, at=NOW)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"certificate_days": 0}, "certificate_days"),
        ({"certificate_days": 36_501}, "certificate_days"),
        ({"device_key_kind": "dsa"}, "device_key_kind"),
        ({"organization": "x" * 65}, "organization"),
        ({"list_url": "ftp://x/y"}, "list_url"),
    ],
)
def test_a_profile_that_cannot_be_is_refused(meter: Product, facts: dict[str, Any], field: str) -> None:
    row = own_ca(meter)
    with pytest.raises(Invalid) as caught:
        issuing_ca.change(row.pk, facts, by=OPERATOR, at=NOW)
    assert caught.value.field == field


def test_alibabas_sdks_are_not_answered_with_certificates() -> None:
    row = own_ca(cast.kettle(), answers_registration=False)
    with pytest.raises(Invalid, match="Alibaba"):
        issuing_ca.change(row.pk, {"answers_registration": True}, by=OPERATOR, at=NOW)


# -- Certificates ------------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["ec-p256", "rsa-2048"])
def test_a_device_gets_a_certificate_with_a_key_that_is_made_for_it(meter: Product, kind: str, tmp_path: Path) -> None:
    own_ca(meter, kind=kind, device_key_kind=kind, certificate_days=400, organization="Acme")
    issued = issue(meter)
    ca, leaf = write(tmp_path, "ca", issued.chain_pem), write(tmp_path, "leaf", issued.certificate_pem)
    assert "OK" in openssl("verify", "-x509_strict", "-CAfile", ca, "-purpose", "sslclient", leaf)
    key = write(tmp_path, "key", issued.private_key)
    assert openssl("pkey", "-in", key, "-pubout") == openssl("x509", "-in", leaf, "-noout", "-pubkey")
    assert issued.certificate.not_after == NOW + timedelta(days=400)
    assert "BEGIN" not in repr(issued)
    assert not IssuedCertificate.objects.exists(), "making writes nothing"


def test_a_device_that_made_its_key_gets_a_certificate_for_it(meter: Product) -> None:
    own_ca(meter)
    key = ec.generate_private_key(ec.SECP256R1())
    issued = issue(meter, a_request("A4-C1-38-00-00-01", key), spellings=("A4-C1-38-00-00-01",))
    assert issued.private_key == "" and issued.certificate.common_names == (DEVICE,)
    assert x509.load_der_x509_certificate(issued.certificate.der).public_key() == key.public_key()
    with pytest.raises(device_requests.BadRequest):
        issue(meter, a_request("somebody-else"))


def test_the_name_stands_where_the_product_reads_it(meter: Product) -> None:
    own_ca(meter)
    CertificatePolicy.objects.create(product=meter, identity="alternative_name")
    issuing_profiles.forget()
    assert issue(meter).certificate.alternative_names.dns == (DEVICE,)


def test_a_product_without_an_issuing_ca_issues_nothing(meter: Product) -> None:
    assert not issuing_profiles.answers_with_certificate(meter.pk)
    with pytest.raises(issuing.NoIssuingCA):
        issue(meter)


def test_an_ended_ca_refuses_with_a_reason_and_nothing_is_written(meter: Product) -> None:
    own_ca(meter)
    with pytest.raises(issuing.IssuingFailed, match="valid from"):
        issuing.issue_for(product_id=meter.pk, device_name=DEVICE, csr=None, at=later(days=8000))


def test_what_was_handed_out_is_written_down_without_the_key(meter: Product) -> None:
    own_ca(meter)
    issued = issue(meter)
    row = issuing.record(issued, data_center_id=1, only_one=False, at=NOW)
    row.refresh_from_db()
    assert (row.serial, row.sha256, row.spki_sha256) == (
        issued.certificate.serial_hex,
        issued.certificate.sha256,
        issued.certificate.spki_sha256,
    )
    assert (row.device_name, row.product_id, row.data_center_id, row.own_request) == (DEVICE, meter.pk, 1, False)
    with pytest.raises(Exception, match=r"(?i)unique"), transaction.atomic():
        issuing.record(issued, data_center_id=1, only_one=False, at=NOW)


def test_earlier_certificates_stay_good_until_one_connects(meter: Product) -> None:
    own_ca(meter)
    elsewhere = stored(meter, center=2)
    rows = [stored(meter) for _ in range(7)]
    assert good(meter) == [elsewhere.serial, *(row.serial for row in rows[2:])]
    settled = {"product_id": meter.pk, "device_name": DEVICE, "data_center_id": 1, "at": NOW}
    assert issuing.settle(sha256="0" * 64, **settled) == 0
    assert issuing.settle(sha256=rows[4].sha256, **settled) == 4
    assert good(meter) == [elsewhere.serial, rows[4].serial]
    assert set(RevokedSerial.objects.values_list("reason", flat=True)) == {"superseded"}


def test_where_each_registration_makes_anew_the_earlier_ones_end_at_once(meter: Product) -> None:
    own_ca(meter)
    stored(meter)
    last = stored(meter, only_one=True)
    assert good(meter) == [last.serial]


# -- Outside -----------------------------------------------------------------------------------------------------------------------------
@pytest.fixture
def ca_outside(meter: Product) -> tuple[Any, CertificateAuthority]:
    """(issuer, its active CA certificate)."""
    issuer = an_issuer("Outside CA")
    row = authority_upkeep.upload(authority_upkeep.NewAuthority(pem(issuer.certificate).encode()), by=OPERATOR, at=NOW)
    CertificateAuthority.objects.filter(pk=row.pk).update(
        state="verified", verified_at=NOW, without_proof_reason="test", proof_code="", proof_code_made_at=None
    )
    return issuer, authority_states.activate(row.pk, by=OPERATOR, at=NOW)


def use(product: Product, ca_outside: tuple[Any, CertificateAuthority], url: str, **more: Any) -> IssuingCA:
    row = issuing_ca.use_outside(product, authority=ca_outside[1], outside=Outside(url, **more), by=OPERATOR, at=NOW)
    issuing_profiles.forget()
    return row


@pytest.mark.parametrize("form", ["pem", "der", "pkcs7", "pkcs7-base64", "chain"])
def test_an_outside_ca_signs_and_is_told_the_secret(meter: Product, ca_outside: Any, form: str) -> None:
    seen = []

    def answer(handler: Any, body: bytes) -> issuing_cast.Answer:
        seen.append((handler.headers["X-Api-Key"], handler.headers["Content-Type"], handler.path))
        made = issuing_cast.outside_answer(ca_outside[0], body)
        packed = pkcs7.serialize_certificates([made], Encoding.DER)
        forms = {
            "pem": pem(made).encode(), "der": made.public_bytes(Encoding.DER), "pkcs7": packed,
            "pkcs7-base64": base64.encodebytes(packed), "chain": (pem(ca_outside[0].certificate) + pem(made)).encode(),
        }  # fmt: skip
        return 200, {}, forms[form]

    with server(answer) as url:
        use(meter, ca_outside, f"{url}/sign?profile=meter", header="X-Api-Key", secret="let me in")
        issued = issue(meter)
        assert issue(meter, a_request()).private_key == ""
    assert seen[0] == ("let me in", "application/pkcs10", "/sign?profile=meter")
    assert issued.certificate.issuer == "CN=Outside CA" and issued.private_key
    assert [one.subject for one in issued.chain] == ["CN=Outside CA"]


def failing(ca_outside: Any) -> dict[str, tuple[Any, str]]:
    issuer = ca_outside[0]

    def with_der(made: x509.Certificate) -> issuing_cast.Answer:
        return 200, {}, made.public_bytes(Encoding.DER)

    return {
        "status": (lambda handler, body: (500, {}, b"no"), "status 500"),
        "wait": (lambda handler, body: (202, {"Retry-After": "60"}, b""), "status 202"),
        "redirect": (lambda handler, body: (302, {"Location": "http://127.0.0.1:1/"}, b""), "status 302"),
        "rubbish": (lambda handler, body: (200, {}, b"<html>"), "refused"),
        "empty": (lambda handler, body: (200, {}, b""), "refused"),
        "too big": (lambda handler, body: (200, {}, b"x" * 70_000), "larger than"),
        "other key": (lambda handler, body: with_der(issuing_cast.outside_answer(issuer, a_request())), "another key"),
        "other name": (lambda handler, body: with_der(issuing_cast.outside_answer(issuer, body, "other")), "another name"),
        "other ca": (lambda handler, body: with_der(issuing_cast.outside_answer(an_issuer("Outside CA"), body)), "refused"),
        "silent": (lambda handler, body: None, "could not be asked"),
    }


@pytest.mark.parametrize(
    "case", ["status", "wait", "redirect", "rubbish", "empty", "too big", "other key", "other name", "other ca", "silent"]
)
def test_what_goes_wrong_outside_refuses_with_its_reason_and_writes_nothing(meter: Product, ca_outside: Any, case: str) -> None:
    answer, words = failing(ca_outside)[case]
    with server(answer) as url:
        use(meter, ca_outside, url)
        with pytest.raises(issuing.IssuingFailed, match=words):
            issue(meter)
    assert not IssuedCertificate.objects.exists()


def test_an_outside_ca_that_is_slow_or_away_refuses_in_time(meter: Product, ca_outside: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside_ca, "LIMITS", fetching.Limits(connect=0.5, whole=0.5, most=1000))
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        row = use(meter, ca_outside, f"http://127.0.0.1:{deaf.getsockname()[1]}/")
        with pytest.raises(issuing.IssuingFailed, match="did not answer in time"):
            issue(meter)
    with pytest.raises(issuing.IssuingFailed, match="does not answer"):
        issue(meter)
    assert row.endpoint_url


def test_the_secret_of_an_endpoint_stays_where_none_is_given_and_is_never_in_the_audit(meter: Product, ca_outside: Any) -> None:
    row = use(meter, ca_outside, "https://ca.example/sign", header="X-Key", secret="hush-hush")
    row = issuing_ca.change(row.pk, {}, outside=Outside("https://ca.example/v2", "X-Key"), by=OPERATOR, at=NOW)
    assert keyring.unseal(row.sealed_endpoint_secret, owner=row.owner()) == "hush-hush"
    assert "hush" not in str(list(AuditEntry.objects.values_list("before", "after")))


@pytest.mark.parametrize(
    ("outside", "field"),
    [
        (Outside("file:///etc/passwd"), "url"),
        (Outside("http://user:pw@x/"), "url"),
        (Outside("https://x/", secret="s"), "header"),
        (Outside("https://x/", "Bad Header", "s"), "header"),
        (Outside("https://x/", "H", "line\nfeed"), "secret"),
        (Outside("https://x/", trust="no PEM"), "trust"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(meter: Product, ca_outside: Any, outside: Outside, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        issuing_ca.use_outside(meter, authority=ca_outside[1], outside=outside, by=OPERATOR, at=NOW)
    assert caught.value.field == field


def test_an_outside_ca_needs_its_certificate_to_be_active(meter: Product, ca_outside: Any) -> None:
    authority_states.deactivate(ca_outside[1].pk, by=OPERATOR, at=NOW)
    ca_outside[1].refresh_from_db()
    with pytest.raises(Conflict, match="not active"):
        issuing_ca.use_outside(meter, authority=ca_outside[1], outside=Outside("https://x/"), by=OPERATOR, at=NOW)


def test_rsa_keys_are_made_for_firmware_that_needs_them(meter: Product) -> None:
    own_ca(meter, kind="rsa-2048")
    assert IssuingCA.objects.get().device_key_kind == "rsa-2048"
    assert issue(meter).private_key.startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert issue(meter, a_request(DEVICE, rsa_key())).certificate.key_kind == "RSA"
    assert reading.to_pem(issue(meter).certificate).startswith("-----BEGIN CERTIFICATE-----")


def test_a_device_in_a_loop_is_issued_so_many_a_day_and_then_again(meter: Product) -> None:
    own_ca(meter)
    given = [stored(meter) for _ in range(3)]
    IssuedCertificate.objects.bulk_create([replica(given[0], number) for number in range(issuing.A_DAY - 3)])
    with pytest.raises(outside_ca.IssuingFailed, match=f"issued {issuing.A_DAY} certificates within a day"):
        issue(meter)
    assert issue(meter, name="866123456789028").device_name == "866123456789028", "another device is not held up"
    IssuedCertificate.objects.filter(pk=given[0].pk).update(issued_at=NOW - timedelta(days=1, seconds=1))
    assert issue(meter).device_name == DEVICE


def replica(row: IssuedCertificate, number: int) -> IssuedCertificate:
    names = [field.attname for field in IssuedCertificate._meta.concrete_fields if not field.primary_key]
    changed = {"serial": f"{number:040X}", "revoked_at": NOW, "reason": "superseded"}
    return IssuedCertificate(**{name: getattr(row, name) for name in names} | changed)
