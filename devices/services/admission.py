"""Admission: the one place where a device is let in by registration. Races are decided by constraints and conditional updates."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError
from django.db.models import F

from console.errors import Unavailable
from console.shared import keyring
from devices.models import Authentication, AutoCreation, Device, DeviceOrigin, PreImportedDevice
from devices.models.pre_import import device_secret_owner
from devices.querysets import DeviceQuerySet
from devices.rules.admission import OUTCOMES, AutoCreateLimit, Decision, Known, NotImported, Policy, decide
from devices.services import arrivals
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


class _LostRace(Exception):
    """Another registration changed the facts between the decision and its execution."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for, and when."""

    data_center: DataCenter
    product: RegistrationProduct
    device_name: str
    at: datetime

    @property
    def device_list(self) -> DeviceQuerySet:
        return Device.objects.at(self.data_center)


def admit(*, data_center: DataCenter, product: RegistrationProduct, device_name: str, at: datetime) -> Admission:
    """Hands out the DeviceSecret of `device_name` (in its stored form) or raises a Refused. Locks the device's row, or the product's
    counter of automatic creations, until its transaction ends."""
    asked = _Asked(data_center, product, device_name, at)
    for _attempt in range(ATTEMPTS):
        device, row, decision = _decide(asked)
        try:
            with arrivals.arriving(data_center):
                if device is not None:
                    return _hand_out(asked, decision, device)
                if row is not None:
                    return _make_from_row(asked, decision, row)
                return _create(asked, decision)
        except _LostRace:
            continue
    raise Unavailable("The registration lost too many races against others of the same name.")


def foresee(*, data_center: DataCenter, product: RegistrationProduct, device_name: str, at: datetime) -> tuple[str, ...]:
    """The path that `admit` would take as things stand, or the Refused that it would raise. Writes nothing, locks nothing."""
    asked = _Asked(data_center, product, device_name, at)
    device, row, decision = _decide(asked)
    if row is not None and not arrivals.counts(row):
        raise NotImported(arrivals.BATCH_GONE).after(decision.path)
    if device is None and row is None and not _has_place(asked):
        raise AutoCreateLimit().after(decision.path)
    return (*decision.path, OUTCOMES[decision.verdict])


def _decide(asked: _Asked) -> tuple[Device | None, PreImportedDevice | None, Decision]:
    """From what is on file now. Raises a Refused."""
    product_id, device_name = asked.product.id, asked.device_name
    device = asked.device_list.filter(product_id=product_id, device_name=device_name).first()
    row = None if device else PreImportedDevice.objects.named(product_id, device_name)
    return device, row, decide(_policy(asked.product), device=_known(device), row_authentication=row.authentication if row else None)


def _policy(product: RegistrationProduct) -> Policy:
    return Policy(
        per_product_secret=product.per_product_secret,
        dynamic_registration=product.dynamic_registration,
        auto_create=product.auto_create,
        once=product.once,
    )


def _known(device: Device | None) -> Known | None:
    if device is None:
        return None
    return Known(device.authentication, device.enabled, device.registered_at, device.activated_at)


def _hand_out(asked: _Asked, decision: Decision, device: Device) -> Admission:
    open_to_all = asked.device_list.filter(pk=device.pk, enabled=True, activated_at=None)
    still_open = open_to_all.filter(registered_at=None) if asked.product.once else open_to_all
    owner = device.secret_owner()
    if asked.product.new_secret_each_time and device.registered_at is not None:
        secret = _new_secret(asked.product)
        changed = still_open.update(registered_at=asked.at, sealed_secret=keyring.seal(secret, owner=owner))
    else:
        secret = keyring.unseal(device.sealed_secret, owner=owner)
        changed = still_open.filter(sealed_secret=device.sealed_secret).update(registered_at=asked.at)
    if not changed:
        raise _LostRace
    return Admission(secret, False, (*decision.path, OUTCOMES[decision.verdict]))


def _make_from_row(asked: _Asked, decision: Decision, row: PreImportedDevice) -> Admission:
    if not arrivals.may_come(row, data_center=asked.data_center, at=asked.at):
        raise NotImported(arrivals.BATCH_GONE).after(decision.path)
    secret = keyring.unseal(row.sealed_secret, owner=row.secret_owner())
    device = Device(
        nickname=row.nickname,
        sn=row.sn or "",
        authentication=row.authentication,
        origin=DeviceOrigin.PRE_IMPORT,
        sealed_secret=row.sealed_secret,
        certificate_fingerprint=row.certificate_fingerprint,
    )
    _insert(asked, device)
    return Admission(secret, True, (*decision.path, OUTCOMES[decision.verdict]))


def _create(asked: _Asked, decision: Decision) -> Admission:
    if not _take_place(asked):
        raise AutoCreateLimit().after(decision.path)
    secret = _new_secret(asked.product)
    owner = device_secret_owner(asked.product.id, asked.device_name)
    device = Device(
        authentication=Authentication.DYNAMIC, origin=DeviceOrigin.AUTO_CREATED, sealed_secret=keyring.seal(secret, owner=owner)
    )
    _insert(asked, device)
    return Admission(secret, True, (*decision.path, OUTCOMES[decision.verdict]))


def _take_place(asked: _Asked) -> bool:
    """One more automatic creation below the limit; locks the counter. It is given back when the transaction is rolled back."""
    counter = AutoCreation.objects.using(asked.data_center.database)
    below = counter.filter(product_id=asked.product.id, created__lt=asked.product.auto_create_limit)
    if below.update(created=F("created") + 1):
        return True
    counter.bulk_create([AutoCreation(product_id=asked.product.id, created=0)], ignore_conflicts=True)
    return bool(below.update(created=F("created") + 1))


def _has_place(asked: _Asked) -> bool:
    """Whether one more may be created now."""
    counter = AutoCreation.objects.using(asked.data_center.database).filter(product_id=asked.product.id)
    created = counter.values_list("created", flat=True).first() or 0
    return created < asked.product.auto_create_limit


def _insert(asked: _Asked, device: Device) -> None:
    """Adds it to the list as registered now. Raises _LostRace when the name was taken meanwhile (constraint device_name_unique),
    which undoes the caller's transaction: no savepoint is needed, and a registration is two round trips shorter."""
    device.data_center_id, device.product_id, device.device_name = asked.data_center.pk, asked.product.id, asked.device_name
    device.created_at = device.registered_at = asked.at
    try:
        device.save(using=asked.data_center.database, force_insert=True)
    except IntegrityError as error:
        raise _LostRace from error


def _new_secret(product: RegistrationProduct) -> str:
    return wire_format(product.wire_protocol).make_device_secrets(1, system_random)[0]
