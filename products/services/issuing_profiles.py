"""Which products issue certificates, and how: plain values for the doors, kept in the process for a moment. Their keys stay sealed."""

import threading
import time
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Exists, OuterRef

from console.crypto.certificates.issuing import KeyKind, NamePlace, Profile
from products.models import AuthorityProduct, CertificatePolicy, IdentitySource, IssuingCA

KEPT_AT_MOST = 4096
PLACES = {IdentitySource.ALTERNATIVE_NAME: NamePlace.DNS_NAME, IdentitySource.SERIAL_NUMBER: NamePlace.SUBJECT_SERIAL_NUMBER}
"""Where a product that does not read the CN looks for the DeviceName."""

_lock = threading.Lock()
_kept: dict[int, tuple[float, "IssuingProfile | None"]] = {}


@dataclass(frozen=True, slots=True, repr=False)
class IssuingProfile:
    """`authority`: the CA certificate as DER; `serves`: whether it is one of the product's still. `row`: with what is sealed, opened where
    it is used and not before."""

    row: IssuingCA
    authority_id: int
    serves: bool
    authority: bytes
    answers_registration: bool
    device_key_kind: KeyKind
    profile: Profile


def profile_of(product_id: int, *, fresh_since: float = 0.0) -> IssuingProfile | None:
    """The product's current issuing CA; None where it has none. At most settings.NAMEPLATE_PRODUCT_CACHE_SECONDS old, and read after
    `fresh_since` (time.monotonic())."""
    now = time.monotonic()
    kept = _kept.get(product_id)
    if kept is None or now - kept[0] >= settings.NAMEPLATE_PRODUCT_CACHE_SECONDS or kept[0] < fresh_since:
        kept = (now, _load(product_id))
        with _lock:
            if len(_kept) >= KEPT_AT_MOST:
                _kept.clear()
            _kept[product_id] = kept
    return kept[1]


def answers_with_certificate(product_id: int) -> bool:
    """What a device that registers is handed: a certificate, or else a secret."""
    found = profile_of(product_id)
    return found is not None and found.answers_registration


def forget() -> None:
    """Drop what this process keeps; other processes see a change within the cache's seconds."""
    with _lock:
        _kept.clear()


def _load(product_id: int) -> IssuingProfile | None:
    bound = AuthorityProduct.objects.filter(authority=OuterRef("authority"), product=OuterRef("product"))
    rows = IssuingCA.objects.select_related("authority").filter(product_id=product_id, current=True)
    row = rows.annotate(serves=Exists(bound)).first()
    if row is None:
        return None
    identity = CertificatePolicy.objects.filter(product_id=product_id).values_list("identity", flat=True).first()
    return IssuingProfile(
        row=row,
        authority_id=row.authority_id,
        serves=row.serves,
        authority=bytes(row.authority.certificate),
        answers_registration=row.answers_registration,
        device_key_kind=KeyKind(row.device_key_kind),
        profile=Profile(
            days=row.certificate_days,
            organization=row.organization,
            unit=row.unit,
            crl_url=row.list_url,
            name_also_in=PLACES.get(IdentitySource(identity), NamePlace.NOWHERE) if identity else NamePlace.NOWHERE,
        ),
    )
