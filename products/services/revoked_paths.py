"""What still counts of the certificates and CA certificates that open connections stand on."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from products.models import AuthorityProduct, AuthorityState, CertificateAuthority, RevocationSource, RevokedSerial

BLOCKED: Final = frozenset((AuthorityState.INACTIVE, AuthorityState.REVOKED))


@dataclass(frozen=True, slots=True)
class Paths:
    """`ends`: CA certificates at which a path may end, by their number, each with a product that it serves. `blocked`: public keys
    (SHA-256) through which none may lead, each with a product.

    That a CA certificate's time is over closes no path here: a clock would cut a whole fleet off at once. Who is connected stays until his
    next connection, as with his own certificate; *What needs attention* has said so for 60 days."""

    ends: frozenset[tuple[int, int]]
    blocked: frozenset[tuple[str, int]]

    def lead_through(self, authority_id: int | None, issuers: Collection[str], product_id: int) -> bool:
        """Whether a connection may stand that ends at this CA certificate, by the public keys of these issuers."""
        known = authority_id is None or (authority_id, product_id) in self.ends
        return known and self.blocked.isdisjoint((issuer, product_id) for issuer in issuers)


def paths() -> Paths:
    """As they are now. Two statements: CA certificates are few. A key is good where another certificate of it is active (a renewed CA)."""
    bindings = list(AuthorityProduct.objects.select_related("authority").defer("authority__certificate", "authority__proof_certificate"))
    good = {(one.authority.spki_sha256, one.product_id) for one in bindings if one.authority.state == AuthorityState.ACTIVE}
    ends = {(one.authority_id, one.product_id) for one in bindings if (one.authority.spki_sha256, one.product_id) in good}
    blocked = {(one.authority.spki_sha256, one.product_id) for one in bindings if one.authority.state in BLOCKED}
    return Paths(frozenset(ends - _revoked_from_above(bindings)), frozenset(blocked - good))


def issuers_below(authority_ids: Collection[int]) -> frozenset[str]:
    """The public keys whose certificates may be revoked by what is on file of these CA certificates: their own, and those of intermediate
    CAs below them of which somebody has revoked a certificate, or that signed one which was issued here and is revoked."""
    own = CertificateAuthority.objects.filter(pk__in=authority_ids).values_list("spki_sha256", flat=True)
    here = RevokedSerial.objects.filter(authority__in=authority_ids, source__in=(RevocationSource.HAND, RevocationSource.ISSUED))
    return frozenset(own) | frozenset(here.values_list("issuer_spki", flat=True).distinct())


def revoked_among(keys: Collection[str]) -> frozenset[str]:
    """Those that are revoked, of pairs of an issuer's public key and a serial number: `<SHA-256 of the SubjectPublicKeyInfo>:<hex>`."""
    pairs = {tuple(key.split(":", 1)) for key in keys}
    if not pairs:
        return frozenset()
    wanted = RevokedSerial.objects.filter(issuer_spki__in={spki for spki, _ in pairs}, serial__in={serial for _, serial in pairs})
    return frozenset(f"{spki}:{serial}" for spki, serial in wanted.values_list("issuer_spki", "serial")) & frozenset(keys)


def _revoked_from_above(bindings: Collection[AuthorityProduct]) -> set[tuple[int, int]]:
    """By a CA above them that is on file for the product too."""
    by_name = defaultdict[tuple[str, int], list[CertificateAuthority]](list)
    for one in bindings:
        by_name[one.authority.subject, one.product_id].append(one.authority)
    asked = {
        (one.authority_id, one.product_id, f"{above.spki_sha256}:{one.authority.serial_number}")
        for one in bindings
        for above in by_name[one.authority.issuer, one.product_id]
    }
    revoked = revoked_among({key for _, _, key in asked})
    return {(authority_id, product_id) for authority_id, product_id, key in asked if key in revoked}
