"""Why a TLS handshake failed, in the words of the device log.

A device's certificate that leads to no CA certificate on file is refused by OpenSSL, before the device has said its name over MQTT: the
log knows its address and the reason. OpenSSL's numbers are those of x509_vfy.h; its own words are kept as the fact `tls`.
"""

import ssl
from collections.abc import Mapping
from typing import Final

from console.errors import DomainError
from console.words import say
from devices.rules import certificate_refusals as refusals
from devices.rules.certificate_refusals import CertificateRefused
from registration.services.turned_away import HandshakeFailed

NOT_FOR_CLIENTS: Final = say(
    "The certificate is not for a TLS client: its key usage lacks digitalSignature, or its extended key usage clientAuth."
)
SELF_SIGNED: Final = say("The certificate is signed by itself, and by no CA certificate that is on file here.")
OF_OPENSSL: Final[Mapping[int, tuple[type[CertificateRefused], str]]] = {
    2: (refusals.UnknownIssuer, ""),
    7: (refusals.BadCertificateSignature, ""),
    18: (refusals.UnknownIssuer, SELF_SIGNED),
    19: (refusals.UnknownIssuer, ""),
    20: (refusals.UnknownIssuer, ""),
    21: (refusals.UnknownIssuer, ""),
    22: (refusals.PathTooLong, ""),
    25: (refusals.PathLengthExceeded, ""),
    26: (refusals.WrongExtendedKeyUsage, NOT_FOR_CLIENTS),
    32: (refusals.KeyCertSignMissing, ""),
    34: (refusals.UnknownCriticalExtension, ""),
    47: (refusals.NameConstraintViolated, ""),
    48: (refusals.NameConstraintViolated, ""),
    51: (refusals.NameConstraintUnsupported, ""),
    52: (refusals.NameConstraintUnsupported, ""),
    53: (refusals.NameConstraintUnsupported, ""),
    66: (refusals.WeakKey, ""),
    67: (refusals.WeakKey, ""),
    68: (refusals.WeakSignature, ""),
    79: (refusals.NotAnAuthority, ""),
}
"""Where OpenSSL's sentence is narrower or wider than ours, the sentence to say; else the refusal's own."""


def refusal(error: ssl.SSLError) -> DomainError:
    """What the log says of it."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return HandshakeFailed(facts={"tls": str(error.reason or "")})
    kind, words = OF_OPENSSL.get(error.verify_code, (CertificateRefused, ""))
    return kind(words, facts={"tls": error.verify_message})
