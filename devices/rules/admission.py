"""Who may register: the admission table, from plain facts to a verdict or a refusal.

The sentences of a path are fixed texts, stored in English and translated when they are shown.
"""

from dataclasses import dataclass
from enum import Enum

from console.errors import DomainError
from console.words import say


class Refused(DomainError):
    """The registration is refused. `path` is what was checked before, in whole sentences; the last one says why."""

    path: tuple[str, ...] = ()

    def after(self, path: tuple[str, ...]) -> "Refused":
        self.path = (*path, self.message)
        return self


class DynamicRegistrationOff(Refused):
    code = "dynamic_registration_off"
    default_message = "Dynamic registration is off for this product."


class PerProductSecretOff(Refused):
    code = "per_product_secret_off"
    default_message = "The per-product secret flashing method is disabled for this product."


class DeviceDisabled(Refused):
    code = "device_disabled"
    default_message = "The device is disabled in this data center."


class AlreadyActivated(Refused):
    code = "already_activated"
    default_message = "The device is already activated here: reset it, or delete it and add it anew."


class AlreadyRegistered(Refused):
    code = "already_registered"
    default_message = "The device has already registered, and this product lets a device register once: reset it."


class WrongAuthentication(Refused):
    code = "wrong_authentication"
    default_message = "The device authenticates otherwise: it is static or has a certificate of its own."


class NotImported(Refused):
    code = "not_imported"
    default_message = "The DeviceName is not in the pre-import list, and automatic creation is off."


class AutoCreateLimit(Refused):
    code = "auto_create_limit"
    default_message = "The DeviceName is unknown, and the limit of automatic creation is reached."


class Verdict(Enum):
    """What the service shall do, each by an insert or a conditional update that may lose a race (then it asks again)."""

    HAND_OUT = "hand out the device's secret"
    MAKE_FROM_ROW = "make the device from its pre-import row, hand out its secret"
    CREATE = "create the device, hand out a new secret"


class Handing(Enum):
    """What an admitted device gets, and connects with from then on. CERTIFICATE: one that is issued here; OWN_CERTIFICATE: nothing, since
    it has brought the one that it will connect with."""

    SECRET = "secret"  # noqa: S105
    CERTIFICATE = "certificate"
    OWN_CERTIFICATE = "own certificate"


OUTCOMES = {
    Verdict.HAND_OUT: say("It was handed its DeviceSecret."),
    Verdict.MAKE_FROM_ROW: say("It was added to the device list and handed its DeviceSecret."),
    Verdict.CREATE: say("The device was created within the limit and handed its DeviceSecret."),
}
"""The last sentence of the path, when the service has done it."""
CERTIFICATE_OUTCOMES = {
    Verdict.HAND_OUT: say("It was handed a certificate, and connects with a certificate from now on."),
    Verdict.MAKE_FROM_ROW: say("It was added to the device list and handed a certificate, which it connects with."),
    Verdict.CREATE: say("The device was created within the limit and handed a certificate, which it connects with."),
}
OWN_CERTIFICATE_OUTCOMES = {
    Verdict.HAND_OUT: say("The certificate that it brought was accepted: it connects with that one from now on."),
    Verdict.MAKE_FROM_ROW: say("It was added to the device list, and the certificate that it brought was accepted."),
    Verdict.CREATE: say("The device was created within the limit, and the certificate that it brought was accepted."),
}


def outcome(verdict: Verdict, handing: Handing) -> str:
    by_handing = {Handing.SECRET: OUTCOMES, Handing.CERTIFICATE: CERTIFICATE_OUTCOMES, Handing.OWN_CERTIFICATE: OWN_CERTIFICATE_OUTCOMES}
    return by_handing[handing][verdict]


@dataclass(frozen=True, slots=True)
class Policy:
    """The product's switches."""

    per_product_secret: bool
    dynamic_registration: bool
    auto_create: bool
    once: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What this data center holds under the name. `was_issued`: the device was handed a certificate here at an earlier registration."""

    authentication: str
    enabled: bool
    registered: bool
    activated: bool
    was_issued: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    verdict: Verdict
    path: tuple[str, ...]


DYNAMIC: str = "dynamic"
X509: str = "x509"
_AUTHENTICATES_DYNAMICALLY = say("It authenticates dynamically.")
_WAS_ISSUED = say("It authenticates with a certificate that it was handed at an earlier registration.")
_BRINGS_ITS_OWN = say("It authenticates with a certificate of its own, and has brought one.")


class _Path:
    """Collects the sentences, and adds them to a refusal."""

    def __init__(self) -> None:
        self.steps: tuple[str, ...] = ()

    def passed(self, sentence: str) -> None:
        self.steps = (*self.steps, sentence)

    def refuse_if(self, condition: bool, refusal: type[Refused]) -> None:
        if condition:
            raise refusal().after(self.steps)


def decide(policy: Policy, *, device: Known | None, row_authentication: str | None, handing: Handing = Handing.SECRET) -> Decision:
    """`device`: what the data center's list holds under the name; `row_authentication`: that of the pre-import row.

    Either is None where there is none. Raises a Refused with its path.
    """
    path = _Path()
    path.refuse_if(not policy.dynamic_registration, DynamicRegistrationOff)
    path.passed("Dynamic registration is on.")
    path.refuse_if(not policy.per_product_secret, PerProductSecretOff)
    path.passed("The per-product secret flashing method is enabled.")
    if device is not None:
        return _known_here(policy, device, handing, path)
    if row_authentication is not None:
        path.passed("The DeviceName is in the pre-import list and new in this data center.")
        _check_authentication(row_authentication, handing, path, was_issued=False)
        return Decision(Verdict.MAKE_FROM_ROW, path.steps)
    path.refuse_if(not policy.auto_create, NotImported)
    path.passed("The DeviceName is unknown, and automatic creation is on.")
    return Decision(Verdict.CREATE, path.steps)


def _known_here(policy: Policy, device: Known, handing: Handing, path: _Path) -> Decision:
    path.passed("The DeviceName is in this data center's device list.")
    path.refuse_if(not device.enabled, DeviceDisabled)
    _check_authentication(device.authentication, handing, path, was_issued=device.was_issued)
    path.refuse_if(device.activated, AlreadyActivated)
    path.passed("It is not activated.")
    path.refuse_if(policy.once and device.registered, AlreadyRegistered)
    return Decision(Verdict.HAND_OUT, path.steps)


def _check_authentication(authentication: str, handing: Handing, path: _Path, *, was_issued: bool) -> None:
    """Who was handed a certificate may come again, whatever the product hands out by now. A certificate that was burned in is not replaced
    by one that anybody with the ProductSecret could ask for; who shows that very one is told that it fits."""
    if authentication == DYNAMIC:
        path.passed(_AUTHENTICATES_DYNAMICALLY)
    elif authentication == X509 and handing is Handing.OWN_CERTIFICATE:
        path.passed(_BRINGS_ITS_OWN)
    else:
        path.refuse_if(authentication != X509 or not was_issued, WrongAuthentication)
        path.passed(_WAS_ISSUED)
