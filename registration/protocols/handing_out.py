"""What an accepted device is handed: a secret, or a certificate. Decided on plain values, the same way for every scheme."""

from enum import Enum

from console.errors import DomainError
from registration.protocols.base import Asked


class CsrMissing(DomainError):
    """Certificates are handed out to those who ask with a request for their own key."""

    code = "csr_missing"
    default_message = "The product's devices are handed certificates, and the request has none to sign (CSR)."


class CsrNotTaken(DomainError):
    """The product hands out secrets."""

    code = "csr_not_taken"
    default_message = "The request asks for a certificate, and the product's devices are handed secrets."


class Handed(Enum):
    """OWN_CERTIFICATE: the device has sent the certificate that it will connect with, and is told that it was accepted."""

    KEY = "secret"
    CERTIFICATE = "certificate"
    KEY_AND_CERTIFICATE = "key and certificate"
    OWN_CERTIFICATE = "own certificate"


def choose(asked: Asked, *, answers_with_certificate: bool, trusts_a_ca: bool) -> Handed:
    """`answers_with_certificate`: the product's setting; `trusts_a_ca`: it has an active CA certificate. Raises CsrMissing or CsrNotTaken.

    A certificate that came with a request counts where some could be good; else it is passed over, as Tencent's cloud does at a product of
    keys. A CSR is not: whoever sends one has thrown away nothing yet and would be left without what it asked for.
    """
    if asked.own_certificate and (answers_with_certificate or trusts_a_ca):
        return Handed.OWN_CERTIFICATE
    if not answers_with_certificate:
        if asked.csr:
            raise CsrNotTaken
        return Handed.KEY
    if asked.csr:
        return Handed.CERTIFICATE
    if asked.takes_key:
        return Handed.KEY_AND_CERTIFICATE
    raise CsrMissing
