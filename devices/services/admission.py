"""Admission: the one place where a device is let in by registration. Races are decided by constraints and conditional updates."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F

from console.errors import Unavailable
from console.shared import keyring
from devices.models import Authentication, AutoCreation, Device, DeviceOrigin, PreImportedDevice
from devices.models.pre_import import device_secret_owner
from devices.rules.admission import AutoCreateLimit, Decision, Known, Policy, Verdict, decide
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


def admit(*, data_center: DataCenter, product: RegistrationProduct, device_name: str, at: datetime) -> Admission:
    """Hands out the DeviceSecret of `device_name` (in its stored form) or raises a Refused. Locks the device's row, or the product's
    counter of automatic creations, until its transaction ends."""
    for _attempt in range(ATTEMPTS):
        device = Device.objects.at(data_center).filter(product_id=product.id, device_name=device_name).first()
        row = None if device else PreImportedDevice.objects.named(product.id, device_name)
        decision = decide(_policy(product), device=_known(device), row_authentication=row.authentication if row else None)
        try:
            with transaction.atomic(using=data_center.database):
                return _execute(decision, data_center, product, device_name, device, row, at)
        except _LostRace:
            continue
    raise Unavailable("The registration lost too many races against others of the same name.")


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


def _execute(
    decision: Decision,
    data_center: DataCenter,
    product: RegistrationProduct,
    device_name: str,
    device: Device | None,
    row: PreImportedDevice | None,
    at: datetime,
) -> Admission:
    if device is not None:
        return _hand_out(decision, data_center, product, device, at)
    if row is not None:
        return _make_from_row(decision, data_center, row, at)
    return _create(decision, data_center, product, device_name, at)


def _hand_out(decision: Decision, data_center: DataCenter, product: RegistrationProduct, device: Device, at: datetime) -> Admission:
    open_to_all = Device.objects.at(data_center).filter(pk=device.pk, enabled=True, activated_at=None)
    still_open = open_to_all.filter(registered_at=None) if product.once else open_to_all
    owner = device.secret_owner()
    if product.new_secret_each_time and device.registered_at is not None:
        secret = _new_secret(product)
        changed = still_open.update(registered_at=at, sealed_secret=keyring.seal(secret, owner=owner))
    else:
        secret = keyring.unseal(device.sealed_secret, owner=owner)
        changed = still_open.filter(sealed_secret=device.sealed_secret).update(registered_at=at)
    if not changed:
        raise _LostRace
    return Admission(secret, False, (*decision.path, "It was handed its DeviceSecret."))


def _make_from_row(decision: Decision, data_center: DataCenter, row: PreImportedDevice, at: datetime) -> Admission:
    secret = keyring.unseal(row.sealed_secret, owner=row.secret_owner())
    _insert(
        Device(
            data_center_id=data_center.pk,
            product_id=row.product_id,
            device_name=row.device_name,
            nickname=row.nickname,
            sn=row.sn or "",
            authentication=row.authentication,
            origin=DeviceOrigin.PRE_IMPORT,
            sealed_secret=row.sealed_secret,
            certificate_fingerprint=row.certificate_fingerprint,
            created_at=at,
            registered_at=at,
        ),
        data_center,
    )
    return Admission(secret, True, (*decision.path, "It was added to the device list and handed its DeviceSecret."))


def _create(decision: Decision, data_center: DataCenter, product: RegistrationProduct, device_name: str, at: datetime) -> Admission:
    if not _take_place(data_center, product):
        raise AutoCreateLimit().after(decision.path)
    secret = _new_secret(product)
    _insert(
        Device(
            data_center_id=data_center.pk,
            product_id=product.id,
            device_name=device_name,
            authentication=Authentication.DYNAMIC,
            origin=DeviceOrigin.AUTO_CREATED,
            sealed_secret=keyring.seal(secret, owner=device_secret_owner(product.id, device_name)),
            created_at=at,
            registered_at=at,
        ),
        data_center,
    )
    return Admission(secret, True, (*decision.path, "The device was created within the limit and handed its DeviceSecret."))


def _take_place(data_center: DataCenter, product: RegistrationProduct) -> bool:
    """One more automatic creation below the limit; locks the counter. It is given back when the transaction is rolled back."""
    counter = AutoCreation.objects.using(data_center.database)
    below = counter.filter(product_id=product.id, created__lt=product.auto_create_limit)
    if below.update(created=F("created") + 1):
        return True
    counter.bulk_create([AutoCreation(product_id=product.id, created=0)], ignore_conflicts=True)
    return bool(below.update(created=F("created") + 1))


def _insert(device: Device, data_center: DataCenter) -> None:
    """Raises _LostRace when the name was taken meanwhile (constraint device_name_unique)."""
    try:
        with transaction.atomic(using=data_center.database):
            device.save(using=data_center.database, force_insert=True)
    except IntegrityError as error:
        raise _LostRace from error


def _new_secret(product: RegistrationProduct) -> str:
    return wire_format(product.wire_protocol).make_device_secrets(1, system_random)[0]
