"""CA certificates are switched on and off, and revoked for good. Each locks the certificate's row and writes one audit line."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db import transaction

from console import audit
from console.errors import Conflict, Invalid
from console.shared.actors import Actor
from console.words import say
from products.models import AuthorityState, CertificateAuthority
from products.services import authorities, revocation_news
from products.services.authority_upkeep import locked

State = AuthorityState
REVOCABLE: Final = frozenset(State) - {State.REVOKED}


class AuthorityEnded(Conflict):
    """Its time is over."""

    code = "ca_certificate_ended"


class WrongState(Conflict):
    """It stands in a state from which no way leads there."""

    code = "ca_certificate_wrong_state"


SENTENCES: Final = {
    State.PENDING: say("The CA certificate is pending: prove first that you hold its private key."),
    State.VERIFIED: say("The CA certificate was never activated."),
    State.ACTIVE: say("The CA certificate is active already."),
    State.INACTIVE: say("The CA certificate is inactive already."),
    State.REVOKED: say("The CA certificate is revoked, which is for good."),
}
"""Why not, by the state that it stands in."""


@transaction.atomic
def activate(authority_id: int, *, by: Actor, at: datetime) -> CertificateAuthority:
    """Devices of its products pass with certificates of this CA. A product may have several active ones. Raises WrongState or
    AuthorityEnded."""
    authority = locked(authority_id)
    if authority.has_ended(at) and authority.state in {State.VERIFIED, State.INACTIVE}:
        words = "The CA certificate ended on {day:%Y-%m-%d}: upload the one that follows it."
        raise AuthorityEnded(say(words, day=authority.not_after))
    return _move(authority, {State.VERIFIED, State.INACTIVE}, State.ACTIVE, "certificate_authority.activate", by=by, at=at)


@transaction.atomic
def deactivate(authority_id: int, *, reason: str = "", by: Actor, at: datetime) -> CertificateAuthority:
    """From now on no device passes with a certificate of this CA, and who is connected by one is cut off. Raises WrongState."""
    authority = locked(authority_id)
    return _move(authority, {State.ACTIVE}, State.INACTIVE, "certificate_authority.deactivate", by=by, at=at, reason=reason)


@transaction.atomic
def revoke(authority_id: int, *, reason: str, by: Actor, at: datetime) -> CertificateAuthority:
    """For good: no certificate of this CA counts any more, and who is connected by one is cut off. Raises Invalid (no reason) or
    WrongState."""
    if not reason.strip():
        raise Invalid("Say why this CA certificate is revoked.", field="reason")
    authority = locked(authority_id)
    facts = {"revoked_at": at, "proof_code": "", "proof_code_made_at": None}
    return _move(authority, REVOCABLE, State.REVOKED, "certificate_authority.revoke", by=by, at=at, reason=reason.strip(), **facts)


def _move(
    authority: CertificateAuthority,
    of: Collection[State],
    to: State,
    action: str,
    *,
    by: Actor,
    at: datetime,
    reason: str = "",
    **facts: object,
) -> CertificateAuthority:
    """Raises WrongState."""
    if authority.state not in of:
        raise WrongState(SENTENCES[State(authority.state)])
    CertificateAuthority.objects.filter(pk=authority.pk).update(state=to, **facts)
    audit.record(action, authority, by=by, at=at, before={"state": authority.state}, after={"state": to.value}, reason=reason)
    if to in {State.INACTIVE, State.REVOKED}:
        revocation_news.spread([authority.pk])
    transaction.on_commit(authorities.forget)
    return CertificateAuthority.objects.get(pk=authority.pk)
