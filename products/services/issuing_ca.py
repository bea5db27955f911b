"""A product's issuing CA: made here, taken up with its key, or an outside CA behind a CSR endpoint; its profile, and its end.

Its certificate becomes a CA certificate like any other (products.services.authority_upkeep), with a proof that its own key signs, so that
connections are judged the same way whoever issued.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from django.db import IntegrityError, transaction

from console import audit
from console.crypto.certificates import issuing, reading, signing_keys
from console.crypto.certificates.errors import CertificateError
from console.crypto.certificates.issuing import Issuer, KeyKind
from console.errors import Conflict, Invalid
from console.shared import fetching, keyring
from console.shared.actors import Actor
from console.words import say
from products.models import AuthorityState, CertificateAuthority, IssuingCA, IssuingKind, Product, PublishedList, WireProtocol
from products.models.issuing import LONGEST_DAYS, DeviceKeyKind
from products.services import authority_upkeep, issuing_authority, issuing_profiles

CA_DAYS: Final = 20 * 365
HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
PROFILE: Final = ("answers_registration", "device_key_kind", "certificate_days", "organization", "unit", "list_url")
"""What `change` may set."""


class HasIssuingCA(Conflict):
    """A product has one current issuing CA."""

    code = "issuing_ca_there"
    default_message = "The product has an issuing CA already: retire it first."


@dataclass(frozen=True, slots=True)
class Outside:
    """A CSR endpoint. `header`, `secret`: sent with each request, the secret None to keep it as it is; `trust`: PEM."""

    url: str
    header: str = ""
    secret: str | None = None
    trust: str = ""


@transaction.atomic
def make(product: Product, *, name: str, kind: str = KeyKind.EC_P256, by: Actor, at: datetime) -> IssuingCA:
    """A new key and a self-signed certificate of twenty years. Raises Invalid, HasIssuingCA or another CA certificate's NameTaken."""
    try:
        chosen = KeyKind(kind)
    except ValueError:
        raise Invalid("Choose EC P-256 or RSA 2048.", field="kind") from None
    made = issuing.make_issuer(name.strip(), kind=chosen, days=CA_DAYS, serial=issuing.draw_serial(), at=at)
    return _own(product, made, name, "made", by=by, at=at)


@transaction.atomic
def take_up(product: Product, *, certificate: bytes, key: bytes, password: str = "", name: str = "", by: Actor, at: datetime) -> IssuingCA:
    """One that exists, with its private key, which is sealed and never shown again. Raises a CertificateError, BadPrivateKey, NotFitting,
    AuthorityRefused, HasIssuingCA."""
    parsed = x509.load_der_x509_certificate(authority_upkeep.read(certificate, field="certificate").der)
    given = Issuer(parsed, signing_keys.read_private_key(key, password=password))
    if not issuing.belongs_together(given.certificate, given.key):
        raise issuing_authority.NotFitting("The private key is not that of the certificate.", field="key")
    issuing_authority.check_usage(parsed)
    return _own(product, given, name, "taken up", by=by, at=at)


@transaction.atomic
def use_outside(product: Product, *, authority: CertificateAuthority, outside: Outside, by: Actor, at: datetime) -> IssuingCA:
    """An outside CA whose certificate is active here. Raises Invalid, Conflict, HasIssuingCA."""
    if authority.state != AuthorityState.ACTIVE:
        raise Conflict("The CA certificate is not active: without it no certificate of that CA passes.", field="authority")
    url, header, trust = _checked(outside)
    issuing_authority.serve(authority, product, by=by, at=at)
    row = IssuingCA(product=product, authority=authority, kind=IssuingKind.OUTSIDE, endpoint_url=url, endpoint_header=header)
    row.endpoint_trust = trust
    _insert(row, key="", secret=outside.secret or "", at=at)
    audit.record("issuing_ca.use_outside", product, by=by, at=at, after=_facts(row))
    return row


