"""CA certificates come and go: uploaded, named, bound to products, removed. A private key never gets further than the reader."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, models, transaction

from console import audit
from console.crypto.certificates import reading
from console.crypto.certificates.certificate import Certificate
from console.crypto.certificates.errors import CertificateError
from console.errors import Conflict, Invalid, NotFound
from console.shared.actors import Actor
from console.words import say
from products.models import AuthorityProduct, AuthorityState, CertificateAuthority, Product, RevocationSource, RevokedSerial
from products.rules import authorities as rules
from products.services import authorities, issuing_profiles, revocation_news

LONGEST_NAME = 64


class AuthorityThere(Conflict):
    """The same certificate was uploaded before."""

    code = "ca_certificate_there"


class AuthorityNameTaken(Conflict):
    code = "ca_certificate_name_taken"
    default_message = "Another CA certificate has this name."


class AuthorityInUse(Conflict):
    """It has to stay, as a record of what was accepted by it."""

    code = "ca_certificate_in_use"


@dataclass(frozen=True, slots=True, repr=False)
class NewAuthority:
    """`upload`: the file or the pasted text as bytes, PEM or DER, one certificate. `name`: empty for the CN of its subject."""

    upload: bytes
    name: str = ""
    products: Sequence[Product] = ()


@transaction.atomic
def upload(new: NewAuthority, *, by: Actor, at: datetime) -> CertificateAuthority:
    """Pending, with a proof code. Raises a CertificateError (PrivateKeyFound among them), AuthorityRefused, AuthorityThere or
    AuthorityNameTaken."""
    certificate = read(new.upload, field="certificate")
    _check(certificate, at)
    authority = _insert(_row(certificate, checked_name(new.name or certificate.shown_as[:LONGEST_NAME]), by=by, at=at))
    keys = _bind(authority, new.products)
    facts = {"name": authority.name, "subject": authority.subject, "sha256": authority.sha256, "products": keys}
    audit.record("certificate_authority.upload", authority, by=by, at=at, after=facts)
    transaction.on_commit(authorities.forget)
    return authority


@transaction.atomic
def rename(authority_id: int, name: str, *, by: Actor, at: datetime) -> CertificateAuthority:
    """Raises Invalid or AuthorityNameTaken."""
    authority = locked(authority_id)
    before, authority.name = authority.name, checked_name(name)
    if authority.name == before:
        return authority
    try:
        with transaction.atomic():
            authority.save(update_fields=["name"])
    except IntegrityError as error:
        raise AuthorityNameTaken(field="name") from error
    audit.record("certificate_authority.rename", authority, by=by, at=at, before={"name": before}, after={"name": authority.name})
    transaction.on_commit(authorities.forget)
    return authority


@transaction.atomic
def set_products(authority_id: int, products: Iterable[Product], *, by: Actor, at: datetime) -> CertificateAuthority:
    """It serves exactly these from now on; devices of others that are connected by it are cut off. Locks it."""
    authority = locked(authority_id)
    wanted = list(products)
    before = sorted(authority.products.values_list("key", flat=True))
    gone, _by_model = AuthorityProduct.objects.filter(authority=authority).exclude(product__in=wanted).delete()
    after = _bind(authority, wanted)
    if before != after:
        audit.record("certificate_authority.products", authority, by=by, at=at, before={"products": before}, after={"products": after})
        if gone:
            revocation_news.spread([authority.pk])
        transaction.on_commit(authorities.forget)
        transaction.on_commit(issuing_profiles.forget)
    return authority


@transaction.atomic
def remove(authority_id: int, *, reason: str = "", by: Actor, at: datetime) -> None:
    """One that no device has used. Raises AuthorityInUse."""
    authority = locked(authority_id)
    refuse_removal(authority)
    facts = {"name": authority.name, "subject": authority.subject, "sha256": authority.sha256, "state": authority.state}
    audit.record("certificate_authority.remove", authority, by=by, at=at, before=facts, reason=reason)
    try:
        with transaction.atomic():
            authority.delete()
    except models.ProtectedError as error:
        raise AuthorityInUse("Something else here stands on this CA certificate: make it inactive instead.") from error
    transaction.on_commit(authorities.forget)


def locked(authority_id: int) -> CertificateAuthority:
    """Until the transaction ends, so that of two at once the second sees what the first has done; rows that only refer to it may be written
    meanwhile. Raises NotFound."""
    found = CertificateAuthority.objects.select_for_update(no_key=True).filter(pk=authority_id).first()
    if found is None:
        raise NotFound("The CA certificate was removed meanwhile.")
    return found


def refuse_removal(authority: CertificateAuthority) -> None:
    """Raises AuthorityInUse."""
    if authority.state == AuthorityState.ACTIVE:
        raise AuthorityInUse("The CA certificate is active: deactivate it first.")
    if authority.state == AuthorityState.REVOKED:
        raise AuthorityInUse("A revoked CA certificate stays in the list, so that nobody uploads it again.")
    if authority.first_used_at is not None:
        raise AuthorityInUse("Devices have connected with certificates of this CA: its certificate stays, inactive.")
    if RevokedSerial.objects.filter(authority=authority, source=RevocationSource.HAND).exists():
        words = "Certificates of this CA were revoked by hand, and would count again: its certificate stays, inactive."
        raise AuthorityInUse(words)


def read(upload: bytes, *, field: str) -> Certificate:
    """One certificate. Raises a CertificateError that names the form's field; none of them holds what was read."""
    try:
        return reading.read_one(upload)
    except CertificateError as error:
        error.field = field
        raise


