"""A device registers: its request in, its scheme's answer out, one log entry."""

import logging
import secrets
import time
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, IntegrityError, InterfaceError

from console.crypto.certificates.device_requests import BadRequest
from console.errors import DomainError, Unavailable
from console.shared import request_ids
from console.shared.statements import table_of
from console.words import say
from devices.rules import names
from devices.rules.admission import Refused
from devices.services import admission, client_ids
from products.models import DataCenter
from products.rules.wire_formats import wire_format
from products.services import data_centers
from products.services.lookup import ProductUnknown, RegistrationProduct, find_for_registration
from registration.decision_codes import DecisionCode
from registration.models import UsedNonce
from registration.protocols.base import (
    MAX_BODY_BYTES,
    BadSignature,
    Claim,
    Grant,
    Malformed,
    RegistrationProtocol,
    Reply,
    Request,
    VerifiedClaim,
)
from registration.protocols.handing_out import CsrMissing, CsrNotTaken, Handed
from registration.services import certificate_enrolment, device_log
from registration.services.certificate_enrolment import Asking
from registration.services.device_log import Attempt
from registration.services.outcome import NonceUsed, Outcome, nonce

log = logging.getLogger(__name__)

NOBODYS_SECRET = secrets.token_hex(16)
"""What the proof of an unknown product is checked against. Drawn at the start of the process, so that nothing ever fits it."""

PROOFS_AT_LEAST = 2
"""So many secrets are tried in any case: a product with one live secret, one with two and none cost the same."""


class ProductNotPublished(DomainError):
    """The product is still being developed."""

    code = "product_not_published"
    default_message = "The product is not published."


class Internal(DomainError):
    """Something that nobody foresaw."""

    code = "internal"
    default_message = "The registration failed unexpectedly; the server's log has the reason under the request's number."


def register(*, protocol: RegistrationProtocol, request: Request, peer_address: str, at: datetime) -> Reply:
    """Hands the device its DeviceSecret, or a ClientID and a DeviceToken, or refuses it, in its scheme's own words. Raises nothing.

    Writes one log entry: that of an accepted device in the transaction that registers it.
    """
    attempt = Attempt(at, request_ids.current(), protocol.name, peer_address)
    try:
        return _decide(attempt, protocol, request)
    except Exception as caught:
        error = _expected(caught, attempt)
        attempt.refused(error)
        reply = protocol.refuse(error, str(attempt.request_id))
        device_log.write(attempt, error.code)
        return reply


def foresee(attempt: Attempt, data_center: DataCenter, claim: Claim) -> str:
    """The code of what `register` would decide about a claim as things stand; the attempt has the path then. Uses up no nonce, hands
    nothing out, writes nothing. Raises nothing."""
    attempt.data_center = data_center
    try:
        product, verified, _product_secret = _prove(attempt, claim)
        attempt.device_name = _stored_name(product, verified.device_name)
        attempt.passed(*_foresee(attempt, data_center, product, claim))
    except Exception as caught:
        error = _expected(caught, attempt)
        attempt.refused(error)
        return error.code
    return str(DecisionCode.ACCEPTED)


def _foresee(attempt: Attempt, data_center: DataCenter, product: RegistrationProduct, claim: Claim) -> tuple[str, ...]:
    handed = certificate_enrolment.chosen(claim, product)
    if handed is not Handed.KEY:
        return certificate_enrolment.foresee(Asking(attempt, data_center, product, claim, handed))
    look = client_ids.foresee if claim.preregistration_free else admission.foresee
    return look(data_center=data_center, product=product, device_name=attempt.device_name, at=attempt.at)


def _expected(caught: Exception, attempt: Attempt) -> DomainError:
    """The error as a refusal; what nobody foresaw goes to the server's log, and not into any answer."""
    if isinstance(caught, DomainError) and caught.code in DecisionCode.values:
        return caught
    log.error("Registration %s failed.", attempt.request_id, exc_info=caught)
    return Unavailable("The database did not answer.") if isinstance(caught, (DatabaseError, InterfaceError)) else Internal()


def _decide(attempt: Attempt, protocol: RegistrationProtocol, request: Request) -> Reply:
    """The answer of an accepted device, which is registered and logged then. Raises whatever refuses it."""
    attempt.data_center = data_center = data_centers.serving(request.host)
    claim = _read(attempt, protocol, request)
    product, verified, product_secret = _prove(attempt, claim)
    _note_other_protocol(attempt, product)
    grant = Grant(verified.product_key, verified.device_name, "", product_secret, request_id=str(attempt.request_id))
    outcome = Outcome(attempt, protocol, grant, nonce(verified, product.id))
    try:
        attempt.device_name = _stored_name(product, verified.device_name)
        _let_in(attempt, data_center, product, claim, outcome)
    except (Refused, names.BadDeviceName, CsrMissing, CsrNotTaken, BadRequest):
        outcome.use_nonce(data_center.database)
        raise
    except IntegrityError as error:
        if table_of(error) != UsedNonce._meta.db_table:
            raise
        raise NonceUsed from None
    device_log.count(data_center.code, attempt.event, attempt.protocol, DecisionCode.ACCEPTED)
    return outcome.reply


