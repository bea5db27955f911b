"""A broker asks about a device: may it connect, may it publish or subscribe there, it came, it left.

The hot path, a device that was activated before, is one statement and one HMAC; nothing is written before the answer but the first
connection of a device, in one transaction (devices.services.connections.admit). What is left behind goes to the recorder.
A stranger cannot tell a wrong secret from an unknown device or product, neither by the answer nor by its work.
"""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db import DatabaseError, InterfaceError

from console.errors import DomainError, Unavailable
from console.shared import keyring, request_ids
from devices.models import ConnectionEnd, PreImportedDevice
from devices.rules import names
from devices.rules.admission import WrongAuthentication
from devices.rules.connecting import IN_DEVICE_LIST, IN_PRE_IMPORT_LIST, X509, BadCredential, ClientUnknown, DeviceUnknown
from devices.services import certificate_admission, connections
from devices.services.connections import Admitted, OnFile
from devices.services.presence import Arrival, Departure, Sight
from products.models import DataCenter
from products.rules.wire_formats import wire_format
from products.services.brokers import HookedBroker
from products.services.lookup import ProductUnknown, RegistrationProduct, find_for_registration
from registration.decision_codes import DecisionCode
from registration.models import DeviceEvent
from registration.protocols import connection_schemes, topics
from registration.protocols.base import BadSignature
from registration.protocols.connecting import ConnectClaim, Presented
from registration.services import certificate_auth, certificate_tickets, device_log, recorder
from registration.services.device_log import Attempt
from registration.services.record_writing import Came, Decided, Saw, Told, Went

log = logging.getLogger(__name__)

NOBODYS_SECRET = secrets.token_hex(16)
"""What the proof of an unknown device is checked against; base64 too, so that Tencent's is checked like any other. Nothing fits it."""
NOBODY = b"nobody"
NO_PRODUCT = 0
UNREAD = "mqtt"
"""The protocol of an attempt that no scheme could read."""
MAX_SESSION = 200

ENDS = {
    "kicked": ConnectionEnd.CUT,
    "takenover": ConnectionEnd.TAKEN_OVER,
    "takeovered": ConnectionEnd.TAKEN_OVER,
    "discarded": ConnectionEnd.TAKEN_OVER,
}
"""What brokers say about the end of a connection; everything else is one that left."""


