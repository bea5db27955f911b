"""Who uploads a CA certificate proves to hold its private key: they sign a certificate whose CN is a code that we have drawn.

Without that, whoever has a copy of a public CA certificate could have its devices let in here as their own.
"""

import os
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from console import audit
from console.crypto.certificates import reading
from console.errors import Conflict, Invalid
from console.shared.actors import Actor
from products.models import AuthorityState, CertificateAuthority
from products.rules import authorities as rules
from products.services import authorities
from products.services.authority_upkeep import locked, read

LONGEST_REASON = 500


class NotPending(Conflict):
    """It was proven, accepted or revoked before."""

    code = "ca_certificate_not_pending"
    default_message = "The CA certificate is not pending any more: there is nothing to prove."


@transaction.atomic
def new_code(authority_id: int, *, by: Actor, at: datetime) -> CertificateAuthority:
    """Good for seven days and one use; the one before is void. Raises NotPending."""
    authority = _pending(authority_id)
    authority.proof_code, authority.proof_code_made_at = rules.new_code(os.urandom), at
    authority.save(update_fields=["proof_code", "proof_code_made_at"])
    audit.record(
        "certificate_authority.new_code", authority, by=by, at=at, after={"until": f"{authority.proof_code_ends_at:%Y-%m-%d %H:%M}"}
    )
    return authority


@transaction.atomic
def prove(authority_id: int, verification: bytes, *, by: Actor, at: datetime) -> CertificateAuthority:
    """`verification`: the verification certificate, PEM or DER; it is kept as evidence, and the code is used up.

    Raises NotPending, a CertificateError or ProofRefused.
    """
    authority = _pending(authority_id)
    shown = read(verification, field="verification")
    code = rules.ProofCode(authority.proof_code, authority.proof_code_made_at or authority.uploaded_at)
    try:
        rules.check_proof(shown, reading.from_der(bytes(authority.certificate)), code, at=at)
    except rules.ProofRefused as error:
        error.field = "verification"
        raise
    evidence = {"proof_certificate": shown.der}
    after = {"verification certificate": {"sha256": shown.sha256, "serial_number": shown.serial_hex, "subject": shown.subject}}
    return _verify(authority, "certificate_authority.prove", evidence, after, by=by, at=at)


@transaction.atomic
def accept_without_proof(authority_id: int, *, reason: str, by: Actor, at: datetime) -> CertificateAuthority:
    """An administrator vouches for it instead. Raises Invalid (no reason) or NotPending."""
    reason = reason.strip()
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise Invalid("Say why this CA certificate is accepted without proof.", field="reason")
    authority = _pending(authority_id)
    evidence = {"without_proof_reason": reason}
    return _verify(authority, "certificate_authority.accept_without_proof", evidence, {}, by=by, at=at, reason=reason)


def _pending(authority_id: int) -> CertificateAuthority:
    """Locked. Raises NotPending."""
    authority = locked(authority_id)
    if authority.state != AuthorityState.PENDING:
        raise NotPending
    return authority


def _verify(
    authority: CertificateAuthority,
    action: str,
    evidence: Mapping[str, object],
    facts: Mapping[str, object],
    *,
    by: Actor,
    at: datetime,
    reason: str = "",
) -> CertificateAuthority:
    state = {"state": AuthorityState.VERIFIED, "proof_code": "", "proof_code_made_at": None, "verified_at": at, "verified_by": by.user_id}
    CertificateAuthority.objects.filter(pk=authority.pk).update(**state, **evidence)
    after = {"state": AuthorityState.VERIFIED.value, **facts}
    audit.record(action, authority, by=by, at=at, before={"state": authority.state}, after=after, reason=reason)
    transaction.on_commit(authorities.forget)
    return CertificateAuthority.objects.get(pk=authority.pk)
