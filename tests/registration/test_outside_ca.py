"""A CA outside that signs by an intermediate CA, and one that certifies whatever it is asked for: what is handed out, and revoked again."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from console.crypto.certificates import issuing as signing
from console.crypto.certificates import reading
from console.crypto.certificates.issuing import Issuer, KeyKind
from products.models import CertificateAuthority, CertificatePolicy, IssuedCertificate, Product, RevokedSerial
from products.services import authority_proof, authority_states, authority_upkeep, issuing, issuing_ca, revocation, revoked_paths
from products.services.issuing_ca import Outside
from tests import cast
from tests.cast import OPERATOR
from tests.products.issuing_cast import NOW, Answer, a_request, later, pem, server
from tests.registration.enrolling import IMEI, connect, forget, with_csr

pytestmark = [pytest.mark.django_db, pytest.mark.storage]
OTHER = "490154203237526"
SAN, SERIAL = "alternative_name", "serial_number"


def named(common_name: str, serial: str = "") -> x509.Name:
    further = [x509.NameAttribute(NameOID.SERIAL_NUMBER, serial)] if serial else []
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name), *further])


def san(*names: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.DNSName(one) for one in names])


def a_ca(name: str, above: Issuer | None = None) -> Issuer:
    key: Any = signing.new_key(KeyKind.EC_P256)
    issuer = above.certificate.subject if above else named(name)
    builder = x509.CertificateBuilder(issuer, named(name), key.public_key(), signing.draw_serial(), NOW, later(days=4000))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return Issuer(builder.sign(above.key if above else key, hashes.SHA256()), key)


@dataclass
class Works:
    """The CA outside. `lines`: who signs next, the root when there is none; `subject`: what it writes in place of what it is
    asked for; `numbers`: of its certificates."""

    root: Issuer = field(default_factory=lambda: a_ca("Outside Root"))
    lines: list[Issuer] = field(default_factory=list)
    subject: x509.Name | None = None
    numbers: list[int] = field(default_factory=list)

    def sign(self, handler: Any, body: bytes) -> Answer:
        """Copies subject and extensions of the request, as `openssl x509 -copy_extensions copyall` does."""
        request = x509.load_der_x509_csr(body)
        line = self.lines.pop(0) if self.lines else self.root
        number = self.numbers.pop(0) if self.numbers else signing.draw_serial()
        key: Any = request.public_key()
        subject = self.subject or request.subject
        builder = x509.CertificateBuilder(line.certificate.subject, subject, key, number, NOW, later(days=90))
        for one in request.extensions:
            builder = builder.add_extension(one.value, one.critical)
        above = "" if line is self.root else pem(line.certificate)
        return 200, {}, (pem(builder.sign(line.key, hashes.SHA256())) + above).encode()


@pytest.fixture
def works() -> Works:
    return Works()


@pytest.fixture
def authority(works: Works) -> CertificateAuthority:
    row = authority_upkeep.upload(authority_upkeep.NewAuthority(pem(works.root.certificate).encode()), by=OPERATOR, at=NOW)
    authority_proof.accept_without_proof(row.pk, reason="Made by the test", by=OPERATOR, at=NOW)
    return authority_states.activate(row.pk, by=OPERATOR, at=NOW)


@pytest.fixture
def meter(works: Works, authority: CertificateAuthority) -> Iterator[Product]:
    cast.home()
    product = cast.meter()
    for name in (IMEI, OTHER):
        cast.row(product, name)
    with server(works.sign) as url:
        row = issuing_ca.use_outside(product, authority=authority, outside=Outside(url), by=OPERATOR, at=NOW)
        issuing_ca.change(row.pk, {"answers_registration": True}, by=OPERATOR, at=NOW)
        forget()
        yield product


def reads(product: Product, identity: str) -> None:
    CertificatePolicy.objects.update_or_create(product=product, defaults={"identity": identity})
    forget()


def handed(product: Product, name: str = IMEI) -> Any:
    """The device's certificate, and those above it without the CA's own."""
    tried = with_csr(product, name)
    assert tried.code == "accepted", tried.entry.path
    leaf = reading.read_one(tried.answer.certificate.encode())
    return leaf, reading.read(json.loads(tried.reply.body)["certificateChain"].encode())[:-1]


# -- Revoked by the key of who signed it ---------------------------------------------------------------------------------------------------
def revoke_row(row: IssuedCertificate, authority: CertificateAuthority) -> None:
    revocation.revoke(row.pk, reason="key_compromise", by=OPERATOR, at=NOW)


def revoke_number(row: IssuedCertificate, authority: CertificateAuthority) -> None:
    revoked = revocation.revoke_serial(authority.pk, row.serial, reason="key_compromise", by=OPERATOR, at=NOW)
    assert revoked.issuer_spki == row.issuer_spki


def revoke_name(row: IssuedCertificate, authority: CertificateAuthority) -> None:
    revocation.revoke_device(row.product, row.device_name, reason="key_compromise", by=OPERATOR, at=NOW)


@pytest.mark.parametrize("revoke", [revoke_row, revoke_number, revoke_name])
@pytest.mark.parametrize("connected_before", [True, False])
def test_what_an_intermediate_ca_outside_has_signed_can_be_revoked(
    meter: Product, works: Works, authority: CertificateAuthority, revoke: Any, *, connected_before: bool
) -> None:
    line = a_ca("Outside Line", works.root)
    works.lines = [line]
    leaf, above = handed(meter)
    assert [one.subject for one in above] == ["CN=Outside Line"]
    if connected_before:
        assert connect(meter, IMEI, leaf, *above).code == "accepted"
    row = IssuedCertificate.objects.get()
    revoke(row, authority)
    assert connect(meter, IMEI, leaf, *above).code == "certificate_revoked"
    spki = reading.from_der(line.certificate.public_bytes(Encoding.DER)).spki_sha256
    assert row.issuer_spki == spki == RevokedSerial.objects.get().issuer_spki
    assert spki in revoked_paths.issuers_below([authority.pk]), "whoever is connected by it is looked for"


def test_what_is_superseded_counts_no_more_whoever_signed_it(meter: Product, works: Works) -> None:
    line = a_ca("Outside Line", works.root)
    works.lines = [line, line]
    first, second = handed(meter), handed(meter)
    assert connect(meter, IMEI, second[0], *second[1]).code == "accepted"
    assert connect(meter, IMEI, first[0], *first[1]).code == "certificate_revoked"


def test_two_intermediate_cas_may_use_one_number(meter: Product, works: Works) -> None:
    works.lines, works.numbers = [a_ca("Line 1", works.root), a_ca("Line 2", works.root)], [7, 7]
    mine, others = handed(meter), handed(meter, OTHER)
    revocation.revoke(IssuedCertificate.objects.get(device_name=IMEI).pk, reason="unspecified", by=OPERATOR, at=NOW)
    assert connect(meter, IMEI, mine[0], *mine[1]).code == "certificate_revoked"
    assert connect(meter, OTHER, others[0], *others[1]).code == "accepted"


# -- Nobody else's name --------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("asked_for", ["alternative name", "serialNumber"])
@pytest.mark.parametrize("identity", ["common_name", SAN, SERIAL])
def test_a_request_that_asks_for_another_device_s_name_is_not_passed_on(meter: Product, identity: str, asked_for: str) -> None:
    reads(meter, identity)
    key: Any = signing.new_key(KeyKind.EC_P256)
    subject = named(IMEI, OTHER if asked_for == "serialNumber" else "")
    builder = x509.CertificateSigningRequestBuilder(subject)
    builder = builder.add_extension(san(IMEI, OTHER), critical=False) if asked_for == "alternative name" else builder
    tried = with_csr(meter, IMEI, builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))
    assert (tried.code, tried.entry.path[-1]) == ("bad_csr", f"The certificate request is for {OTHER}, not for this device.")
    assert not IssuedCertificate.objects.exists()


@pytest.mark.parametrize(("identity", "subject"), [(SERIAL, named(IMEI, OTHER)), (SERIAL, named(OTHER, IMEI)), (SAN, named(OTHER))])
def test_a_certificate_that_names_another_device_is_not_handed_out(meter: Product, works: Works, identity: str, subject: x509.Name) -> None:
    reads(meter, identity)
    works.subject = subject
    tried = with_csr(meter, IMEI, a_request(IMEI, None, san(IMEI)))
    assert tried.code == "issuing_failed" and "certificate for another name" in tried.entry.path[-1], tried.entry.path
    assert not IssuedCertificate.objects.exists()


def test_what_has_no_name_where_the_product_reads_it_is_not_handed_out(meter: Product) -> None:
    reads(meter, SAN)
    tried = with_csr(meter, IMEI)
    assert tried.code == "issuing_failed" and "no name where this product's DeviceNames stand" in tried.entry.path[-1]


@pytest.mark.parametrize("identity", ["common_name", SAN, SERIAL])
def test_a_request_of_ours_asks_for_the_name_where_the_product_reads_it(meter: Product, identity: str) -> None:
    reads(meter, identity)
    issued = issuing.issue_for(product_id=meter.pk, device_name=IMEI, csr=None, at=NOW)
    assert issued.certificate.common_names == (IMEI,)
    assert issued.certificate.alternative_names.all == ((IMEI,) if identity == SAN else ())
    assert issued.certificate.subject_serial_numbers == ((IMEI,) if identity == SERIAL else ())
