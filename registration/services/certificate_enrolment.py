"""A device that registers is answered with a certificate: what it asks for, the decision before anything is made, and what is made.

A certificate costs a signature, or a question to a CA elsewhere. So it is made for a device that would be let in as things stand, outside
of any transaction, and written down in the one that lets the device in; what that one refuses was handed to nobody.
"""

from dataclasses import dataclass, replace

from console.crypto.certificates import reading
from console.crypto.certificates.errors import CertificateError
from devices.rules import certificate_refusals, presented
from devices.services import certificate_handing
from devices.services.certificate_admission import Judge
from devices.services.certificate_handing import Asked
from products.models import DataCenter
from products.services import authorities, issuing, issuing_profiles
from products.services.issuing import Issued
from products.services.lookup import RegistrationProduct
from products.services.outside_ca import IssuingFailed
from registration.protocols import handing_out
from registration.protocols.base import Claim, asked_by
from registration.protocols.handing_out import Handed
from registration.services.certificate_auth import judge_of
from registration.services.device_log import Attempt
from registration.services.outcome import Outcome


@dataclass(frozen=True, slots=True, repr=False)
class Asking:
    """A proven claim whose DeviceName is right, and what is handed out to it."""

    attempt: Attempt
    data_center: DataCenter
    product: RegistrationProduct
    claim: Claim
    handed: Handed

    @property
    def entry(self) -> Asked:
        return Asked(self.data_center, self.product, self.attempt.device_name, self.attempt.at)


def chosen(claim: Claim, product: RegistrationProduct) -> Handed:
    """What the device is handed, if it is let in. Raises CsrMissing or CsrNotTaken."""
    asked = asked_by(claim)
    trusts_a_ca = bool(asked.own_certificate) and any(one.active for one in authorities.anchors(product.id))
    answers_with_certificate = issuing_profiles.answers_with_certificate(product.id)
    return handing_out.choose(asked, answers_with_certificate=answers_with_certificate, trusts_a_ca=trusts_a_ca)


def foresee(asking: Asking) -> tuple[str, ...]:
    """The path that `admit` would take as things stand, but for what is wrong with a CSR; or the DomainError that it would raise."""
    if asking.handed is Handed.OWN_CERTIFICATE:
        return certificate_handing.foresee(asking.entry, judge=_shown(asking))
    path = certificate_handing.foresee(asking.entry)
    issuing.check(asking.product.id, asking.attempt.device_name, at=asking.attempt.at)
    return path


def admit(asking: Asking, outcome: Outcome) -> None:
    """Raises the DomainError that refuses, and IntegrityError where a constraint forbids the nonce."""
    outcome.refuse_used_nonce(asking.data_center.database)
    if asking.handed is Handed.OWN_CERTIFICATE:
        judge = _shown(asking)
        certificate_handing.foresee(asking.entry, judge=judge)
        outcome.grant = replace(outcome.grant, own_certificate=True)
        certificate_handing.take(asking.entry, judge, beside=outcome.beside)
        return
    certificate_handing.foresee(asking.entry)
    issued = _issue(asking)
    _put(asking.attempt, issued, outcome)
    certificate_handing.hand_out(asking.entry, issued, beside=outcome.beside)


def _issue(asking: Asking) -> Issued:
    """Writes nothing. Raises NoIssuingCA, BadRequest (of the CSR), IssuingFailed."""
    csr = asked_by(asking.claim).csr if asking.handed is Handed.CERTIFICATE else None
    name, at = asking.attempt.device_name, asking.attempt.at
    return issuing.issue_for(product_id=asking.product.id, device_name=name, csr=csr, at=at, spellings=(asking.claim.device_name,))


def _put(attempt: Attempt, issued: Issued, outcome: Outcome) -> None:
    """Into the answer. Raises IssuingFailed for one that the device could not read."""
    found = issued.certificate
    attempt.secrets += (issued.private_key,)
    attempt.facts |= {"certificate": found.sha256, "serial_number": found.serial_hex}
    given = replace(outcome.grant, certificate=issued.certificate_pem, certificate_chain=issued.chain_pem)
    outcome.grant = replace(given, private_key=issued.private_key)
    try:
        outcome.protocol.accept(outcome.grant)
    except ValueError as error:
        raise IssuingFailed("The certificate and its key are longer than the buffers of the device's SDK.") from error


def _shown(asking: Asking) -> Judge:
    """The judgement of the certificate that the device sent, in which nothing but its possession is missing: that, its first connection
    shows. Raises a CertificateRefused."""
    attempt = asking.attempt
    try:
        chain = presented.read(reading.certificates_in(asked_by(asking.claim).own_certificate))
    except CertificateError as error:
        raise certificate_refusals.of_path(error).after(()) from None
    attempt.facts |= {"certificate": chain[0].sha256, "serial_number": chain[0].serial_hex}
    return judge_of(chain, asking.product, connecting_as=attempt.device_name, at=attempt.at)
