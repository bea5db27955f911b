"""What each certificate of a path must be (RFC 5280, 6.1.3 and 6.1.4). The signatures hold already.

Device's certificate: no CA's; with a key usage, digitalSignature is in it (TLS signs with the key); with an extended key usage, clientAuth
is in it, and anyExtendedKeyUsage does not stand in for it, as with OpenSSL. CA certificate: CA:TRUE; with a key usage, keyCertSign; with
an extended key usage, clientAuth or anyExtendedKeyUsage. Without these extensions nothing is limited: private CAs often leave them out.
"""

from datetime import datetime
from typing import Final

from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from console.crypto.certificates import algorithms, name_constraints
from console.crypto.certificates.certificate import Certificate
from console.crypto.certificates.errors import (
    AuthorityAsLeaf,
    Expired,
    KeyCertSignMissing,
    NotAnAuthority,
    NotYetValid,
    PathLengthExceeded,
    UnknownCriticalExtension,
    WrongExtendedKeyUsage,
    WrongKeyUsage,
)
from console.words import say

CLIENT_AUTH: Final = ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string
ANY_USAGE: Final = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string
BASIC_CONSTRAINTS: Final = ExtensionOID.BASIC_CONSTRAINTS.dotted_string
PROCESSED: Final = frozenset(
    oid.dotted_string
    for oid in (
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.CERTIFICATE_POLICIES,
    )
)
"""May be critical. Certificate policies limit nothing as long as nobody asks for one."""


def check(path: tuple[Certificate, ...], at: datetime) -> None:
    """Raises a NotTrusted; the links are looked at from the leaf upward."""
    for index, certificate in enumerate(path):
        check_dates(certificate, at)
        algorithms.check_key(certificate)
        check_critical_extensions(certificate)
        if index:
            _check_authority(certificate, sum(not one.is_self_issued for one in path[1:index]))
            name_constraints.check(certificate, path[:index])


def check_leaf(leaf: Certificate) -> None:
    """What needs no issuer. Raises a NotTrusted."""
    if leaf.is_ca:
        raise AuthorityAsLeaf(say("{name} is a CA certificate: it was presented as a device's own.", name=leaf.shown_as))
    if leaf.key_usages is not None and "digitalSignature" not in leaf.key_usages:
        raise WrongKeyUsage(
            say("The key usage of {name} does not include digitalSignature: with such a key no TLS connection is made.", name=leaf.shown_as)
        )
    if leaf.extended_key_usages is not None and CLIENT_AUTH not in leaf.extended_key_usages:
        raise WrongExtendedKeyUsage(
            say("The extended key usage of {name} does not include clientAuth: it was issued for another purpose.", name=leaf.shown_as)
        )


def check_dates(certificate: Certificate, at: datetime) -> None:
    """Raises Expired or NotYetValid."""
    if at > certificate.not_after:
        raise Expired(
            say("{name} has expired: it was valid until {moment}.", name=certificate.shown_as, moment=moment(certificate.not_after))
        )
    if at < certificate.not_before:
        raise NotYetValid(
            say("{name} is not valid yet: it becomes so on {moment}.", name=certificate.shown_as, moment=moment(certificate.not_before))
        )


def check_critical_extensions(certificate: Certificate) -> None:
    """Raises UnknownCriticalExtension."""
    if unknown := sorted(certificate.critical_extensions - PROCESSED):
        words = "{name} has the critical extension {oid}, which is not processed here."
        raise UnknownCriticalExtension(say(words, name=certificate.shown_as, oid=unknown[0]))


def moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _check_authority(certificate: Certificate, below: int) -> None:
    """`below`: how many certificates stand between it and the leaf, without those that a CA issued to itself."""
    if not certificate.is_ca:
        raise NotAnAuthority(
            say(
                "{name} is no CA certificate (CA:TRUE is missing in it), but another certificate was issued with its key.",
                name=certificate.shown_as,
            )
        )
    if certificate.key_usages is not None and "keyCertSign" not in certificate.key_usages:
        raise KeyCertSignMissing(say("The key usage of the CA certificate {name} does not include keyCertSign.", name=certificate.shown_as))
    if certificate.extended_key_usages is not None and not {CLIENT_AUTH, ANY_USAGE} & certificate.extended_key_usages:
        raise WrongExtendedKeyUsage(
            say(
                "The extended key usage of the CA certificate {name} does not include clientAuth: it issues for another purpose.",
                name=certificate.shown_as,
            )
        )
    if certificate.path_length is not None and below > certificate.path_length:
        raise PathLengthExceeded(
            say(
                "The CA certificate {name} allows {allowed} intermediate certificates below it, and there are {below}.",
                name=certificate.shown_as,
                allowed=certificate.path_length,
                below=below,
            )
        )
