"""What an accepted device is answered, and what is stored together with its registration: its nonce and its log entry."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from console.errors import DomainError
from console.shared.statements import Into, Row, Statement
from console.words import say
from devices.services.admission import Admission
from devices.services.client_ids import Issued
from registration.decision_codes import DecisionCode
from registration.models import UsedNonce
from registration.protocols.base import Grant, RegistrationProtocol, Reply, VerifiedClaim
from registration.services import device_log
from registration.services.device_log import Attempt

log = logging.getLogger(__name__)

NONCE: Final = Into.columns(UsedNonce, "product", "nonce", "expires_at")
USE_NONCE: Final = Statement(f"{NONCE.text} WHERE true ON CONFLICT DO NOTHING")
FRESH: Final = say("The nonce was not used before.")


class NonceUsed(DomainError):
    """A proof that was shown before."""

    code = "nonce_used"
    default_message = "The nonce was used before: this is a repeated request."


@dataclass(slots=True, repr=False)
class Outcome:
    """`grant`: as yet without its credential. `nonce`: its row, where the scheme forbids its return."""

    attempt: Attempt
    protocol: RegistrationProtocol
    grant: Grant
    nonce: Row | None
    reply: Reply = field(default_factory=lambda: Reply(b""))

    def beside(self, let_in: Admission | Issued) -> Sequence[Row]:
        """The rows that are stored with the registration or not at all. The answer is made here, before anything is written: raises what
        the scheme cannot answer with. An entry that cannot be made is told to the server's log, and the device's answer stands."""
        rows = (self.nonce,) if self.nonce else ()
        path = (FRESH, *let_in.path) if self.nonce else let_in.path
        if isinstance(let_in, Issued):
            client_id, secret = let_in.client_id, let_in.device_token
            grant = replace(self.grant, client_id=client_id, device_token=secret, is_new=let_in.is_new)
        else:
            client_id, secret = "", let_in.device_secret
            grant = replace(self.grant, device_secret=secret, is_new=let_in.is_new)
        self.reply = self.protocol.accept(grant)
        try:
            entry = device_log.entry(self.attempt, DecisionCode.ACCEPTED, path=path, client_id=client_id, secrets=(secret,))
        except Exception:
            log.exception("A device log entry could not be made: %s", self.attempt.request_id)
            return rows
        return (*rows, entry)

    def refuse_used_nonce(self, database: str) -> None:
        """Before anything is made for a device whose request was seen before. Raises NonceUsed; only what is stored later decides."""
        if self.nonce is None:
            return
        product_id, nonce, _expires_at = self.nonce.values
        if UsedNonce.objects.using(database).filter(product_id=product_id, nonce=nonce).exists():
            raise NonceUsed

    def use_nonce(self, database: str) -> None:
        """That of a device which is refused. Raises NonceUsed (constraint used_nonce_once)."""
        if self.nonce is None:
            return
        if not USE_NONCE.change(database, self.nonce.values):
            raise NonceUsed from None
        self.attempt.passed(FRESH)


def nonce(verified: VerifiedClaim, product_id: int) -> Row | None:
    """The row of a scheme's nonce; None for a scheme that lets it return."""
    if not verified.nonce or verified.nonce_until is None:
        return None
    return Row(NONCE, (product_id, verified.nonce, verified.nonce_until))