class Internal(DomainError):
    """Something that nobody foresaw."""

    code = "internal"
    default_message = "The decision failed unexpectedly; the server's log has the reason under the request's number."


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code`: one of DecisionCode, for our side alone. The names are in the device's own spelling, empty where it could not be read;
    `stored_name`: the DeviceName as the console has it, of one that is allowed."""

    allowed: bool
    code: str
    product_key: str
    device_name: str
    request_id: str
    stored_name: str = ""


def connect(*, broker: HookedBroker, presented: Presented, address: str, at: datetime) -> Verdict:
    """Whether a device may connect with what it presented; its entry in the log and its arrival are recorded. Raises nothing."""
    attempt = _attempt(broker, presented, address, at)
    named = ("", "")
    try:
        presented = certificate_tickets.redeem(presented, at=at)
        attempt.secrets += (presented.password,)
        place = (broker.id, presented.client_id) if broker.tells_departures else connections.NOWHERE
        if certificate_auth.counts(presented, broker.data_center, at):
            device_id, named = _by_certificate(attempt, broker, presented, place)
            identity_id = None
        else:
            claim = connection_schemes.read(presented)
            named = (claim.product_key, claim.device_name)
            admitted = _decide(attempt, broker.data_center, claim, place, prove=_proof, let_in=connections.admit)
            device_id, identity_id = admitted.device_id, admitted.identity_id
        code = str(DecisionCode.ACCEPTED)
    except Exception as caught:
        code = _refusal(attempt, caught)
    else:
        recorder.put(_presence(broker, presented, attempt, device_id, identity_id))
    return _verdict(broker, attempt, code, named)


def refuse(*, broker: HookedBroker, presented: Presented, address: str, error: DomainError, at: datetime) -> Verdict:
    """A no before anything was decided: what the device presented could not be handed on to us, for the reason that `error` says. Its entry
    in the log is recorded. Raises nothing."""
    attempt = _attempt(broker, presented, address, at)
    attempt.protocol = certificate_auth.SCHEME
    return _verdict(broker, attempt, _refusal(attempt, error), ("", ""))


def authorize(*, broker: HookedBroker, username: str, client_id: str, action: Literal["publish", "subscribe"], topic: str) -> bool:
    """Whether a connected device may use a topic: under its own names, which its checked user name has. No database. Raises nothing."""
    try:
        product_key, device_name = connection_schemes.names_in(username)
        return topics.may(product_key, device_name, action, topic)
    except DomainError:
        return False
    except Exception:
        log.exception("A question about a topic failed at the broker %s.", broker.name)
        return False


def connected(*, broker: HookedBroker, mqtt_client_id: str, session: str = "", address: str | None = None, at: datetime) -> None:
    """The broker tells its own name of a connection that was allowed, or the address of the device. Raises nothing."""
    recorder.put(Told(broker.data_center, broker.id, mqtt_client_id, session[:MAX_SESSION], device_log.clean_address(address or ""), at))


def disconnected(
    *, broker: HookedBroker, mqtt_client_id: str, at: datetime, began_at: datetime | None = None, session: str = "", reason: str = ""
) -> None:
    """The broker tells that a client has left, and why in its own words. Raises nothing."""
    ended = ENDS.get(reason, ConnectionEnd.LEFT)
    recorder.put(Went(Departure(broker.data_center, broker.id, mqtt_client_id, at, began_at, session[:MAX_SESSION], ended), reason))


def foresee(attempt: Attempt, data_center: DataCenter, claim: ConnectClaim) -> str:
    """The code of what `connect` would decide as things stand about a claim whose proof is right; the attempt has the path then. Writes
    nothing. Raises nothing."""
    try:
        _decide(attempt, data_center, claim, connections.NOWHERE, prove=_assume, let_in=connections.foresee)
    except Exception as caught:
        return _refusal(attempt, caught)
    return str(DecisionCode.ACCEPTED)


def foresee_certificate(attempt: Attempt, data_center: DataCenter, presented: Presented) -> str:
    """The code of what `connect` would decide as things stand about a certificate; the attempt has the path and the facts then. Writes
    nothing. Raises nothing."""
    try:
        certificate_auth.decide(attempt, data_center, presented, connections.NOWHERE, let_in=certificate_admission.foresee)
    except Exception as caught:
        return _refusal(attempt, caught)
    return str(DecisionCode.ACCEPTED)


def _attempt(broker: HookedBroker, presented: Presented, address: str, at: datetime) -> Attempt:
    facts: dict[str, object] = {"broker": broker.name}
    attempt = Attempt(at, request_ids.current(), UNREAD, address, broker.data_center, event=DeviceEvent.CONNECTION, facts=facts)
    attempt.secrets = (presented.password,)
    return attempt


def _by_certificate(attempt: Attempt, broker: HookedBroker, presented: Presented, place: tuple[int, str]) -> tuple[int, tuple[str, str]]:
    """The device's number, and its names as it writes them. Raises the DomainError that refuses."""
    done = certificate_auth.decide(
        attempt, broker.data_center, presented, place, broker_kind=broker.kind, let_in=certificate_admission.admit
    )
    return done.let_in.device_id, (done.product_key, done.device_name)


def _verdict(broker: HookedBroker, attempt: Attempt, code: str, named: tuple[str, str]) -> Verdict:
    recorder.put(Decided(attempt, code, broker.data_center))
    allowed = code == DecisionCode.ACCEPTED
    return Verdict(allowed, code, *named, str(attempt.request_id), attempt.device_name if allowed else "")


def _decide(
    attempt: Attempt,
    center: DataCenter,
    claim: ConnectClaim,
    place: tuple[int, str],
    *,
    prove: Callable[[Attempt, ConnectClaim, OnFile], DomainError | None],
    let_in: Callable[..., Admitted],
) -> Admitted:
    """Raises the DomainError that refuses, after the same work for whoever has no right secret. `place`: as connections.look_up has it."""
    attempt.protocol, attempt.product_key, attempt.device_name = claim.scheme, claim.product_key, claim.device_name
    attempt.client_id = claim.client_id
    product, unfit = _product(attempt, claim)
    product_id = product.id if product else NO_PRODUCT
    on_file = connections.look_up(
        data_center=center, product_id=product_id, device_name=attempt.device_name, client_id=claim.client_id, place=place
    )
    attempt.secrets += (on_file.secret,)
    unproven = prove(attempt, claim, on_file)
    if unfit or unproven:
        _work_of_others(attempt, product_id, on_file)
        raise _reason(attempt, claim, on_file, unfit, unproven)
    admitted = let_in(
        on_file,
        data_center=center,
        product_id=product_id,
        device_name=attempt.device_name,
        by_token=bool(claim.client_id),
        at=attempt.at,
    )
    attempt.passed(*admitted.path)
    return admitted


def _product(attempt: Attempt, claim: ConnectClaim) -> tuple[RegistrationProduct | None, DomainError | None]:
    """The product, and what is wrong with the names. From here on the attempt has the DeviceName in its stored form."""
    try:
        product = find_for_registration(claim.product_key, at=attempt.at)
    except ProductUnknown as error:
        return None, error
    attempt.product = product
    attempt.passed("The product is known.")
    try:
        attempt.device_name = names.device_name(product.device_name_kind, wire_format(product.wire_protocol), claim.device_name)
    except names.BadDeviceName as error:
        return product, names.BadDeviceName(error.message, field="DeviceName")
    return product, None


def _proof(attempt: Attempt, claim: ConnectClaim, on_file: OnFile) -> DomainError | None:
    """What is wrong with it, if anything; always one HMAC or one digest."""
    try:
        if claim.client_id:
            return None if on_file.token_matches(claim.token) else BadCredential()
        notes = claim.verify(on_file.secret or NOBODYS_SECRET, attempt.at)
    except DomainError as error:
        return error
    if notes:
        attempt.facts["notes"] = list(notes)
    return None if on_file.secret else BadCredential()


def _assume(attempt: Attempt, claim: ConnectClaim, on_file: OnFile) -> DomainError | None:
    """The proof is right, wherever there is something that it could have been made with."""
    return None if (on_file.token_digest if claim.client_id else on_file.secret) else BadCredential()


def _work_of_others(attempt: Attempt, product_id: int, on_file: OnFile) -> None:
    """What an attempt for an unknown name costs, a wrong secret for a known one costs too, and the other way round."""
    if on_file.facts.in_list:
        PreImportedDevice.objects.named(product_id, attempt.device_name)
    if not on_file.secret:
        keyring.unseal(keyring.seal(NOBODYS_SECRET, owner=NOBODY), owner=NOBODY)


def _reason(attempt: Attempt, claim: ConnectClaim, on_file: OnFile, unfit: DomainError | None, unproven: DomainError | None) -> DomainError:
    """What says nothing about product and device comes first."""
    if unproven and not isinstance(unproven, (BadSignature, BadCredential)):
        return unproven
    if unfit:
        return unfit
    if not on_file.known:
        return DeviceUnknown()
    attempt.passed(IN_DEVICE_LIST if on_file.facts.in_list else IN_PRE_IMPORT_LIST)
    if claim.client_id and on_file.facts.identity is None:
        return ClientUnknown()
    if not claim.client_id and on_file.facts.authentication == X509:
        return WrongAuthentication()
    return BadCredential(facts=unproven.facts if unproven else None)


def _refusal(attempt: Attempt, caught: Exception) -> str:
    """The code of the refusal; what nobody foresaw goes to the server's log."""
    error: DomainError = Internal()
    if isinstance(caught, DomainError) and caught.code in DecisionCode.values:
        error = caught
    elif isinstance(caught, (DatabaseError, InterfaceError)):
        log.error("Connection %s was refused, the database did not answer: %s", attempt.request_id, caught)
        error = Unavailable("The database did not answer.")
    else:
        log.error("Connection %s failed.", attempt.request_id, exc_info=caught)
    attempt.refused(error)
    return error.code


def _presence(broker: HookedBroker, presented: Presented, attempt: Attempt, device_id: int, identity_id: int | None) -> Came | Saw:
    """At a proxy nothing stays connected: a request there must not end what the device has at a broker."""
    if broker.is_gateway:
        return Saw(Sight(broker.data_center, device_id, attempt.at))
    return Came(
        Arrival(
            data_center=broker.data_center,
            device_id=device_id,
            product_id=attempt.product.id if attempt.product else NO_PRODUCT,
            device_name=attempt.device_name,
            identity_id=identity_id,
            client_id=attempt.client_id,
            broker_id=broker.id,
            tells_departures=broker.tells_departures,
            mqtt_client_id=presented.client_id,
            address=device_log.clean_address(attempt.address),
            at=attempt.at,
        )
    )
