"""The extensions that mean something here, read once (RFC 5280, 4.2.1). Of the others the OID is kept, and whether it is critical."""

from dataclasses import dataclass
from typing import Final, TypeVar

from cryptography import x509

from console.crypto.certificates import names
from console.crypto.certificates.certificate import AlternativeNames

_USAGES: Final = {
    "digital_signature": "digitalSignature",
    "content_commitment": "contentCommitment",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}
Kind = TypeVar("Kind", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True)
class Extensions:
    """Fields as in Certificate."""

    is_ca: bool
    path_length: int | None
    key_usages: frozenset[str] | None
    extended_key_usages: frozenset[str] | None
    subject_key_identifier: str
    authority_key_identifier: str
    alternative_names: AlternativeNames
    critical: frozenset[str]
    all: frozenset[str]


def read(found: x509.Extensions) -> Extensions:
    """Raises what the library raises."""
    basic = value(found, x509.BasicConstraints)
    usage = value(found, x509.KeyUsage)
    extended = value(found, x509.ExtendedKeyUsage)
    subject_key = value(found, x509.SubjectKeyIdentifier)
    authority_key = value(found, x509.AuthorityKeyIdentifier)
    alternative = value(found, x509.SubjectAlternativeName)
    return Extensions(
        is_ca=basic is not None and basic.ca,
        path_length=basic.path_length if basic else None,
        key_usages=None if usage is None else frozenset(name for attribute, name in _USAGES.items() if getattr(usage, attribute)),
        extended_key_usages=None if extended is None else frozenset(oid.dotted_string for oid in extended),
        subject_key_identifier=subject_key.digest.hex() if subject_key else "",
        authority_key_identifier=(authority_key.key_identifier or b"").hex() if authority_key else "",
        alternative_names=names.alternative(alternative) if alternative else AlternativeNames(),
        critical=frozenset(one.oid.dotted_string for one in found if one.critical),
        all=frozenset(one.oid.dotted_string for one in found),
    )


def value(found: x509.Extensions, kind: type[Kind]) -> Kind | None:
    try:
        return found.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
