"""Revocation: what is revoked here, the lists that we publish, and what a connection asks for."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from django.db import transaction
from django.test import Client

from console.crypto.certificates import revocation_lists as pure
from console.crypto.certificates.issuing import Issuer, draw_serial
from console.crypto.certificates.revocation_lists import Entry
from console.errors import Conflict, Invalid
from console.models import AuditEntry
from products.models import CertificateAuthority, IssuedCertificate, Product, PublishedList, RevocationList, RevokedSerial
from products.services import authority_states, authority_upkeep, issuing, issuing_profiles, published_lists, revocation, revocation_lists
from tests import cast
from tests.cast import OPERATOR
from tests.products import ca_cast
from tests.products.issuing_cast import DEVICE, NOW, an_issuer, later, openssl, own_ca, pem, write

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


@pytest.fixture
def meter() -> Product:
    issuing_profiles.forget()
    return cast.meter()


@pytest.fixture
def issuer() -> Issuer:
    return an_issuer("Outside CA")


@pytest.fixture
def authority(issuer: Issuer) -> CertificateAuthority:
    return authority_upkeep.upload(authority_upkeep.NewAuthority(pem(issuer.certificate).encode()), by=OPERATOR, at=NOW)


def stored(product: Product, name: str = DEVICE) -> tuple[issuing.Issued, IssuedCertificate]:
    made = issuing.issue_for(product_id=product.pk, device_name=name, csr=None, at=NOW)
    with transaction.atomic():
        return made, issuing.record(made, data_center_id=1, only_one=False, at=NOW)


def a_list(issuer: Issuer, *serials: int, number: int = 1, at: datetime = NOW, reason: str = "key_compromise") -> bytes:
    return pure.make(issuer, [Entry(serial, at, reason) for serial in serials], number=number, at=at, lasts=WEEK)


def named(authority: CertificateAuthority) -> set[int]:
    return {int(text, 16) for text in RevokedSerial.objects.filter(authority=authority).values_list("serial", flat=True)}


# -- Here --------------------------------------------------------------------------------------------------------------------------------
def test_openssl_refuses_a_revoked_certificate_by_our_list_and_no_other(meter: Product, tmp_path: Path) -> None:
    row = own_ca(meter)
    (bad, bad_row), (fine, _row) = stored(meter), stored(meter, "A4C138000002")
    ca = write(tmp_path, "ca", bad.chain_pem)
    before = published_lists.current(row.authority_id, at=NOW)
    assert before.number == 1 and before.entries == 0
    revocation.revoke(bad_row.pk, reason="key_compromise", by=OPERATOR, at=NOW)
    after = published_lists.current(row.authority_id, at=NOW)
    crl = write(tmp_path, "crl.der", bytes(after.der))
    said = openssl("crl", "-inform", "DER", "-in", crl, "-CAfile", ca, "-noout", "-text")
    assert "verify OK" in said and "Key Compromise" in said and bad_row.serial in said and "X509v3 CRL Number" in said
    crl_pem = write(tmp_path, "crl.pem", openssl("crl", "-inform", "DER", "-in", crl))
    checked = ("verify", "-crl_check", "-x509_strict", "-CAfile", ca, "-CRLfile", crl_pem, "-purpose", "sslclient")
    assert "certificate revoked" in openssl(*checked, write(tmp_path, "bad", bad.certificate_pem), good=False)
    assert "OK" in openssl(*checked, write(tmp_path, "fine", fine.certificate_pem))


def test_a_list_is_made_again_when_something_was_revoked_and_once_a_day(meter: Product) -> None:
    row = own_ca(meter)
    first = published_lists.current(row.authority_id, at=NOW)
    assert published_lists.current(row.authority_id, at=later(hours=23)).number == first.number == 1
    assert published_lists.current(row.authority_id, at=later(hours=25)).number == 2
    revocation.revoke(stored(meter)[1].pk, reason="unspecified", by=OPERATOR, at=NOW)
    assert published_lists.current(row.authority_id, at=later(hours=26)).number == 3
    assert published_lists.current(row.authority_id, at=later(hours=26)).number == 3


def test_an_ended_certificate_is_named_no_more(meter: Product) -> None:
    row = own_ca(meter, certificate_days=10)
    revocation.revoke(stored(meter)[1].pk, reason="superseded", by=OPERATOR, at=NOW)
    assert published_lists.current(row.authority_id, at=later(days=10, hours=12)).entries == 1
    assert published_lists.current(row.authority_id, at=later(days=12)).entries == 0


def test_a_retired_ca_still_publishes(meter: Product) -> None:
    from products.services import issuing_ca

    row = own_ca(meter)
    issuing_ca.retire(row.pk, by=OPERATOR, at=NOW)
    assert published_lists.current(row.authority_id, at=NOW).number == 1


def test_a_certificate_is_revoked_once_with_a_reason_and_an_audit_line(meter: Product) -> None:
    own_ca(meter)
    row = stored(meter)[1]
    with pytest.raises(Invalid):
        revocation.revoke(row.pk, reason="because", by=OPERATOR, at=NOW)
    revocation.revoke(row.pk, reason="key_compromise", note="lost in transit", by=OPERATOR, at=NOW)
    with pytest.raises(Conflict):
        revocation.revoke(row.pk, reason="unspecified", by=OPERATOR, at=NOW)
    line = AuditEntry.objects.get(action="issued_certificate.revoke")
    assert (
        line.after == {"serial_number": row.serial, "device_name": DEVICE, "reason": "key_compromise"} and line.reason == "lost in transit"
    )


def test_all_certificates_of_a_device_are_revoked_at_once(meter: Product) -> None:
    own_ca(meter)
    stored(meter)
    stored(meter)
    stored(meter, "A4C138000002")
    assert revocation.revoke_device(meter, DEVICE, reason="affiliation_changed", by=OPERATOR, at=NOW) == 2
    assert revocation.revoke_device(meter, DEVICE, reason="affiliation_changed", by=OPERATOR, at=NOW) == 0
    assert AuditEntry.objects.get(action="issued_certificate.revoke_device").count == 2
    assert IssuedCertificate.objects.good().count() == 1


@pytest.mark.parametrize("text", ["0A:1B:2C", "0a1b2c", " 0A 1B 2C ", "0xA1B2C"])
def test_a_serial_number_is_taken_as_people_paste_it(authority: CertificateAuthority, text: str) -> None:
    assert revocation.revoke_serial(authority.pk, text, reason="unspecified", by=OPERATOR, at=NOW).serial == "0A1B2C"
    with pytest.raises(Conflict):
        revocation.revoke_serial(authority.pk, "0a1b2c", reason="unspecified", by=OPERATOR, at=NOW)


@pytest.mark.parametrize("text", ["", "xyz", "0", "1" * 41, "-1"])
def test_what_is_no_serial_number_is_refused(authority: CertificateAuthority, text: str) -> None:
    with pytest.raises(Invalid):
        revocation.revoke_serial(authority.pk, text, reason="unspecified", by=OPERATOR, at=NOW)


def test_the_number_of_a_certificate_that_was_issued_here_revokes_its_row(meter: Product) -> None:
    row = own_ca(meter)
    issued = stored(meter)[1]
    revocation.revoke_serial(row.authority_id, issued.serial, reason="key_compromise", by=OPERATOR, at=NOW)
    issued.refresh_from_db()
    assert issued.revoked_at == NOW
    assert published_lists.current(row.authority_id, at=NOW).entries == 1


def test_a_number_that_the_console_never_issued_is_on_our_list_too(meter: Product) -> None:
    """An issuing CA that was taken up has signed certificates elsewhere before."""
    row = own_ca(meter)
    revocation.revoke_serial(row.authority_id, "77", reason="cessation_of_operation", by=OPERATOR, at=NOW)
    entries = list(
        pure.read(bytes(published_lists.current(row.authority_id, at=NOW).der), authority=certificate_of(row.authority), at=NOW).entries()
    )
    assert entries == [Entry(0x77, NOW, "cessation_of_operation")]


def test_what_an_intermediate_ca_has_signed_is_not_on_our_list(meter: Product) -> None:
    """It is revoked here for the CA at the end of the path, and named by a list of the intermediate one's own."""
    row = own_ca(meter)
    for spki, serial in (("1" * 64, "51"), (row.authority.spki_sha256, "52")):
        presented = revocation.Presented(row.authority_id, spki, serial, None)
        assert revocation.withdraw_presented(presented, reason="key_compromise", at=NOW)
    published = published_lists.current(row.authority_id, at=NOW)
    assert [one.serial for one in pure.read(bytes(published.der), authority=certificate_of(row.authority), at=NOW).entries()] == [0x52]


