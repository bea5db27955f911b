"""Distinguished names and alternative names as texts that can be shown."""

from cryptography import x509

from console.crypto.certificates.certificate import AlternativeNames, shown
from console.crypto.certificates.errors import BadField


def text(name: x509.Name) -> str:
    """RFC 4514, the last RDN first."""
    return shown(name.rfc4514_string())


def values(name: x509.Name, oid: x509.ObjectIdentifier) -> tuple[str, ...]:
    """Of this attribute, in the order of the name. Raises BadField."""
    found = tuple(one.value for one in name.get_attributes_for_oid(oid))
    return tuple(_as_text(one) for one in found)


def alternative(general_names: x509.GeneralNames | x509.SubjectAlternativeName) -> AlternativeNames:
    by_kind = {
        kind: tuple(shown(str(one)) for one in general_names.get_values_for_type(kind))
        for kind in (x509.DNSName, x509.UniformResourceIdentifier, x509.RFC822Name, x509.IPAddress)
    }
    return AlternativeNames(
        dns=by_kind[x509.DNSName],
        uri=by_kind[x509.UniformResourceIdentifier],
        email=by_kind[x509.RFC822Name],
        ip=by_kind[x509.IPAddress],
        directory=tuple(text(one) for one in general_names.get_values_for_type(x509.DirectoryName)),
        registered_id=tuple(one.dotted_string for one in general_names.get_values_for_type(x509.RegisteredID)),
        other=tuple((one.type_id.dotted_string, one.value.hex()) for one in general_names if isinstance(one, x509.OtherName)),
    )


def _as_text(value: object) -> str:
    if not isinstance(value, str):
        raise BadField("An attribute of the certificate's subject is not a text.", field="subject")
    return value
