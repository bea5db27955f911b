"""Physical devices behind one preregistration-free name: who may have another ClientID, and what one looks like."""

from dataclasses import dataclass
from datetime import datetime

from console.words import say
from devices.rules.admission import DYNAMIC, DeviceDisabled, DynamicRegistrationOff, PerProductSecretOff, Refused, WrongAuthentication

MAX_ACTIVE = 5
"""Activated and allowed physical devices of one name (A9)."""
PENDING_AT_MOST = 20
"""ClientIDs of one name that were issued and never used: beyond it the oldest goes, so that firmware in a loop cannot fill the list."""
CLIENT_ID_LENGTH = 26
DEVICE_TOKEN_LENGTH = 32


class PreregistrationFreeOff(Refused):
    code = "preregistration_free_off"
    default_message = "Preregistration-free registration is not allowed for this product."


class ClientLimit(Refused):
    code = "client_limit"
    default_message = "Five physical devices are active under this DeviceName already."


class ClientIdSwitched(Refused):
    code = "client_id_switched"
    default_message = "An operator chose one ClientID for this DeviceName: no other may register until it is cleared."


@dataclass(frozen=True, slots=True)
class Switches:
    """The product's switches that matter to a preregistration-free device."""

    dynamic_registration: bool
    per_product_secret: bool
    preregistration_free: bool


@dataclass(frozen=True, slots=True)
class Name:
    """What a data center holds under the name."""

    authentication: str
    enabled: bool
    active: int
    switched_at: datetime | None


def may_be_issued(switches: Switches, *, device: Name | None, row_authentication: str | None) -> tuple[str, ...]:
    """The path of the checks, in whole sentences, when the name may have another ClientID. Raises a Refused with its path (A4, A9)."""
    path: tuple[str, ...] = ()
    for closed, refusal, passed in (
        (not switches.dynamic_registration, DynamicRegistrationOff, say("Dynamic registration is on.")),
        (not switches.per_product_secret, PerProductSecretOff, say("The per-product secret flashing method is enabled.")),
        (not switches.preregistration_free, PreregistrationFreeOff, say("Preregistration-free registration is allowed for the product.")),
        *_checks_of_the_name(device, row_authentication),
    ):
        if closed:
            raise refusal().after(path)
        path = (*path, passed)
    return path


def _checks_of_the_name(device: Name | None, row_authentication: str | None) -> list[tuple[bool, type[Refused], str]]:
    if device is None:
        static = row_authentication not in (None, DYNAMIC)
        return [(static, WrongAuthentication, say("The DeviceName is new in this data center."))]
    return [
        (not device.enabled, DeviceDisabled, say("The device is not disabled.")),
        (device.authentication != DYNAMIC, WrongAuthentication, say("It authenticates dynamically.")),
        (device.switched_at is not None, ClientIdSwitched, say("No ClientID was chosen for it.")),
        (device.active >= MAX_ACTIVE, ClientLimit, say("Fewer than five physical devices are active under the name.")),
    ]
