"""Who may connect with a credential of its own: from plain facts to a path or a refusal. The proof itself was checked before.

The local device decides if there is one, else the pre-import row (Q2); an issued ClientID decides for a preregistration-free device.
"""

from dataclasses import dataclass

from console.words import say
from devices.rules.admission import DeviceDisabled, Refused, WrongAuthentication

X509: str = "x509"
ALLOWED: str = "allowed"
IN_DEVICE_LIST: str = say("The DeviceName is in this data center's device list.")
IN_PRE_IMPORT_LIST: str = say("The DeviceName is in the pre-import list.")

UNKNOWN_CREATED: str = say("The DeviceName is unknown, and automatic creation is on.")
_NO_CERTIFICATE: str = say("The device authenticates with its DeviceSecret, and presented a certificate: its authentication is not X.509.")


class DeviceUnknown(Refused):
    code = "device_unknown"
    default_message = "Neither this data center's device list nor the pre-import list has this DeviceName."


class BadCredential(Refused):
    code = "bad_credential"
    default_message = "The password was not made with this device's own secret."


class ClientUnknown(Refused):
    code = "client_unknown"
    default_message = "This ClientID was not issued to this DeviceName here."


class ClientForbidden(Refused):
    code = "client_forbidden"
    default_message = "An operator has forbidden this ClientID to connect."


class ClientIdTaken(Refused):
    code = "client_id_taken"
    default_message = "Another device is connected at this broker under the same MQTT client id."


@dataclass(frozen=True, slots=True)
class Facts:
    """`in_list`: the data center's device list has the name, else only the pre-import row may have it (`authentication` is None when
    neither has). `identity`: the status of the ClientID that was presented, None where none of this id was issued.
    `client_id_taken`: another device is connected at the broker under this MQTT client id; let in, this one would inherit its session,
    and with it messages that were never meant for it."""

    in_list: bool
    authentication: str | None
    enabled: bool = True
    activated: bool = False
    identity: str | None = None
    identity_activated: bool = False
    client_id_taken: bool = False

    @property
    def settled(self) -> bool:
        """Nothing has to be written before the answer: the device was activated by an earlier connection."""
        return self.in_list and self.activated and (self.identity is None or self.identity_activated)


def may_connect(facts: Facts, *, by_token: bool) -> tuple[str, ...]:
    """The path of the checks in whole sentences. Raises a Refused with its path."""
    if facts.authentication is None:
        raise DeviceUnknown().after(())
    path = (IN_DEVICE_LIST if facts.in_list else IN_PRE_IMPORT_LIST,)
    if not facts.enabled:
        raise DeviceDisabled().after(path)
    if facts.client_id_taken:
        raise ClientIdTaken().after(path)
    if by_token:
        return _by_token(facts, path)
    if facts.authentication == X509:
        raise WrongAuthentication().after(path)
    return (*path, say("It authenticates with its DeviceSecret, and the secret is right."))


def may_present(facts: Facts, *, creates: bool) -> tuple[str, ...]:
    """Who may connect with a certificate of its own, whatever it is worth. `creates`: the product creates unknown devices automatically.

    The path of the checks in whole sentences. Raises a Refused with its path."""
    if facts.authentication is None and not creates:
        raise DeviceUnknown().after(())
    path = (_where(facts),)
    if not facts.enabled:
        raise DeviceDisabled().after(path)
    if facts.client_id_taken:
        raise ClientIdTaken().after(path)
    if facts.authentication is None:
        return path
    if facts.authentication != X509:
        raise WrongAuthentication(_NO_CERTIFICATE).after(path)
    return (*path, say("It authenticates with a certificate of its own."))


def _where(facts: Facts) -> str:
    if facts.authentication is None:
        return UNKNOWN_CREATED
    return IN_DEVICE_LIST if facts.in_list else IN_PRE_IMPORT_LIST


def _by_token(facts: Facts, path: tuple[str, ...]) -> tuple[str, ...]:
    if facts.identity is None:
        raise ClientUnknown().after(path)
    if facts.identity != ALLOWED:
        raise ClientForbidden().after((*path, say("The DeviceToken is right.")))
    return (*path, say("The DeviceToken is right, and its ClientID is allowed."))
