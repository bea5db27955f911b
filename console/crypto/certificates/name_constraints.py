"""Which names a CA may certify (RFC 5280, 4.2.1.10): DNS names, directory names and IP addresses are compared.

Another form (mail addresses, URIs, otherName) that a CA constrains and a certificate below it has, is refused with its name: it must be
processed or refused. So are a minimum above zero and a maximum, which nothing uses. A CN is no DNS name here: where DeviceNames stand in
the CN, a CA is held to some of them by directory names only.
"""

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from console.crypto.certificates import der, extensions
from console.crypto.certificates.certificate import Certificate, shown
from console.crypto.certificates.errors import NameConstraintUnsupported, NameConstraintViolated
from console.words import say

_OID: Final = ExtensionOID.NAME_CONSTRAINTS.dotted_string
_FORMS: Final = {
    x509.DNSName: "DNS",
    x509.DirectoryName: "directoryName",
    x509.IPAddress: "IP",
    x509.RFC822Name: "email",
    x509.UniformResourceIdentifier: "URI",
    x509.OtherName: "otherName",
    x509.RegisteredID: "registeredID",
}
_OID_BYTES: Final = bytes.fromhex("551d1e")
_EXTENSIONS: Final = 0xA3
"""The tag of a certificate's extensions."""


def check(authority: Certificate, below: Sequence[Certificate]) -> None:
    """`below`: the leaf first; a certificate that a CA issued to itself is exempt unless it is the leaf.

    Raises NameConstraintViolated or NameConstraintUnsupported."""
    if _OID not in authority.extensions:
        return
    constraints = x509.load_der_x509_certificate(authority.der).extensions.get_extension_for_class(x509.NameConstraints).value
    if _has_bounds(authority.der):
        raise NameConstraintUnsupported(say("The CA {ca} constrains names with a minimum or maximum.", ca=authority.shown_as))
    permitted, excluded = list(constraints.permitted_subtrees or ()), list(constraints.excluded_subtrees or ())
    for index, certificate in enumerate(below):
        if not index or not certificate.is_self_issued:
            for name in _names(certificate):
                _check_name(authority, name, permitted, excluded)


def _check_name(
    authority: Certificate, name: x509.GeneralName, permitted: list[x509.GeneralName], excluded: list[x509.GeneralName]
) -> None:
    form = _FORMS[type(name)]
    allowing = [one for one in permitted if type(one) is type(name)]
    forbidding = [one for one in excluded if type(one) is type(name)]
    within = _WITHIN.get(type(name))
    if (allowing or forbidding) and within is None:
        raise NameConstraintUnsupported(
            say(
                "The CA {ca} constrains names of the form {form}, which is not processed here, and a certificate below it has such a name.",
                ca=authority.shown_as,
                form=form,
            )
        )
    if within is None:
        return
    outside = bool(allowing) and not any(within(name.value, one.value) for one in allowing)
    if outside or any(within(name.value, one.value) for one in forbidding):
        raise NameConstraintViolated(
            say("The CA {ca} may not certify the name {name} ({form}).", ca=authority.shown_as, name=_shown(name), form=form)
        )


def _names(certificate: Certificate) -> Iterable[x509.GeneralName]:
    """The subject, the mail addresses in it, and the SubjectAltName."""
    loaded = x509.load_der_x509_certificate(certificate.der)
    if list(loaded.subject):
        yield x509.DirectoryName(loaded.subject)
    if loaded.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS):
        yield x509.RFC822Name("in@the.subject")
    yield from extensions.value(loaded.extensions, x509.SubjectAlternativeName) or ()


def _dns_within(name: str, base: str) -> bool:
    name, base = name.lower().rstrip("."), base.lower().rstrip(".")
    return not base or name == base or name.endswith(base if base.startswith(".") else f".{base}")


def _directory_within(name: x509.Name, base: x509.Name) -> bool:
    return _compared(name)[: len(base.rdns)] == _compared(base)


def _compared(name: x509.Name) -> list[frozenset[tuple[str, Any]]]:
    """Without case and with single blanks, so that no other spelling slips past what is excluded."""
    return [
        frozenset(
            (one.oid.dotted_string, " ".join(one.value.split()).casefold() if isinstance(one.value, str) else one.value) for one in rdn
        )
        for rdn in name.rdns
    ]


def _ip_within(address: IPv4Address | IPv6Address, base: IPv4Network | IPv6Network) -> bool:
    return address.version == base.version and address in base


_WITHIN: Final[dict[type, Callable[[Any, Any], bool]]] = {
    x509.DNSName: _dns_within,
    x509.DirectoryName: _directory_within,
    x509.IPAddress: _ip_within,
}


def _shown(name: x509.GeneralName) -> str:
    value = name.value
    return shown(value.rfc4514_string() if isinstance(value, x509.Name) else str(value))


def _has_bounds(data: bytes) -> bool:
    """Whether a subtree of the extension has more than its base; the library reads over it."""
    to_be_signed = next(der.children(data, der.element(data, 0, len(data))))
    tagged = next(one for one in der.children(data, to_be_signed) if one.tag == _EXTENSIONS)
    for one in der.children(data, next(der.children(data, tagged))):
        oid, *_, value = der.children(data, one)
        if data[oid.inner : oid.end] == _OID_BYTES:
            trees = der.children(data, der.element(data, value.inner, value.end))
            return any(len(list(der.children(data, subtree))) > 1 for tree in trees for subtree in der.children(data, tree))
    return False
