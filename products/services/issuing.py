"""A device gets its certificate: made for it, then written down in the transaction that lets the device in.

`issue_for` writes nothing and may ask an outside CA, so it goes before any transaction and after the decision was foreseen; `record` goes
into the transaction of the admission. What is made and not recorded was handed to nobody.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from console.crypto.certificates import device_requests, reading, signing_keys
from console.crypto.certificates import issuing as signing
from console.crypto.certificates.certificate import Certificate
from console.crypto.certificates.device_requests import DeviceRequest
from console.errors import Conflict, Invalid
from console.shared import keyring
from console.words import say
from products.models import AuthorityState, IssuedCertificate, RevocationReason
from products.querysets import IssuedCertificateQuerySet
from products.services import outside_ca, revocation
from products.services.issuing_profiles import IssuingProfile, profile_of
from products.services.outside_ca import IssuingFailed

OUTSTANDING: Final = 5
"""So many certificates of one name in one data center are good at a time before one of them connects: an answer may get lost."""
A_DAY: Final = 50
"""So many are made for one name within 24 hours: each stays on file, and on the revocation list once it is superseded."""


class NoIssuingCA(Conflict):
    """The product issues no certificates."""

    code = "no_issuing_ca"
    default_message = "The product has no issuing CA, so that its devices get no certificate here."


@dataclass(frozen=True, slots=True, repr=False)
class Issued:
    """`chain`: above the certificate, the CA's own last. `private_key`: PEM (PKCS#1 or SEC 1), empty where the device made its own; it is
    nowhere else and is never stored."""

    product_id: int
    device_name: str
    issuing_ca_id: int
    certificate: Certificate
    chain: tuple[Certificate, ...]
    private_key: str = ""

    def __repr__(self) -> str:
        """Without the key."""
        return f"Issued({self.product_id}, {self.device_name}, {self.certificate.serial_hex})"

    @property
    def certificate_pem(self) -> str:
        return reading.to_pem(self.certificate)

    @property
    def chain_pem(self) -> str:
        return "".join(reading.to_pem(one) for one in self.chain)


def issue_for(*, product_id: int, device_name: str, csr: bytes | None, at: datetime, spellings: Collection[str] = ()) -> Issued:
    """`device_name` in its stored form, which the certificate has; `spellings`: further ones that a CSR's CN may have. Without a CSR the
    key is made here. Writes nothing. Raises NoIssuingCA, BadRequest (of the CSR), IssuingFailed."""
    issuing = _profile(product_id)
    _refuse_often(product_id, device_name, at)
    names = frozenset((device_name, *spellings))
    if csr is not None:
        request, private_key = device_requests.check(csr, names=names, passed_on=not issuing.row.is_own), ""
    else:
        request, private_key = _made(issuing, device_name)
    path = _own(issuing, device_name, request, at) if issuing.row.is_own else _outside(issuing, request, names, at)
    return Issued(product_id, device_name, issuing.row.pk, path[0], path[1:], private_key)


def check(product_id: int, device_name: str, *, at: datetime) -> None:
    """Whether a certificate is issued to this name now, and would be good. Raises NoIssuingCA, and IssuingFailed where not."""
    authority = _profile(product_id).row.authority
    if not authority.not_before <= at < authority.not_after:
        raise IssuingFailed(say("The time of the issuing CA {name} is over, or has not begun.", name=authority.name))
    _refuse_often(product_id, device_name, at)


def record(issued: Issued, *, data_center_id: int | None, only_one: bool, at: datetime) -> IssuedCertificate:
    """Writes it down within the caller's transaction, which holds the device's row. The name's earlier certificates in this data center:
    with `only_one` all are revoked as superseded, else all but the OUTSTANDING newest."""
    found = issued.certificate
    row = IssuedCertificate(
        issuing_ca_id=issued.issuing_ca_id,
        product_id=issued.product_id,
        data_center_id=data_center_id,
        device_name=issued.device_name,
        serial=found.serial_hex,
        sha256=found.sha256,
        spki_sha256=found.spki_sha256,
        issuer_spki=issued.chain[0].spki_sha256,
        own_request=not issued.private_key,
        issued_at=at,
        not_after=found.not_after,
    )
    row.save(force_insert=True)
    earlier = _good(issued.product_id, issued.device_name, data_center_id).exclude(pk=row.pk)
    revocation.withdraw(earlier[0 if only_one else OUTSTANDING - 1 :], reason=RevocationReason.SUPERSEDED, at=at)
    return row


def settle(*, product_id: int, device_name: str, data_center_id: int | None, sha256: str, at: datetime) -> int:
    """The device has connected with one certificate for the first time: the others of its name there are superseded. Returns how many.
    Within the caller's transaction. Does nothing for a certificate that was not issued here."""
    good = _good(product_id, device_name, data_center_id)
    if not good.filter(sha256=sha256).exists():
        return 0
    return revocation.withdraw(good.exclude(sha256=sha256), reason=RevocationReason.SUPERSEDED, at=at)


