"""Admission: the one place where a device is let in by registration. Races are decided by constraints and conditional updates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.errors import Unavailable
from console.shared import keyring
from console.shared.statements import Row
from devices.models.pre_import import device_secret_owner
from devices.rules.admission import DYNAMIC, X509, AutoCreateLimit, Decision, Handing, NotImported, Policy, decide, outcome
from devices.services import admission_facts, admission_writing, arrivals
from devices.services.admission_facts import ImportedRow, ListedDevice, OnFile
from devices.services.admission_writing import Place
from devices.services.arrivals import LostRace
from products.models import DataCenter
from products.rules.wire_formats import system_random, wire_format
from products.services.lookup import RegistrationProduct

ATTEMPTS = 8
"""A lost race changes the facts, so that the next decision is another one; more than a few in a row do not happen."""


@dataclass(frozen=True, slots=True, repr=False)
class Admission:
    """`device_secret` is for the wire alone, empty for a device that connects with a certificate; `path` says in whole sentences what was
    checked."""

    device_secret: str
    is_new: bool
    path: tuple[str, ...]


Beside = Callable[[Admission], Sequence[Row]]
"""The rows that are stored together with an admission, or not at all, in the data center's database. It is asked before anything is
written, and once more after a lost race; what it raises refuses the registration."""


def nothing_beside(admission: Admission) -> Sequence[Row]:
    return ()


def admit(
    *,
    data_center: DataCenter,
    product: RegistrationProduct,
    device_name: str,
    at: datetime,
    handing: Handing = Handing.SECRET,
    beside: Beside = nothing_beside,
) -> Admission:
    """Hands out the DeviceSecret of `device_name` (in its stored form) or raises a Refused. One statement reads, one writes.

    `handing`: what the device gets, and authenticates with from then on; a certificate is made and written down by the caller
    (certificate_handing). Raises IntegrityError where a constraint forbids one of the rows beside; then nothing was changed.
    """
    place = Place(data_center, product.id, device_name, at)
    for _attempt in range(ATTEMPTS):
        found = admission_facts.look_up(data_center, product.id, device_name)
        asked = _Asked(place, product, handing, _decide(place, product, found, handing), beside)
        try:
            if found.device is not None:
                return _hand_out(asked, found.device)
            if found.row is not None:
                return _make_from_row(asked, found.row)
            return _create(asked)
        except LostRace:
            continue
    raise Unavailable("The registration lost too many races against others of the same name.")


def foresee(
    *, data_center: DataCenter, product: RegistrationProduct, device_name: str, at: datetime, handing: Handing = Handing.SECRET
) -> tuple[str, ...]:
    """The path that `admit` would take as things stand, or the Refused that it would raise. Writes nothing, locks nothing."""
    found = admission_facts.look_up(data_center, product.id, device_name)
    decision = _decide(Place(data_center, product.id, device_name, at), product, found, handing)
    if found.row is not None and not found.row.counts:
        raise NotImported(arrivals.BATCH_GONE).after(decision.path)
    if found == OnFile() and admission_facts.created(data_center, product.id) >= product.auto_create_limit:
        raise AutoCreateLimit().after(decision.path)
    return (*decision.path, outcome(decision.verdict, handing))


@dataclass(frozen=True, slots=True)
class _Asked:
    """One attempt: who asks for what, what was decided about it, and what goes with it."""

    place: Place
    product: RegistrationProduct
    handing: Handing
    decision: Decision
    beside: Beside

    @property
    def authentication(self) -> str:
        return DYNAMIC if self.handing is Handing.SECRET else X509

    def admission(self, secret: str, *, is_new: bool) -> Admission:
        path = (*self.decision.path, outcome(self.decision.verdict, self.handing))
        return Admission(secret if self.handing is Handing.SECRET else "", is_new, path)


def _decide(place: Place, product: RegistrationProduct, found: OnFile, handing: Handing) -> Decision:
    """Raises a Refused."""
    policy = Policy(
        per_product_secret=product.per_product_secret,
        dynamic_registration=product.dynamic_registration,
        auto_create=product.auto_create,
        once=product.once,
    )
    known = None
    if found.device is not None:
        was_issued = admission_facts.was_issued(place.data_center, product.id, place.device_name, found.device)
        known = found.device.known(was_issued=was_issued)
    return decide(policy, device=known, row_authentication=found.row.authentication if found.row else None, handing=handing)


def _hand_out(asked: _Asked, device: ListedDevice) -> Admission:
    place, product = asked.place, asked.product
    if asked.handing is not Handing.SECRET:
        admission = asked.admission("", is_new=False)
        admission_writing.certify(place, device, once=product.once, rows=asked.beside(admission))
        return admission
    owner, sealed = device_secret_owner(place.product_id, place.device_name), None
    if product.new_secret_each_time and device.registered:
        secret = _new_secret(product)
        sealed = keyring.seal(secret, owner=owner)
    else:
        secret = keyring.unseal(device.sealed_secret, owner=owner)
    admission = asked.admission(secret, is_new=False)
    admission_writing.hand_out(place, device, once=product.once, new_secret=sealed, rows=asked.beside(admission))
    return admission


def _make_from_row(asked: _Asked, row: ImportedRow) -> Admission:
    place = asked.place
    secret = ""
    if asked.handing is Handing.SECRET:
        secret = keyring.unseal(row.sealed_secret, owner=device_secret_owner(place.product_id, place.device_name))
    admission = asked.admission(secret, is_new=True)
    if not admission_writing.add_imported(place, row, asked.authentication, rows=asked.beside(admission)):
        raise NotImported(arrivals.BATCH_GONE).after(asked.decision.path)
    return admission


def _create(asked: _Asked) -> Admission:
    """Also a device that is handed a certificate gets a DeviceSecret, which is told to nobody: the product may hand out secrets again."""
    place, product = asked.place, asked.product
    secret = _new_secret(product)
    sealed = keyring.seal(secret, owner=device_secret_owner(place.product_id, place.device_name))
    admission = asked.admission(secret, is_new=True)
    rows = asked.beside(admission)
    if not admission_writing.add_created(place, sealed, asked.authentication, limit=product.auto_create_limit, rows=rows):
        raise AutoCreateLimit().after(asked.decision.path)
    return admission


def _new_secret(product: RegistrationProduct) -> str:
    return wire_format(product.wire_protocol).make_device_secrets(1, system_random)[0]