@transaction.atomic
def change(row_id: int, facts: dict[str, Any], *, outside: Outside | None = None, by: Actor, at: datetime) -> IssuingCA:
    """Sets some of PROFILE, and of an outside CA its endpoint. Locks the row. Raises Invalid, Conflict."""
    row = IssuingCA.objects.select_for_update().get(pk=row_id)
    if not row.current:
        raise Conflict("The issuing CA is retired.")
    before = _facts(row)
    for name in PROFILE:
        setattr(row, name, facts.get(name, getattr(row, name)))
    _check_profile(row)
    if outside is not None and not row.is_own:
        row.endpoint_url, row.endpoint_header, row.endpoint_trust = _checked(outside)
        if outside.secret is not None:
            row.sealed_endpoint_secret = keyring.seal(outside.secret, owner=row.owner())
    row.save(update_fields=[*PROFILE, "endpoint_url", "endpoint_header", "endpoint_trust", "sealed_endpoint_secret"])
    after = _facts(row)
    changed = {name for name in after if after[name] != before[name]}
    audit.record(
        "issuing_ca.change",
        row.product,
        by=by,
        at=at,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    transaction.on_commit(issuing_profiles.forget)
    return row


@transaction.atomic
def retire(row_id: int, *, reason: str = "", by: Actor, at: datetime) -> None:
    """It issues no more; its certificates stay good and its revocation list goes on. Raises Conflict."""
    if not IssuingCA.objects.filter(pk=row_id, current=True).update(current=False, retired_at=at, answers_registration=False):
        raise Conflict("The issuing CA is retired already.")
    row = IssuingCA.objects.select_related("product", "authority").get(pk=row_id)
    audit.record("issuing_ca.retire", row.product, by=by, at=at, before={"ca_certificate": row.authority.sha256}, reason=reason)
    transaction.on_commit(issuing_profiles.forget)


def _own(product: Product, given: Issuer, name: str, how: str, *, by: Actor, at: datetime) -> IssuingCA:
    authority = issuing_authority.certified(product, given, name, by=by, at=at)
    row = IssuingCA(product=product, authority=authority, kind=IssuingKind.OWN)
    if signing_keys.is_rsa(given.key):
        row.device_key_kind = DeviceKeyKind.RSA_2048
    _insert(row, key=signing_keys.pem_of(given.key), secret="", at=at)
    PublishedList.objects.get_or_create(authority=authority)
    audit.record("issuing_ca.make" if how == "made" else "issuing_ca.take_up", product, by=by, at=at, after=_facts(row))
    return row


def _checked(outside: Outside) -> tuple[str, str, str]:
    url = fetching.check_url(outside.url, "url")
    header = outside.header.strip()
    if header and not HEADER.fullmatch(header):
        raise Invalid("The name of a header has letters, digits and hyphens.", field="header")
    if outside.secret and not header:
        raise Invalid("Name the header that carries the secret.", field="header")
    if outside.secret and (not outside.secret.isascii() or not outside.secret.isprintable()):
        raise Invalid("A header's value has visible ASCII characters alone.", field="secret")
    trust = outside.trust.strip()
    try:
        trust = "".join(reading.to_pem(one) for one in reading.read(trust.encode())) if trust else ""
    except CertificateError as error:
        raise Invalid(error.message, field="trust") from None
    return url, header, trust


def _check_profile(row: IssuingCA) -> None:
    if not 1 <= row.certificate_days <= LONGEST_DAYS:
        raise Invalid(say("A certificate lasts 1 to {most:,} days.", most=LONGEST_DAYS), field="certificate_days")
    if row.device_key_kind not in DeviceKeyKind.values:
        raise Invalid("Choose EC P-256 or RSA 2048.", field="device_key_kind")
    if row.answers_registration and row.product.wire_protocol == WireProtocol.ALIBABA:
        raise Invalid("Alibaba's SDKs know no registration that answers with a certificate.", field="answers_registration")
    for name in ("organization", "unit"):
        text = getattr(row, name).strip()
        setattr(row, name, text)
        if len(text) > issuing.LONGEST_SUBJECT_PART or not text.isprintable():
            raise Invalid("Organization and unit have at most 64 characters each.", field=name)
    row.list_url = fetching.check_url(row.list_url, "list_url", ("http", "https")) if row.list_url.strip() else ""


def _insert(row: IssuingCA, *, key: str, secret: str, at: datetime) -> None:
    """The row first, since its number is what its secrets are bound to. Raises HasIssuingCA (constraint issuing_ca_one_current)."""
    row.created_at, row.sealed_key, row.sealed_endpoint_secret = at, b"", b""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise HasIssuingCA from error
    row.sealed_key = keyring.seal(key, owner=row.owner())
    row.sealed_endpoint_secret = keyring.seal(secret, owner=row.owner())
    row.save(update_fields=["sealed_key", "sealed_endpoint_secret"])
    transaction.on_commit(issuing_profiles.forget)


def _facts(row: IssuingCA) -> dict[str, object]:
    """Without what is sealed."""
    names = ("kind", *PROFILE, "endpoint_url", "endpoint_header")
    return {"ca_certificate": row.authority.sha256} | {name: getattr(row, name) for name in names}