def is_of_another_product(product_id: int, sha256: str) -> bool:
    """Whether the certificate was issued here, to a device of another product: one CA may sign for several."""
    return IssuedCertificate.objects.filter(sha256=sha256).exclude(product_id=product_id).exists()


def _profile(product_id: int) -> IssuingProfile:
    """Of a CA whose certificates count: nobody is handed one with which he would be turned away. Raises NoIssuingCA, IssuingFailed."""
    issuing = profile_of(product_id)
    if issuing is None:
        raise NoIssuingCA
    authority = issuing.row.authority
    if authority.state != AuthorityState.ACTIVE:
        raise IssuingFailed(say("The issuing CA {name} is not active, so that its certificates do not count.", name=authority.name))
    if not issuing.serves:
        words = "The issuing CA {name} is no CA certificate of the product any more, so that its certificates do not count."
        raise IssuingFailed(say(words, name=authority.name))
    return issuing


def _refuse_often(product_id: int, device_name: str, at: datetime) -> None:
    of_the_day = IssuedCertificate.objects.of_device(product_id, device_name).filter(issued_at__gt=at - timedelta(days=1))
    if of_the_day.count() >= A_DAY:
        words = "The device was issued {most} certificates within a day, and is issued the next one when the first of them is a day old."
        raise IssuingFailed(say(words, most=A_DAY))


def _good(product_id: int, device_name: str, data_center_id: int | None) -> IssuedCertificateQuerySet:
    """The newest first."""
    return IssuedCertificate.objects.of_device(product_id, device_name).good().filter(data_center_id=data_center_id).order_by("-id")


def _own(issuing: IssuingProfile, device_name: str, request: DeviceRequest, at: datetime) -> tuple[Certificate, ...]:
    key = signing_keys.open_kept(keyring.unseal(issuing.row.sealed_key, owner=issuing.row.owner()))
    issuer = signing.Issuer(x509.load_der_x509_certificate(issuing.authority), key)
    try:
        made = signing.issue(
            issuer, device_name=device_name, public_key=request.public_key, profile=issuing.profile, serial=signing.draw_serial(), at=at
        )
    except (signing.AuthorityEnded, Invalid) as error:
        raise IssuingFailed(error.message) from error
    return reading.from_der(made.public_bytes(Encoding.DER)), reading.from_der(issuing.authority)


def _outside(issuing: IssuingProfile, request: DeviceRequest, names: Collection[str], at: datetime) -> tuple[Certificate, ...]:
    path = outside_ca.ask(
        issuing.row,
        request.der,
        authority=issuing.authority,
        spki_sha256=request.spki_sha256,
        names=names,
        place=issuing.profile.name_also_in,
        at=at,
    )
    return (*path, reading.from_der(issuing.authority))


def _made(issuing: IssuingProfile, device_name: str) -> tuple[DeviceRequest, str]:
    """A key of the product's kind, and the request for it that an outside CA is sent."""
    key = signing.new_key(issuing.device_key_kind)
    built = signing.request(key, device_name, issuing.profile.name_also_in)
    return device_requests.trusted(built), signing_keys.old_pem_of(key)