def certificate_of(authority: CertificateAuthority) -> x509.Certificate:
    return x509.load_der_x509_certificate(bytes(authority.certificate))


# -- What a connection asks for ----------------------------------------------------------------------------------------------------------
def test_a_connection_learns_what_is_revoked_and_how_old_the_lists_are(
    meter: Product, issuer: Issuer, authority: CertificateAuthority
) -> None:
    own = own_ca(meter)
    row = stored(meter)[1]
    revocation.revoke(row.pk, reason="key_compromise", by=OPERATOR, at=NOW)
    revocation_lists.upload(authority.pk, a_list(issuer, 5), by=OPERATOR, at=NOW)
    mine, theirs = own.authority.spki_sha256, authority.spki_sha256
    keys = {(mine, int(row.serial, 16)), (mine, 5), (theirs, 5), (theirs, 6), ("0" * 64, 5)}
    found = revocation.on_file(keys, at=later(days=1))
    assert set(found.revoked) == {(mine, int(row.serial, 16)), (theirs, 5)}
    assert found.revoked[theirs, 5].on_list and not found.revoked[mine, int(row.serial, 16)].on_list
    assert found.lists[theirs] == revocation.ListOnFile(NOW, NOW + WEEK)
    assert found.lists[mine].this_update == later(days=1)
    assert set(found.lists) == {mine, theirs}


