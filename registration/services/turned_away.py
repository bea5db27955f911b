"""Clients of the MQTT listener that never got as far as a decision: why, in one log entry."""

import logging
from datetime import datetime
from typing import Final
from uuid import uuid4

from console.errors import DomainError
from console.words import say
from devices.rules.certificate_refusals import CertificateRefused
from products.services import data_centers
from registration.models import DeviceEvent
from registration.services import device_log
from registration.services.device_log import Attempt

log = logging.getLogger(__name__)

PROTOCOL: Final = "mqtt"


class TooSlow(DomainError):
    """It had its time and did not use it."""

    code = "malformed"
    default_message = "No complete CONNECT came in time."


class TooMany(DomainError):
    """More connections than are allowed."""

    code = "unavailable"
    default_message = "There were too many connections: in all, or unfinished ones from this address."


class HandshakeFailed(DomainError):
    """`facts["tls"]`: OpenSSL's word for it."""

    code = "malformed"
    default_message = "The TLS handshake failed."


class UntrustedProxy(DomainError):
    """Only proxies that we trust may say for whom they speak."""

    code = "malformed"
    default_message = "The listener is for proxies, and this address is not among the trusted ones (NAMEPLATE_TRUSTED_PROXIES)."


class NoBroker(DomainError):
    """A device that wants to connect, where devices can only register."""

    code = "unavailable"
    event = DeviceEvent.CONNECTION
    default_message = "The device wants to connect, and there is no broker behind this listener (NAMEPLATE_MQTT_UPSTREAM)."


class BrokerAway(NoBroker):
    """The broker behind us does not take the connection."""

    default_message = "The device wants to connect, and the broker behind this listener did not answer (NAMEPLATE_MQTT_UPSTREAM)."


class CertificateNotHandedOn(NoBroker):
    """The broker cannot be told of the device's certificate."""

    default_message = "The device wants to connect with a certificate, and the database that takes it to the broker did not answer."


def note(*, error: DomainError, host: str, address: str, left_out: int, at: datetime) -> None:
    """Writes the entry at the data center that `host` leads to. `left_out`: so many before it got none. Raises nothing."""
    attempt = Attempt(at, uuid4(), PROTOCOL, address, event=_event(error))
    attempt.refused(error)
    if left_out:
        attempt.facts["left_out"] = say(
            "{clients} clients before this one were turned away without an entry of their own.", clients=left_out
        )
    try:
        attempt.data_center = data_centers.serving(host)
    except Exception:
        log.exception("The data center of an MQTT client could not be found.")
        return
    device_log.write(attempt, error.code)


def _event(error: DomainError) -> str:
    """A device that registers needs no certificate, so one whose certificate is refused wanted to connect."""
    return DeviceEvent.CONNECTION if isinstance(error, CertificateRefused) else getattr(error, "event", DeviceEvent.REGISTRATION)
