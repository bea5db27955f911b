"""The revocation lists of CAs on file: uploaded and fetched, taken or refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from console.crypto.certificates import revocation_lists as pure
from console.crypto.certificates.issuing import Issuer
from console.crypto.certificates.revocation_lists import BadList, Entry
from console.errors import Conflict, Invalid
from console.models import AuditEntry
from console.shared import fetching
from products.models import CertificateAuthority, RevocationList, RevokedSerial
from products.services import authority_upkeep, revocation, revocation_lists
from products.services.revocation_lists import OlderList
from tests.cast import OPERATOR
from tests.products import issuing_cast
from tests.products.issuing_cast import NOW, an_issuer, later, openssl, pem, server, write

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


@pytest.fixture
def issuer() -> Issuer:
    return an_issuer("Outside CA")


@pytest.fixture
def authority(issuer: Issuer) -> CertificateAuthority:
    return authority_upkeep.upload(authority_upkeep.NewAuthority(pem(issuer.certificate).encode()), by=OPERATOR, at=NOW)


def a_list(issuer: Issuer, *serials: int, number: int = 1, at: datetime = NOW, reason: str = "key_compromise") -> bytes:
    return pure.make(issuer, [Entry(serial, at, reason) for serial in serials], number=number, at=at, lasts=WEEK)


def named(authority: CertificateAuthority) -> set[int]:
    return {int(text, 16) for text in RevokedSerial.objects.filter(authority=authority).values_list("serial", flat=True)}


# -- Lists of others, uploaded -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("encoding", [Encoding.DER, Encoding.PEM])
def test_a_list_is_taken_in_both_encodings(issuer: Issuer, authority: CertificateAuthority, encoding: Encoding) -> None:
    data = x509.load_der_x509_crl(a_list(issuer, 5, 6, number=41)).public_bytes(encoding)
    row = revocation_lists.upload(authority.pk, data, by=OPERATOR, at=NOW)
    assert (row.number, row.entries, row.this_update, row.next_update) == ("41", 2, NOW, NOW + WEEK)
    assert named(authority) == {5, 6}


def test_a_list_of_openssl_is_taken(issuer: Issuer, authority: CertificateAuthority, tmp_path: Path) -> None:
    from console.crypto.certificates import signing_keys

    (tmp_path / "index.txt").write_text("R\t351121000000Z\t261101000000Z,keyCompromise\t1F\tunknown\t/CN=x\n")
    (tmp_path / "crlnumber").write_text("0A\n")
    (tmp_path / "cnf").write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={tmp_path}/index.txt\ncrlnumber={tmp_path}/crlnumber\ndefault_md=sha256\ndefault_crl_days=30\n"
    )
    ca, key = write(tmp_path, "ca", pem(issuer.certificate)), write(tmp_path, "key", signing_keys.pem_of(issuer.key))
    openssl("ca", "-gencrl", "-config", str(tmp_path / "cnf"), "-cert", ca, "-keyfile", key, "-out", str(tmp_path / "crl"))
    row = revocation_lists.upload(authority.pk, (tmp_path / "crl").read_bytes(), by=OPERATOR, at=datetime.now(UTC) + timedelta(minutes=1))
    assert row.number == "10" and named(authority) == {0x1F}


def test_a_newer_list_replaces_what_the_older_one_said(issuer: Issuer, authority: CertificateAuthority) -> None:
    revocation.revoke_serial(authority.pk, "09", reason="unspecified", by=OPERATOR, at=NOW)
    revocation_lists.upload(authority.pk, a_list(issuer, 5, 6), by=OPERATOR, at=NOW)
    revocation_lists.upload(authority.pk, a_list(issuer, 6, 7, number=2, at=later(hours=1)), by=OPERATOR, at=later(hours=1))
    assert named(authority) == {6, 7, 9}, "what was revoked by hand stays"


def test_a_list_never_goes_back(issuer: Issuer, authority: CertificateAuthority) -> None:
    revocation_lists.upload(authority.pk, a_list(issuer, 5, number=9), by=OPERATOR, at=NOW)
    for older in (a_list(issuer, number=8, at=later(hours=1)), a_list(issuer, number=10, at=later(hours=-1))):
        with pytest.raises(OlderList):
            revocation_lists.upload(authority.pk, older, by=OPERATOR, at=later(hours=2))
    unnumbered = x509.CertificateRevocationListBuilder(issuer.certificate.subject, later(hours=1), later(days=1)).sign(
        issuer.key, hashes.SHA256()
    )
    with pytest.raises(OlderList):
        revocation_lists.upload(authority.pk, unnumbered.public_bytes(Encoding.DER), by=OPERATOR, at=later(hours=2))
    assert named(authority) == {5}


def test_a_list_without_a_number_does_not_follow_one_with_a_number(issuer: Issuer, authority: CertificateAuthority) -> None:
    revocation_lists.upload(authority.pk, a_list(issuer, 5, number=9), by=OPERATOR, at=NOW)
    builder = x509.CertificateRevocationListBuilder(issuer.certificate.subject, later(hours=1), later(days=1))
    unnumbered = builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)
    with pytest.raises(OlderList, match="The list has no number, and number 9 was taken before"):
        revocation_lists.upload(authority.pk, unnumbered, by=OPERATOR, at=later(hours=2))


def renewed(issuer: Issuer) -> CertificateAuthority:
    """Another certificate of the same CA, with the same key."""
    subject, key = issuer.certificate.subject, issuer.key.public_key()
    builder = x509.CertificateBuilder(subject, subject, key, 99, NOW, later(days=9000))
    made = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(issuer.key, hashes.SHA256())
    return authority_upkeep.upload(authority_upkeep.NewAuthority(pem(made).encode(), "Renewed"), by=OPERATOR, at=NOW)


@pytest.mark.storage
@pytest.mark.parametrize("end", ["removed", "empty"])
def test_what_one_list_says_no_more_another_one_of_the_key_still_says(issuer: Issuer, authority: CertificateAuthority, end: str) -> None:
    new, key = renewed(issuer), (authority.spki_sha256, 5)
    for row in (authority, new):
        revocation_lists.upload(row.pk, a_list(issuer, 5), by=OPERATOR, at=NOW)
    if end == "removed":
        revocation_lists.remove(authority.pk, by=OPERATOR, at=NOW)
    else:
        revocation_lists.upload(authority.pk, a_list(issuer, number=2), by=OPERATOR, at=NOW)
    assert named(authority) == set() and named(new) == {5}
    assert key in revocation.on_file([key], at=NOW).revoked
    revocation_lists.remove(new.pk, by=OPERATOR, at=NOW)
    assert not revocation.on_file([key], at=NOW).revoked


def bad_lists(issuer: Issuer) -> dict[str, bytes]:
    subject = issuer.certificate.subject

    def signed(extension: x509.ExtensionType | None = None, *, critical: bool = True, key: Any = None, at: datetime = NOW) -> bytes:
        builder = x509.CertificateRevocationListBuilder(subject, at, at + WEEK)
        builder = builder.add_extension(extension, critical) if extension else builder
        return builder.sign(key or issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)

    flags = ("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs")
    point: Any = dict.fromkeys(flags, False)
    point |= {"full_name": None, "relative_name": None, "only_some_reasons": None}
    whole = signed()
    return {
        "form": b"no list at all",
        "size": b"\x30" * (pure.LARGEST + 1),
        "signature": signed(key=an_issuer().key),
        "issuer": a_list(an_issuer("Somebody else"), 5),
        "delta": signed(x509.DeltaCRLIndicator(3)),
        "partial": signed(x509.IssuingDistributionPoint(**{**point, "indirect_crl": True})),
        "critical": signed(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")),
        "early": signed(at=later(hours=1)),
        "form ": whole[:-20],
        "form  ": pem(issuer.certificate).encode(),
    }


FAULTS = ["form", "size", "signature", "issuer", "delta", "partial", "critical", "early", "form ", "form  "]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_bad_list_is_refused_for_its_own_reason_and_changes_nothing(
    issuer: Issuer, authority: CertificateAuthority, fault: str
) -> None:
    data = bad_lists(issuer)[fault]
    with pytest.raises(BadList) as caught:
        revocation_lists.upload(authority.pk, data, by=OPERATOR, at=NOW)
    assert caught.value.facts["fault"] == fault.strip()
    assert not named(authority)


def test_a_list_of_all_end_entity_certificates_passes(issuer: Issuer) -> None:
    point = x509.IssuingDistributionPoint([x509.UniformResourceIdentifier("http://x/crl")], None, True, False, None, False, False)
    builder = x509.CertificateRevocationListBuilder(issuer.certificate.subject, NOW, NOW + WEEK).add_extension(point, critical=True)
    assert (
        pure.read(builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER), authority=issuer.certificate, at=NOW).number == -1
    )


def test_a_list_with_many_entries_is_stored_in_blocks(issuer: Issuer, authority: CertificateAuthority) -> None:
    revocation_lists.upload(authority.pk, a_list(issuer, *range(1, 4502)), by=OPERATOR, at=NOW)
    revocation_lists.upload(authority.pk, a_list(issuer, *range(4001, 4601), number=2), by=OPERATOR, at=NOW)
    assert named(authority) == set(range(4001, 4601))


def test_a_list_that_is_removed_revokes_no_more(issuer: Issuer, authority: CertificateAuthority) -> None:
    revocation.revoke_serial(authority.pk, "09", reason="unspecified", by=OPERATOR, at=NOW)
    revocation_lists.upload(authority.pk, a_list(issuer, 5), by=OPERATOR, at=NOW)
    revocation_lists.remove(authority.pk, reason="moved", by=OPERATOR, at=NOW)
    assert named(authority) == {9} and not RevocationList.objects.exists()


# -- Fetched -----------------------------------------------------------------------------------------------------------------------------
def fetched(authority: CertificateAuthority, url: str, *, at: datetime = NOW) -> RevocationList:
    revocation_lists.set_source(authority.pk, url=url, by=OPERATOR, at=at)
    assert revocation_lists.due(at) == [authority.pk]
    assert revocation_lists.fetch(authority.pk, clock=lambda: at)
    return RevocationList.objects.get(pk=authority.pk)


def serving(data: bytes, status: int = 200, **headers: str) -> Callable[[Any, bytes], issuing_cast.Answer]:
    return lambda handler, body: (status, headers, data)


def test_a_list_is_fetched_when_its_time_has_come_and_by_one_alone(issuer: Issuer, authority: CertificateAuthority) -> None:
    with server(serving(a_list(issuer, 5), ETag='"one"')) as url:
        row = fetched(authority, f"{url}/ca.crl")
        assert not revocation_lists.fetch(authority.pk, clock=lambda: NOW), "its time is over"
    assert row.error == "" and row.etag == '"one"' and row.next_fetch_at == later(minutes=60) and row.checked_at == NOW
    assert named(authority) == {5}
    assert AuditEntry.objects.get(action="revocation_list.fetch").actor_name == "system"


def test_an_unchanged_list_is_asked_for_by_its_tag(issuer: Issuer, authority: CertificateAuthority) -> None:
    asked = []

    def answer(handler: Any, body: bytes) -> issuing_cast.Answer:
        asked.append(handler.headers["If-None-Match"])
        return (304, {}, b"") if asked[-1] else (200, {"ETag": '"one"'}, a_list(issuer, 5))

    with server(answer) as url:
        fetched(authority, url)
        assert revocation_lists.fetch(authority.pk, clock=lambda: later(hours=2))
    row = RevocationList.objects.get()
    assert asked == [None, '"one"'] and row.checked_at == later(hours=2) and row.error == "" and row.taken_at == NOW
    assert AuditEntry.objects.filter(action="revocation_list.fetch").count() == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda issuer: serving(a_list(an_issuer("Outside CA"), 5)), "not signed with the CA's key"),
        (lambda issuer: serving(b"<html>moved</html>"), "not a certificate revocation list"),
        (lambda issuer: serving(b"", 404), "status 404"),
        (lambda issuer: serving(b"", 301, Location="http://127.0.0.1:1/"), "status 301"),
        (lambda issuer: serving(a_list(issuer, 5, number=1)), "number 7 was taken before"),
        (lambda issuer: lambda handler, body: None, "127.0.0.1"),
        (lambda issuer: serving(b"x" * 5000), "larger than"),
    ],
)
def test_what_goes_wrong_is_kept_as_a_sentence_and_the_list_on_file_stays(
    issuer: Issuer, authority: CertificateAuthority, monkeypatch: pytest.MonkeyPatch, answer: Any, words: str
) -> None:
    monkeypatch.setattr(revocation_lists, "LIMITS", fetching.Limits(1, 2, 4000))
    revocation_lists.upload(authority.pk, a_list(issuer, 77, number=7, at=later(hours=-1)), by=OPERATOR, at=NOW)
    with server(answer(issuer)) as url:
        row = fetched(authority, url)
    assert words in row.error and row.next_fetch_at == NOW + revocation_lists.RETRY and row.checked_at == NOW
    assert named(authority) == {77} and row.number == "7"


def test_a_server_that_sends_a_byte_now_and_then_is_left_in_time(authority: CertificateAuthority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocation_lists, "LIMITS", fetching.Limits(1, 0.6, 4000))

    def drip(handler: Any, body: bytes) -> None:
        import time

        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n")
        for _ in range(30):
            try:
                handler.wfile.write(b"x")
                handler.wfile.flush()
            except OSError:
                return
            time.sleep(0.1)

    import time

    began = time.monotonic()
    with server(drip) as url:
        row = fetched(authority, url)
        took = time.monotonic() - began
    assert "did not answer in time" in row.error and took < 2


@pytest.mark.parametrize(
    ("url", "minutes", "field"), [("ftp://x/", 60, "url"), ("http://x/", 4, "interval_minutes"), ("http://x/", 44_641, "interval_minutes")]
)
def test_a_source_that_cannot_be_is_refused(authority: CertificateAuthority, url: str, minutes: int, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        revocation_lists.set_source(authority.pk, url=url, interval_minutes=minutes, by=OPERATOR, at=NOW)
    assert caught.value.field == field


def test_a_list_without_a_url_is_never_due(authority: CertificateAuthority, issuer: Issuer) -> None:
    revocation_lists.upload(authority.pk, a_list(issuer, 5), by=OPERATOR, at=NOW)
    assert revocation_lists.due(later(days=900)) == []
    with pytest.raises(Conflict):
        revocation_lists.fetch_soon(authority.pk, at=NOW)