def _let_in(attempt: Attempt, data_center: DataCenter, product: RegistrationProduct, claim: Claim, outcome: Outcome) -> None:
    """Raises what refuses the device, and IntegrityError."""
    handed = certificate_enrolment.chosen(claim, product)
    if handed is not Handed.KEY:
        certificate_enrolment.admit(Asking(attempt, data_center, product, claim, handed), outcome)
        return
    let_in = client_ids.issue if claim.preregistration_free else admission.admit
    let_in(data_center=data_center, product=product, device_name=attempt.device_name, at=attempt.at, beside=outcome.beside)


def _read(attempt: Attempt, protocol: RegistrationProtocol, request: Request) -> Claim:
    if len(request.body) > MAX_BODY_BYTES:
        raise Malformed(say("The request is longer than {most} bytes.", most=MAX_BODY_BYTES), field="body")
    claim = protocol.parse(request)
    attempt.product_key, attempt.device_name = claim.product_key, claim.device_name
    return claim


def _prove(attempt: Attempt, claim: Claim) -> tuple[RegistrationProduct, VerifiedClaim, str]:
    """The product, the checked claim and the secret that it was made with.

    What does not fit is looked at once more past the cache, since a secret may have been added or a product published a moment ago;
    so every stranger's attempt costs one look into the database, whether its product exists or not. Raises the scheme's errors,
    ProductUnknown, ProductNotPublished.
    """
    started = time.monotonic()
    product = _find(attempt, claim, fresh_since=0.0)
    proof = _try(claim, product, attempt.at)
    if proof.failure or product is None or not product.published:
        product = _find(attempt, claim, fresh_since=started)
        proof = _try(claim, product, attempt.at)
    return _judge(attempt, product, proof)


def _find(attempt: Attempt, claim: Claim, *, fresh_since: float) -> RegistrationProduct | None:
    try:
        attempt.product = find_for_registration(claim.product_key, at=attempt.at, fresh_since=fresh_since)
    except ProductUnknown:
        attempt.product = None
    attempt.secrets = attempt.product.secrets if attempt.product else ()
    return attempt.product


@dataclass(frozen=True, slots=True, repr=False)
class _Proof:
    """`fits`: the checked claim and the secret that it was made with; `failure`: why there is none."""

    fits: tuple[VerifiedClaim, str] | None = None
    failure: DomainError | None = None


def _try(claim: Claim, product: RegistrationProduct | None, at: datetime) -> _Proof:
    """Whoever is let in is answered at the first secret that fits. For all others every live secret is tried, and at least two, also after
    one has fitted."""
    live = product.secrets if product else ()
    proof = _Proof(failure=BadSignature("The product has no live secret."))
    for secret in (*live, *[NOBODYS_SECRET] * (PROOFS_AT_LEAST - len(live))):
        try:
            proof = _Proof((claim.verify(secret, at), secret))
        except DomainError as error:
            proof = proof if proof.fits or (live and secret is NOBODYS_SECRET) else _Proof(failure=error)
        else:
            if product is not None and product.published:
                return proof
    return proof


def _judge(attempt: Attempt, product: RegistrationProduct | None, proof: _Proof) -> tuple[RegistrationProduct, VerifiedClaim, str]:
    """What says nothing about the product comes first, so that its answer says nothing either."""
    if proof.failure and not isinstance(proof.failure, BadSignature):
        raise proof.failure
    if product is None:
        raise ProductUnknown
    attempt.passed("The product is known.")
    if not product.published:
        raise ProductNotPublished
    attempt.passed("The product is published.")
    if proof.fits is None:
        raise proof.failure or BadSignature()
    verified, product_secret = proof.fits
    attempt.passed("The proof was made with the product's secret.")
    if verified.notes:
        attempt.facts["notes"] = list(verified.notes)
    return product, verified, product_secret


def _note_other_protocol(attempt: Attempt, product: RegistrationProduct) -> None:
    spoken = attempt.protocol.partition("-")[0]
    if spoken not in ("native", product.wire_protocol):
        words = say(
            "The product is made for {made_for}, the device speaks {spoken}.", made_for=product.wire_protocol, spoken=attempt.protocol
        )
        attempt.facts["other_protocol"] = words


def _stored_name(product: RegistrationProduct, device_name: str) -> str:
    """Raises BadDeviceName."""
    try:
        return names.device_name(product.device_name_kind, wire_format(product.wire_protocol), device_name)
    except names.BadDeviceName as error:
        raise names.BadDeviceName(error.message, field="DeviceName") from None
