"""A device connects with a certificate of its own: what is on file for it, the judgement, the pin, and its first connection.

The judgement itself is devices/rules/presented.py's, made by whoever gathers its facts (registration/services); here it is asked with what
is pinned, and what it says is stored by a conditional update, so that of two first connections one is pinned and the other is judged again.
Nothing is written for a device that is known, activated, and presents what it presented before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from console.errors import Unavailable
from console.shared import keyring
from console.words import say
from devices.models import Authentication, Device, DeviceOrigin, PreImportedDevice
from devices.models.pre_import import device_secret_owner
from devices.rules.admission import AutoCreateLimit
from devices.rules.certificate_refusals import CertificateRefused
from devices.rules.connecting import DeviceUnknown, may_present
from devices.rules.pins import Match, Pins
from devices.rules.presented_facts import Verdict
from devices.services import admission_facts, admission_writing, arrivals, certificate_facts, certificate_pinning
from devices.services.arrivals import LostRace
from devices.services.certificate_facts import NOWHERE, OnFile, Path
from devices.services.connections import ACTIVATED, APPEARS
from products.models import DataCenter
from products.rules.wire_formats import system_random, wire_format
from products.services.lookup import RegistrationProduct

__all__ = ["NOWHERE", "Entry", "Judge", "LetIn", "admit", "foresee"]

ATTEMPTS = 8
"""A lost race changes the facts, so that the next decision is another one; more than a few in a row do not happen."""
CREATED = say("The device was created within the limit of automatic creation, activated.")

Judge = Callable[[Pins, datetime | None], Verdict]
"""With what is pinned, and when an operator revoked the device's certificates. Raises a CertificateRefused with its path."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Who wants in where, and when. `device_name` in its stored form; `place`: as connections.look_up has it."""

    data_center: DataCenter
    product: RegistrationProduct
    device_name: str
    at: datetime
    place: tuple[int, str] = NOWHERE


@dataclass(frozen=True, slots=True)
class LetIn:
    """`first`: this connection activated the device. `match`: how its certificate compared with the pin."""

    device_id: int
    first: bool
    match: Match
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Decision:
    """`above`: what would revoke the certificate; `outcome`: the last sentence of the path, empty where nothing happens to the device."""

    verdict: Verdict
    path: tuple[str, ...]
    above: Path
    outcome: str

    def let_in(self, device_id: int) -> LetIn:
        path = (*self.path, self.outcome) if self.outcome else self.path
        return LetIn(device_id, bool(self.outcome), self.verdict.compared.match, path)


def admit(entry: Entry, judge: Judge) -> LetIn:
    """Lets a device in by its certificate. A device that is known only to the pre-import list appears; one that nobody imported is
    created within the product's limit where the product creates devices automatically. Raises a Refused with its path, and Unavailable."""
    for _attempt in range(ATTEMPTS):
        on_file = _look_up(entry)
        decision = _decide(entry, on_file, judge)
        if _is_settled(on_file, decision) and on_file.device_id is not None:
            return decision.let_in(on_file.device_id)
        try:
            with arrivals.arriving(entry.data_center):
                return _store(entry, on_file, decision)
        except LostRace:
            continue
    raise Unavailable("The connection lost too many races against others of the same name.")


def foresee(entry: Entry, judge: Judge) -> LetIn:
    """What `admit` would do as things stand, or the Refused that it would raise. Writes nothing, locks nothing; `device_id` is 0 where the
    device would appear."""
    on_file = _look_up(entry)
    decision = _decide(entry, on_file, judge)
    if on_file.row is not None and not arrivals.counts(on_file.row.batch_id):
        raise DeviceUnknown(arrivals.BATCH_GONE).after(decision.path)
    if decision.outcome == CREATED and not _has_place(entry):
        raise AutoCreateLimit().after(decision.path)
    return decision.let_in(on_file.device_id or 0)


