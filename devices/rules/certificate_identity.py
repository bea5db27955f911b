"""Which device a certificate is of: its DeviceName, from the one place that the product chose. Two names are no name."""

from enum import StrEnum

from console.crypto.certificates.certificate import Certificate, shown
from console.words import say
from devices.rules.certificate_refusals import NameAmbiguous, NameMissing


class Identity(StrEnum):
    """Where in a device's certificate its DeviceName stands; each product chooses one."""

    COMMON_NAME = "common_name"
    ALTERNATIVE_NAME = "alternative_name"
    """The only name of the SubjectAltName, a DNS name."""
    SERIAL_NUMBER = "serial_number"
    """The subject's attribute serialNumber (2.5.4.5, where IEEE 802.1AR has it), not the certificate's own number."""


def name_in(leaf: Certificate, identity: Identity) -> str:
    """The DeviceName as the certificate has it, not normalised. Raises NameMissing or NameAmbiguous."""
    found = _names_in(leaf, identity)
    if len(found) > 1:
        words = "The certificate has {count} names where its DeviceName is looked for ({names}), and needs exactly one."
        raise NameAmbiguous(say(words, count=len(found), names=shown(", ".join(found))[:200])).after(())
    if not found or not found[0].strip():
        raise NameMissing(_MISSING[identity]).after(())
    if not found[0].isprintable():
        raise NameMissing(say("The name in the certificate has characters that cannot be shown: {name}.", name=shown(found[0]))).after(())
    return found[0]


_MISSING = {
    Identity.COMMON_NAME: say("The certificate's subject has no common name (CN), where this product's DeviceNames stand."),
    Identity.ALTERNATIVE_NAME: say(
        "The certificate's subject alternative name is not one DNS name, where this product's DeviceNames stand."
    ),
    Identity.SERIAL_NUMBER: say("The certificate's subject has no serialNumber, where this product's DeviceNames stand."),
}


def _names_in(leaf: Certificate, identity: Identity) -> tuple[str, ...]:
    if identity is Identity.COMMON_NAME:
        return leaf.common_names
    if identity is Identity.SERIAL_NUMBER:
        return leaf.subject_serial_numbers
    names = leaf.alternative_names
    return names.dns if len(names.all) == 1 else names.all