def test_it_asks_the_database_twice_whatever_the_number(
    issuer: Issuer, authority: CertificateAuthority, django_assert_num_queries: Any
) -> None:
    """Where a list is new to the process once more; where something is revoked too."""
    keys = {(authority.spki_sha256, number) for number in range(1, 9)}
    with django_assert_num_queries(2):
        assert revocation.on_file(keys, at=NOW) == revocation.OnFile()
    revocation_lists.upload(authority.pk, a_list(issuer, 50), by=OPERATOR, at=NOW)
    on_list = revocation.OnFile({}, {authority.spki_sha256: revocation.ListOnFile(NOW, NOW + WEEK)})
    for statements in (3, 2):
        with django_assert_num_queries(statements):
            assert revocation.on_file(keys, at=NOW) == on_list
    with django_assert_num_queries(3):
        assert list(revocation.on_file({*keys, (authority.spki_sha256, 50)}, at=NOW).revoked) == [(authority.spki_sha256, 50)]


def test_the_list_that_counts_is_the_newest_of_a_key(issuer: Issuer, authority: CertificateAuthority) -> None:
    """A renewed CA certificate has a list of its own; one that was never obtained says less than any other."""
    renewed = ca_cast.uploaded(ca_cast.make(at=NOW), at=NOW)
    CertificateAuthority.objects.filter(pk=renewed.pk).update(spki_sha256=authority.spki_sha256)
    key = {(authority.spki_sha256, 1)}

    def found() -> revocation.ListOnFile:
        return revocation.on_file(key, at=NOW).lists[authority.spki_sha256]

    RevocationList.objects.create(authority=renewed)
    assert found() == revocation.ListOnFile(None, None)
    revocation_lists.upload(authority.pk, a_list(issuer, 5), by=OPERATOR, at=NOW)
    assert found() == revocation.ListOnFile(NOW, NOW + WEEK)
    RevocationList.objects.filter(pk=renewed.pk).update(this_update=later(hours=1), sha256="ab" * 32)
    assert found().this_update == later(hours=1)


def test_many_numbers_are_asked_for_at_once(authority: CertificateAuthority) -> None:
    revocation.revoke_serial(authority.pk, "07", reason="unspecified", by=OPERATOR, at=NOW)
    for count in (1, 6, 7, 16, 17, 40):
        keys = {(authority.spki_sha256, number) for number in range(1, count + 1)}
        assert set(revocation.on_file(keys, at=NOW).revoked) == ({(authority.spki_sha256, 7)} if count >= 7 else set())
    assert revocation.on_file((), at=NOW) == revocation.OnFile()


# -- Published ---------------------------------------------------------------------------------------------------------------------------
def test_our_list_is_at_its_address_for_everybody(meter: Product, client: Client, tmp_path: Path) -> None:
    row = own_ca(meter)
    answer = client.get(f"/crl/{row.authority_id}.crl")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pkix-crl")
    assert "max-age" in answer["Cache-Control"] and answer["Content-Length"] == str(len(answer.content))
    assert "Set-Cookie" not in answer and "Content-Security-Policy" not in answer
    ca = write(tmp_path, "ca", pem(certificate_of(row.authority)))
    assert "verify OK" in openssl("crl", "-inform", "DER", "-CAfile", ca, "-noout", data=answer.content)
    assert client.get(f"/crl/{row.authority_id}.crl", headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert client.head(f"/crl/{row.authority_id}.crl")["Content-Length"] == answer["Content-Length"]
    assert client.post(f"/crl/{row.authority_id}.crl").status_code == 405


def test_what_has_no_list_of_ours_has_none(authority: CertificateAuthority, client: Client) -> None:
    for number in (authority.pk, 999_999):
        assert client.get(f"/crl/{number}.crl").status_code == 404
    assert not PublishedList.objects.exists()


def test_serials_stay_in_their_form() -> None:
    for _ in range(200):
        serial = draw_serial()
        assert int(revocation.serial_text(serial), 16) == serial and len(revocation.serial_text(serial)) % 2 == 0
    assert authority_states is not None
