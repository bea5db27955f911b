"""CA certificates as connections need them: plain values, kept in the process for a moment."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from console.crypto.certificates import reading
from console.crypto.certificates.certificate import Certificate
from products.models import AuthorityProduct, AuthorityState, CertificateAuthority, CertificatePolicy

KEPT_AT_MOST = 4096

_lock = threading.Lock()
_kept: dict[int, tuple[float, "DeviceCertificates"]] = {}
_noted: set[int] = set()
_serving: tuple[float, "tuple[Serving, ...]"] | None = None


@dataclass(frozen=True, slots=True)
class Anchor:
    """A CA certificate of a product. `active`: verified and switched on; `blocked`: switched off or revoked, as against not verified yet.
    Whether its time is over, the judge looks at."""

    authority_id: int
    name: str
    certificate: Certificate
    active: bool
    blocked: bool


@dataclass(frozen=True, slots=True)
class DeviceCertificates:
    """What a product accepts. `identity`: as in IdentitySource; `crl_max_age` None: a list's own date of the next one decides;
    `old_list_refuses`: whether a list that is too old refuses, or is only noted."""

    product_id: int
    anchors: tuple[Anchor, ...]
    identity: str
    same_key: bool
    crl_max_age: timedelta | None
    old_list_refuses: bool = False


@dataclass(frozen=True, slots=True)
class Serving:
    """A CA certificate and the products that it serves, by their ProductKeys."""

    name: str
    subject_bytes: bytes
    active: bool
    product_keys: frozenset[str]


def accepted(product_id: int, *, fresh_since: float = 0.0) -> DeviceCertificates:
    """At most settings.NAMEPLATE_PRODUCT_CACHE_SECONDS old, and read after `fresh_since` (time.monotonic()). Of a product that has
    nothing of the kind: no anchors."""
    now = time.monotonic()
    kept = _kept.get(product_id)
    if kept is None or now - kept[0] >= settings.NAMEPLATE_PRODUCT_CACHE_SECONDS or kept[0] < fresh_since:
        kept = (now, _load(product_id))
        with _lock:
            if len(_kept) >= KEPT_AT_MOST:
                _kept.clear()
            _kept[product_id] = kept
    return kept[1]


def anchors(product_id: int, *, fresh_since: float = 0.0) -> tuple[Anchor, ...]:
    """Every CA certificate that serves the product, also those that are switched off or have ended: a refusal names the reason."""
    return accepted(product_id, fresh_since=fresh_since).anchors


def certificates_on_file() -> tuple[bytes, ...]:
    """The DER of every CA certificate but those whose proof is still to come, in whatever state: those whose devices are let into a
    handshake, to be judged then."""
    rows = CertificateAuthority.objects.exclude(state=AuthorityState.PENDING).order_by("pk")
    return tuple(bytes(one) for one in rows.values_list("certificate", flat=True))


def product_by_issuer(presented: Sequence[Certificate]) -> tuple[str, str] | None:
    """ProductKey and the CA's name: of the one product that is served by the CA certificate which issued these, going by names alone.

    `presented`: the leaf first. The nearest CA on file decides, and an active one before any other. None where it serves several products,
    or where none is on file. As old as `accepted`."""
    issued, above = presented[0], {one.subject_bytes: one for one in reversed(presented[1:])}
    while True:
        found = [one for one in _all_serving() if one.subject_bytes == issued.issuer_bytes]
        if found:
            found = [one for one in found if one.active] or found
            keys = frozenset[str]().union(*(one.product_keys for one in found))
            return (next(iter(keys)), found[0].name) if len(keys) == 1 else None
        issuer = above.pop(issued.issuer_bytes, None)
        if issuer is None:
            return None
        issued = issuer


def policy_of(product_id: int) -> CertificatePolicy:
    """Its row, or one with the defaults that is not stored."""
    return CertificatePolicy.objects.filter(product_id=product_id).first() or CertificatePolicy(product_id=product_id)


def note_use(authority_id: int, *, at: datetime) -> None:
    """A device's certificate was accepted by this CA: from the first one on it can be made inactive or revoked, and not removed.

    One statement in the life of a process for each CA; goes behind the answer.
    """
    if authority_id not in _noted:
        CertificateAuthority.objects.filter(pk=authority_id, first_used_at=None).update(first_used_at=at)
        transaction.on_commit(lambda: _noted.add(authority_id))


def forget() -> None:
    """Drop what this process keeps; other processes see a change within the cache's seconds."""
    global _serving
    with _lock:
        _kept.clear()
        _noted.clear()
        _serving = None


def _all_serving() -> "tuple[Serving, ...]":
    global _serving
    now, kept = time.monotonic(), _serving
    if kept is None or now - kept[0] >= settings.NAMEPLATE_PRODUCT_CACHE_SECONDS:
        kept = (now, _load_serving())
        _serving = kept
    return kept[1]


def _load_serving() -> "tuple[Serving, ...]":
    """All that serve a product: an installation has tens of them."""
    products: dict[int, set[str]] = {}
    for authority_id, key in AuthorityProduct.objects.values_list("authority_id", "product__key"):
        products.setdefault(authority_id, set()).add(key)
    rows = CertificateAuthority.objects.in_bulk(products)
    anchors = [_anchor(rows[number]) for number in sorted(rows)]
    return tuple(Serving(one.name, one.certificate.subject_bytes, one.active, frozenset(products[one.authority_id])) for one in anchors)


def _load(product_id: int) -> DeviceCertificates:
    policy = policy_of(product_id)
    rows = CertificateAuthority.objects.serving(product_id).order_by("pk")
    return DeviceCertificates(
        product_id=product_id,
        anchors=tuple(map(_anchor, rows)),
        identity=policy.identity,
        same_key=policy.same_key,
        crl_max_age=timedelta(hours=policy.crl_max_age_hours) if policy.crl_max_age_hours else None,
        old_list_refuses=policy.old_list_refuses,
    )


def _anchor(row: CertificateAuthority) -> Anchor:
    blocked = row.state in {AuthorityState.INACTIVE, AuthorityState.REVOKED}
    return Anchor(row.pk, row.name, reading.from_der(bytes(row.certificate)), row.state == AuthorityState.ACTIVE, blocked)