def _look_up(entry: Entry) -> OnFile:
    return certificate_facts.look_up(entry.data_center, entry.product.id, entry.device_name, entry.place)


def _decide(entry: Entry, on_file: OnFile, judge: Judge) -> _Decision:
    """What the device itself is refused for comes first, after the same work: whoever has no good certificate learns nothing of names.
    Raises a Refused with its path."""
    creates = entry.product.auto_create and entry.product.published
    try:
        verdict = judge(on_file.pins, on_file.revoked_at)
    except CertificateRefused as refused:
        refused.path = (*may_present(on_file.facts, creates=creates), *refused.path)
        raise
    path = (*may_present(on_file.facts, creates=creates), *verdict.path)
    return _Decision(verdict, path, certificate_pinning.above(entry.product.id, verdict.chain), _outcome(on_file))


def _outcome(on_file: OnFile) -> str:
    if on_file.device_id is None:
        return APPEARS if on_file.row is not None else CREATED
    return "" if on_file.facts.activated else ACTIVATED


def _is_settled(on_file: OnFile, decision: _Decision) -> bool:
    return on_file.facts.settled and not decision.verdict.compared.changed and decision.above == on_file.path


def _store(entry: Entry, on_file: OnFile, decision: _Decision) -> LetIn:
    """Within `arriving`. Locks the device. Raises LostRace or a Refused with its path."""
    if on_file.device_id is not None:
        device = _known(entry, on_file)
    elif on_file.row is not None:
        device = _appear(entry, on_file.row, decision)
    else:
        device = _create(entry, decision)
    certificate_pinning.store(device, on_file, decision.verdict, decision.above, data_center=entry.data_center, at=entry.at)
    return decision.let_in(device.pk)


def _known(entry: Entry, on_file: OnFile) -> Device:
    """Locked, provided that it still is what was judged; activated."""
    here = Device.objects.at(entry.data_center).filter(pk=on_file.device_id or 0)
    device = here.select_for_update().filter(enabled=True, authentication=Authentication.X509).first()
    if device is None or (device.activated_at is not None) != on_file.facts.activated:
        raise LostRace
    if device.certificate_fingerprint != on_file.fingerprint:
        raise LostRace
    if device.activated_at is None:
        here.update(activated_at=entry.at)
    return device


def _appear(entry: Entry, row: PreImportedDevice, decision: _Decision) -> Device:
    """Raises LostRace when the name was taken or the row deleted meanwhile, and DeviceUnknown while the row's batch is being undone."""
    if not arrivals.may_come(row.pk, row.batch_id, row.device_name, data_center=entry.data_center, at=entry.at):
        raise DeviceUnknown(arrivals.BATCH_GONE).after(decision.path)
    device = arrivals.copy_of(row, entry.data_center, at=entry.at)
    arrivals.add(device, entry.data_center)
    return device


def _create(entry: Entry, decision: _Decision) -> Device:
    """A device that nobody imported, whose DeviceSecret nobody knows. Raises AutoCreateLimit, or LostRace when the name was taken
    meanwhile."""
    if not admission_writing.take_place(entry.data_center, entry.product.id, limit=entry.product.auto_create_limit):
        raise AutoCreateLimit().after(decision.path)
    secret = wire_format(entry.product.wire_protocol).make_device_secrets(1, system_random)[0]
    device = Device(
        data_center_id=entry.data_center.pk,
        product_id=entry.product.id,
        device_name=entry.device_name,
        authentication=Authentication.X509,
        origin=DeviceOrigin.AUTO_CREATED,
        sealed_secret=keyring.seal(secret, owner=device_secret_owner(entry.product.id, entry.device_name)),
        created_at=entry.at,
        activated_at=entry.at,
    )
    arrivals.add(device, entry.data_center)
    return device


def _has_place(entry: Entry) -> bool:
    return admission_facts.created(entry.data_center, entry.product.id) < entry.product.auto_create_limit
