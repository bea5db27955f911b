"""Admission: the one place where a device is let in by registration. Races are decided by constraints and conditional updates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.errors import Unavailable
from console.shared import keyring
from console.shared.statements import Row
from devices.models.pre_import import device_secret_owner
from devices.rules.admission import OUTCOMES, AutoCreateLimit, Decision, NotImported, Policy, decide
from devices.services import admission_facts, admission_writing, arrivals
from devices.services.admission_facts import ImportedRow, ListedDevice, OnFile
from devices.services.admission_writing import LostRace, Place
from products.models import DataCenter
from products.rules.wire_formats import system_random, wire_format
from products.services.lookup import RegistrationProduct

ATTEMPTS = 8
"""A lost race changes the facts, so that the next decision is another one; more than a few in a row do not happen."""


@dataclass(frozen=True, slots=True, repr=False)
class Admission:
    """`device_secret` is for the wire alone; `path` says in whole sentences what was checked."""

    device_secret: str
    is_new: bool
    path: tuple[str, ...]


Beside = Callable[[Admission], Sequence[Row]]
"""The rows that are stored together with an admission, or not at all, in the data center's database. It is asked before anything is
written, and once more after a lost race; what it raises refuses the registration."""


def nothing_beside(admission: Admission) -> Sequence[Row]:
    return ()


def admit(
    *, data_center: DataCenter, product: RegistrationProduct, device_name: str, at: datetime, beside: Beside = nothing_beside
) -> Admission:
    """Hands out the DeviceSecret of `device_name` (in its stored form) or raises a Refused. One statement reads, one writes.

    Raises IntegrityError where a constraint forbids one of the rows beside; then nothing was changed.
    """
    place = Place(data_center, product.id, device_name, at)
    for _attempt in range(ATTEMPTS):
        found = admission_facts.look_up(data_center, product.id, device_name)
        decision = _decide(product, found)
        try:
            if found.device is not None:
                return _hand_out(place, product, decision, found.device, beside)
            if found.row is not None:
                return _make_from_row(place, decision, found.row, beside)
            return _create(place, product, decision, beside)
        except LostRace:
            continue
    raise Unavailable("The registration lost too many races against others of the same name.")


def foresee(*, data_center: DataCenter, product: RegistrationProduct, device_name: str, at: datetime) -> tuple[str, ...]:
    """The path that `admit` would take as things stand, or the Refused that it would raise. Writes nothing, locks nothing."""
    found = admission_facts.look_up(data_center, product.id, device_name)
    decision = _decide(product, found)
    if found.row is not None and not found.row.counts:
        raise NotImported(arrivals.BATCH_GONE).after(decision.path)
    if found == OnFile() and admission_facts.created(data_center, product.id) >= product.auto_create_limit:
        raise AutoCreateLimit().after(decision.path)
    return (*decision.path, OUTCOMES[decision.verdict])


def _decide(product: RegistrationProduct, found: OnFile) -> Decision:
    """Raises a Refused."""
    policy = Policy(
        per_product_secret=product.per_product_secret,
        dynamic_registration=product.dynamic_registration,
        auto_create=product.auto_create,
        once=product.once,
    )
    known = found.device.known if found.device else None
    return decide(policy, device=known, row_authentication=found.row.authentication if found.row else None)


def _hand_out(place: Place, product: RegistrationProduct, decision: Decision, device: ListedDevice, beside: Beside) -> Admission:
    owner, sealed = device_secret_owner(place.product_id, place.device_name), None
    if product.new_secret_each_time and device.registered:
        secret = _new_secret(product)
        sealed = keyring.seal(secret, owner=owner)
    else:
        secret = keyring.unseal(device.sealed_secret, owner=owner)
    admission = _admission(secret, False, decision)
    admission_writing.hand_out(place, device, once=product.once, new_secret=sealed, rows=beside(admission))
    return admission


def _make_from_row(place: Place, decision: Decision, row: ImportedRow, beside: Beside) -> Admission:
    secret = keyring.unseal(row.sealed_secret, owner=device_secret_owner(place.product_id, place.device_name))
    admission = _admission(secret, True, decision)
    if not admission_writing.add_imported(place, row, rows=beside(admission)):
        raise NotImported(arrivals.BATCH_GONE).after(decision.path)
    return admission


def _create(place: Place, product: RegistrationProduct, decision: Decision, beside: Beside) -> Admission:
    secret = _new_secret(product)
    sealed = keyring.seal(secret, owner=device_secret_owner(place.product_id, place.device_name))
    admission = _admission(secret, True, decision)
    if not admission_writing.add_created(place, sealed, limit=product.auto_create_limit, rows=beside(admission)):
        raise AutoCreateLimit().after(decision.path)
    return admission


def _admission(secret: str, is_new: bool, decision: Decision) -> Admission:
    return Admission(secret, is_new, (*decision.path, OUTCOMES[decision.verdict]))


def _new_secret(product: RegistrationProduct) -> str:
    return wire_format(product.wire_protocol).make_device_secrets(1, system_random)[0]
