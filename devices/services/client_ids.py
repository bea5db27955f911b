"""The physical devices behind one preregistration-free name: issue (A4), Switch (A12) and Clear (A13). The Device row is their lock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F

from console import audit
from console.crypto import codes
from console.errors import Conflict, Invalid, Unavailable
from console.shared import keyring
from console.shared.actors import Actor
from console.shared.statements import Row
from devices.models import Authentication, AutoCreation, ClientIdentity, CutReason, Device, DeviceOrigin, IdentityStatus, PreImportedDevice
from devices.models.client_identity import token_owner
from devices.models.pre_import import device_secret_owner
from devices.querysets import DeviceQuerySet
from devices.rules.admission import AutoCreateLimit, NotImported
from devices.rules.client_ids import CLIENT_ID_LENGTH, DEVICE_TOKEN_LENGTH, PENDING_AT_MOST, Name, Switches, may_be_issued
from devices.services import arrivals, disconnecting
from devices.services.arrivals import LostRace
from devices.services.connections import digest_of
from devices.services.lifecycle import lock
from products.models import DataCenter
from products.models.product import DEVICE_QUOTA
from products.rules.wire_formats import system_random, wire_format
from products.services.lookup import RegistrationProduct

ATTEMPTS = 8
HANDED = "It was handed a ClientID and a DeviceToken."


@dataclass(frozen=True, slots=True, repr=False)
class Issued:
    """What a preregistration-free device is handed. `device_token` is for the wire alone: only its digest is kept."""

    client_id: str
    device_token: str
    is_new: bool
    path: tuple[str, ...]


Beside = Callable[[Issued], Sequence[Row]]
"""The rows that are stored together with what is issued, or not at all."""


def nothing_beside(issued: Issued) -> Sequence[Row]:
    return ()


def issue(
    *, data_center: DataCenter, product: RegistrationProduct, device_name: str, at: datetime, beside: Beside = nothing_beside
) -> Issued:
    """A new ClientID and DeviceToken for one more physical device of the name (A4, A9). It fills no place until it connects.

    Locks the device. Raises a Refused with its path, and Unavailable.
    """
    for _attempt in range(ATTEMPTS):
        try:
            with arrivals.arriving(data_center):
                issued = _issue(data_center, product, device_name, at)
                for row in beside(issued):
                    row.store(data_center.database)
                return issued
        except LostRace:
            continue
    raise Unavailable("The registration lost too many races against others of the same name.")


def foresee(*, data_center: DataCenter, product: RegistrationProduct, device_name: str, at: datetime) -> tuple[str, ...]:
    """The path that `issue` would take as things stand, or the Refused that it would raise. Writes nothing, locks nothing."""
    device, row, path = _checked(Device.objects.at(data_center), product, device_name)
    if row is not None and not arrivals.counts(row.batch_id):
        raise NotImported(arrivals.BATCH_GONE).after(path)
    if device is None and row is None and not _has_place(data_center, product):
        raise AutoCreateLimit().after(path)
    return (*path, HANDED)


def switch(device: Device, *, keep: str, reason: str = "", by: Actor, at: datetime) -> int:
    """One ClientID stays, the others are forbidden and cut off, and no further one is issued until Clear (A12).

    Returns how many connections were ordered to be cut. Raises Invalid for a ClientID that is not of this name or was cleared, DeviceGone.
    """
    with transaction.atomic(using=device.data_center.database):
        locked = lock(device)
        identities = ClientIdentity.objects.of(locked)
        kept = identities.exclude(status=IdentityStatus.CLEARED).filter(client_id=keep).first()
        if kept is None:
            raise Invalid("This ClientID is not one of this device that can be kept.", field="keep")
        others = identities.exclude(pk=kept.pk)
        forbidden = others.filter(status=IdentityStatus.ALLOWED).update(status=IdentityStatus.SWITCHED_OFF, status_at=at)
        identities.filter(pk=kept.pk).exclude(status=IdentityStatus.ALLOWED).update(status=IdentityStatus.ALLOWED, status_at=at)
        _rows(locked).update(client_ids_active=int(kept.first_connected_at is not None), switched_at=at)
        orders = _cut(locked, keeping=kept, reason=CutReason.SWITCH, by=by, at=at)
        after = {"kept": keep, "forbidden": forbidden, "cut_off": orders}
        audit.record("device.switch_client_id", locked, by=by, at=at, after=after, reason=reason)
        return orders


def clear(device: Device, *, reason: str = "", by: Actor, at: datetime) -> int:
    """All ClientIDs of the name are forbidden and cut off; after that its physical devices may register anew (A13).

    Returns how many connections were ordered to be cut. Raises Conflict when there is none to clear, DeviceGone.
    """
    with transaction.atomic(using=device.data_center.database):
        locked = lock(device)
        standing = ClientIdentity.objects.of(locked).exclude(status=IdentityStatus.CLEARED)
        forbidden = standing.update(status=IdentityStatus.CLEARED, status_at=at)
        if not forbidden:
            raise Conflict("The device has no ClientID that could be cleared.")
        _rows(locked).update(client_ids_active=0, switched_at=None)
        orders = _cut(locked, keeping=None, reason=CutReason.CLEAR, by=by, at=at)
        audit.record("device.clear_client_ids", locked, by=by, at=at, after={"forbidden": forbidden, "cut_off": orders}, reason=reason)
        return orders


def _issue(data_center: DataCenter, product: RegistrationProduct, device_name: str, at: datetime) -> Issued:
    device, row, path = _checked(Device.objects.at(data_center).select_for_update(), product, device_name)
    is_new = device is None
    if device is None:
        if row is not None and not arrivals.may_come(row.pk, row.batch_id, row.device_name, data_center=data_center, at=at):
            raise NotImported(arrivals.BATCH_GONE).after(path)
        if row is None:
            _take_place(data_center, product, path)
        device = _add(data_center, product, device_name, row, at)
    else:
        _drop_oldest_pending(device)
    client_id, token = codes.text(CLIENT_ID_LENGTH, codes.BASE62), codes.text(DEVICE_TOKEN_LENGTH, codes.BASE62)
    ClientIdentity(
        device=device,
        client_id=client_id,
        sealed_token_digest=keyring.seal(digest_of(token), owner=token_owner(client_id)),
        status_at=at,
        issued_at=at,
    ).save(using=data_center.database, force_insert=True)
    return Issued(client_id, token, is_new, (*path, HANDED))


def _checked(
    here: DeviceQuerySet, product: RegistrationProduct, device_name: str
) -> tuple[Device | None, PreImportedDevice | None, tuple[str, ...]]:
    """What is on file under the name, and the path of the checks. Raises a Refused."""
    device = here.filter(product_id=product.id, device_name=device_name).first()
    row = None if device else PreImportedDevice.objects.named(product.id, device_name)
    switches = Switches(product.dynamic_registration, product.per_product_secret, product.preregistration_free)
    return device, row, may_be_issued(switches, device=_name(device), row_authentication=row.authentication if row else None)


def _name(device: Device | None) -> Name | None:
    if device is None:
        return None
    return Name(device.authentication, device.enabled, device.client_ids_active, device.switched_at)


def _add(data_center: DataCenter, product: RegistrationProduct, device_name: str, row: PreImportedDevice | None, at: datetime) -> Device:
    """The name appears in the list, with what its row says if there is one. Nobody knows the DeviceSecret of one without a row."""
    device = Device(
        data_center=data_center,
        product_id=product.id,
        device_name=device_name,
        authentication=Authentication.DYNAMIC,
        origin=DeviceOrigin.PRE_IMPORT if row else DeviceOrigin.PREREGISTRATION_FREE,
        nickname=row.nickname if row else "",
        sn=(row.sn or "") if row else "",
        sealed_secret=row.sealed_secret if row else _unknown_secret(product, device_name),
        created_at=at,
    )
    try:
        device.save(using=data_center.database, force_insert=True)
    except IntegrityError as error:
        raise LostRace from error
    return device


def _unknown_secret(product: RegistrationProduct, device_name: str) -> bytes:
    secret = wire_format(product.wire_protocol).make_device_secrets(1, system_random)[0]
    return keyring.seal(secret, owner=device_secret_owner(product.id, device_name))


def _take_place(data_center: DataCenter, product: RegistrationProduct, path: tuple[str, ...]) -> None:
    """Names that nobody imported are counted here too: a leaked ProductSecret must not fill the list beyond the product's size."""
    counter = AutoCreation.objects.using(data_center.database)
    counter.bulk_create([AutoCreation(product_id=product.id, created=0)], ignore_conflicts=True)
    if not counter.filter(product_id=product.id, created__lt=DEVICE_QUOTA).update(created=F("created") + 1):
        raise AutoCreateLimit().after(path)


def _has_place(data_center: DataCenter, product: RegistrationProduct) -> bool:
    """Whether one more such name may be added now."""
    counter = AutoCreation.objects.using(data_center.database).filter(product_id=product.id)
    return (counter.values_list("created", flat=True).first() or 0) < DEVICE_QUOTA


def _drop_oldest_pending(device: Device) -> None:
    pending = ClientIdentity.objects.of(device).pending()
    surplus = list(pending.order_by("-pk").values_list("pk", flat=True)[PENDING_AT_MOST - 1 :])
    pending.filter(pk__in=surplus).delete()


def _cut(device: Device, *, keeping: ClientIdentity | None, reason: CutReason, by: Actor, at: datetime) -> int:
    """Orders for the connections of every other ClientID; one that came in with the DeviceSecret is not a ClientID's."""
    others = [c for c in disconnecting.open_connections(device) if c.identity_id and (keeping is None or c.identity_id != keeping.pk)]
    return disconnecting.order(others, device, reason=reason, made_by=by.name, at=at)


def _rows(device: Device) -> DeviceQuerySet:
    return Device.objects.at(device.data_center).filter(pk=device.pk)
