"""What a CA certificate of a product must be, and how its owner proves to have its private key.

Source: Quectel, Device CA Certificate (v3, 1 MB, a random code of the form of a UUID, seven days, a certificate with it as CN signed by
the CA). That page also asks for a subject and an authority key identifier. Here a missing one is a warning and no error: paths are found by
names and signatures, RFC 5280, 4.2.1.1 lets a self-signed certificate leave the latter out, and older private CAs lack both; but where
two CA certificates bear one name, tools need them to tell which one issued. The page's "direct issuer only" is not followed:
intermediate certificates work (console/crypto/certificates/chains.py).
"""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from console.crypto.certificates import algorithms, links
from console.crypto.certificates.certificate import Certificate
from console.crypto.certificates.errors import NotTrusted
from console.words import Sentence, say
from products.rules.authority_errors import (
    AuthorityExpired,
    AuthorityRefused,
    AuthorityUnsupported,
    AuthorityWeak,
    CodeExpired,
    CodeUsed,
    MayNotSign,
    NotACa,
    NotVersion3,
    ProofIsCa,
    ProofNotValidNow,
    ProofOfAnotherCa,
    ProofRefused,
    ProofSignatureWrong,
    ProofWithoutCode,
    SelfSignatureWrong,
    WrongPurpose,
)

__all__ = ["AuthorityRefused", "Examination", "ProofCode", "ProofRefused", "check", "check_proof", "examine", "new_code"]
RandomBytes = Callable[[int], bytes]
CODE_LIFETIME: Final = timedelta(days=7)
CODE_FORM: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Examination:
    """`problems`: why it cannot be used, all of them; with one, it is not stored. `warnings`: whole sentences."""

    problems: tuple[AuthorityRefused, ...]
    warnings: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class ProofCode:
    """As stored with the CA certificate. `text`: 36 characters; `used_at`: None until a proof was accepted with it."""

    text: str
    made_at: datetime
    used_at: datetime | None = None

    @property
    def expires_at(self) -> datetime:
        return self.made_at + CODE_LIFETIME


def examine(certificate: Certificate, *, at: datetime) -> Examination:
    return Examination(tuple(_problems(certificate, at)), tuple(_warnings(certificate, at)))


def check(certificate: Certificate, *, at: datetime) -> tuple[Sentence, ...]:
    """The warnings. Raises the first problem, an AuthorityRefused."""
    found = examine(certificate, at=at)
    if found.problems:
        raise found.problems[0]
    return found.warnings


def new_code(random: RandomBytes) -> str:
    """128 random bits as 32 lower-case hex digits, in the groups of a UUID (it has no version digit: all of it is random)."""
    digits = random(16).hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def check_proof(verification: Certificate, authority: Certificate, code: ProofCode, *, at: datetime) -> None:
    """That the verification certificate was made for this code with the CA's private key. Raises a ProofRefused.

    The caller marks the code as used in the same transaction, by a conditional update."""
    if code.used_at is not None:
        raise CodeUsed
    if at >= code.expires_at:
        raise CodeExpired(say("The code expired on {moment}: have a new one made.", moment=links.moment(code.expires_at)))
    if verification.is_ca:
        raise ProofIsCa
    if verification.issuer_bytes != authority.subject_bytes:
        raise ProofOfAnotherCa(
            say(
                "The verification certificate was issued by {issuer}, and the CA is {ca}.", issuer=verification.issuer, ca=authority.subject
            )
        )
    try:
        algorithms.check_signature(verification)
    except NotTrusted as error:
        raise ProofSignatureWrong(error.message) from error
    if not algorithms.is_signed_by(verification, authority):
        raise ProofSignatureWrong
    if not verification.not_before <= at <= verification.not_after:
        raise ProofNotValidNow(
            say(
                "The verification certificate is valid from {begin} to {end}, and not now.",
                begin=links.moment(verification.not_before),
                end=links.moment(verification.not_after),
            )
        )
    _check_code(verification, code.text)


def _check_code(verification: Certificate, code: str) -> None:
    if len(verification.common_names) != 1:
        words = "The verification certificate has {count} common names (CN), and needs one: the code."
        raise ProofWithoutCode(say(words, count=len(verification.common_names)))
    given = verification.common_names[0].strip().lower()
    if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), code.encode()):
        raise ProofWithoutCode


def _problems(certificate: Certificate, at: datetime) -> list[AuthorityRefused]:
    found: list[AuthorityRefused] = []
    if certificate.version != 3:
        found.append(
            NotVersion3(say("The certificate is of version {version}; a CA certificate is of version 3.", version=certificate.version))
        )
    if not certificate.is_ca:
        found.append(NotACa())
    if certificate.key_usages is not None and "keyCertSign" not in certificate.key_usages:
        found.append(MayNotSign())
    if certificate.extended_key_usages is not None and not {links.CLIENT_AUTH, links.ANY_USAGE} & certificate.extended_key_usages:
        found.append(WrongPurpose())
    if at > certificate.not_after:
        found.append(AuthorityExpired(say("The CA certificate expired on {moment}.", moment=links.moment(certificate.not_after))))
    for rule, refusal in (
        (algorithms.check_key, AuthorityWeak),
        (algorithms.check_signature, AuthorityWeak),
        (links.check_critical_extensions, AuthorityUnsupported),
    ):
        try:
            rule(certificate)
        except NotTrusted as error:
            found.append(refusal(error.message))
    if certificate.is_self_issued and not found and not algorithms.is_signed_by(certificate, certificate):
        found.append(SelfSignatureWrong())
    return found


def _warnings(certificate: Certificate, at: datetime) -> list[Sentence]:
    found = []
    if at < certificate.not_before:
        found.append(
            say(
                "The CA certificate is not valid before {moment}; until then it admits nobody.", moment=links.moment(certificate.not_before)
            )
        )
    if not certificate.subject_key_identifier:
        found.append(
            say("The CA certificate has no subject key identifier: after a change of its key, tools cannot tell which one issued.")
        )
    if not certificate.authority_key_identifier and not certificate.is_self_issued:
        found.append(say("The CA certificate has no authority key identifier, which some vendors' clouds ask for."))
    if certificate.is_ca and links.BASIC_CONSTRAINTS not in certificate.critical_extensions:
        found.append(say("The basic constraints of the CA certificate are not critical, as RFC 5280 wants them."))
    if certificate.is_ca and certificate.key_usages is None:
        found.append(say("The CA certificate has no key usage: nothing limits what its key may sign."))
    return found