def checked_name(name: str) -> str:
    """Raises Invalid."""
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Invalid(say("A CA certificate needs a name of at most {most} characters.", most=LONGEST_NAME), field="name")
    return name


def key_text(certificate: Certificate) -> str:
    """RSA 2048, EC secp256r1, Ed25519."""
    return " ".join(part for part in (certificate.key_kind, certificate.curve or str(certificate.key_bits or "")) if part)[:64]


def _check(certificate: Certificate, at: datetime) -> None:
    """Raises AuthorityRefused."""
    try:
        rules.check(certificate, at=at)
    except rules.AuthorityRefused as error:
        error.field = "certificate"
        raise


def _row(certificate: Certificate, name: str, *, by: Actor, at: datetime) -> CertificateAuthority:
    return CertificateAuthority(
        name=name,
        certificate=certificate.der,
        subject=certificate.subject,
        issuer=certificate.issuer,
        serial_number=certificate.serial_hex,
        sha256=certificate.sha256,
        sha1=certificate.sha1,
        spki_sha256=certificate.spki_sha256,
        subject_key_id=certificate.subject_key_identifier,
        key_kind=key_text(certificate),
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        proof_code=rules.new_code(os.urandom),
        proof_code_made_at=at,
        uploaded_at=at,
        uploaded_by_id=by.user_id,
    )


def _insert(authority: CertificateAuthority) -> CertificateAuthority:
    """Raises AuthorityThere or AuthorityNameTaken: which of the two is asked only after the constraint has spoken."""
    try:
        with transaction.atomic():
            authority.save(force_insert=True)
    except IntegrityError as error:
        same = CertificateAuthority.objects.filter(sha256=authority.sha256).first()
        if same is None:
            raise AuthorityNameTaken(field="name") from error
        words = "This certificate is there already: {name}, uploaded on {day:%Y-%m-%d}."
        raise AuthorityThere(say(words, name=same.name, day=same.uploaded_at), field="certificate") from error
    return authority


def _bind(authority: CertificateAuthority, products: Iterable[Product]) -> list[str]:
    """The ProductKeys, in their order."""
    found = list(products)
    AuthorityProduct.objects.bulk_create(
        [AuthorityProduct(authority=authority, product=product) for product in found], ignore_conflicts=True
    )
    return sorted({product.key for product in found})
