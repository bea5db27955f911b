"""The life of a device in its data center's list: reset, disable, enable, edit, delete, read its secret."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet

from console import audit
from console.errors import Conflict, DomainError, NotFound
from console.shared import keyring
from console.shared.actors import Actor
from console.words import say
from devices.models import AutoCreation, CutReason, Device, DeviceOrigin, PreImportedDevice
from devices.rules import names
from devices.services import disconnecting
from products.models import DataCenter, IssuedCertificate, Product, RevocationReason
from products.rules.wire_formats import system_random, wire_format
from products.services import revocation


class DeviceGone(NotFound):
    """The device is no longer in this list."""

    code = "device_gone"
    default_message = "The device is no longer in this data center's list."


def reset(device: Device, *, reason: str = "", by: Actor, at: datetime) -> None:
    """A device that lost its secret may register again and gets the same one (A8). The certificate that is expected of one with a
    certificate of its own stays: that is reset by itself (device_certificates.reset_pin). Raises DeviceGone or Conflict."""
    with transaction.atomic(using=device.data_center.database):
        locked = lock(device)
        if locked.registered_at is None and locked.activated_at is None:
            raise Conflict("The device has not registered since it was added or last reset: it may register now.")
        before = {"registered_at": _iso(locked.registered_at), "activated_at": _iso(locked.activated_at)}
        Device.objects.at(device.data_center).filter(pk=device.pk).update(
            registered_at=None, activated_at=None, last_online_at=None, last_offline_at=None, last_seen_at=None
        )
        kept = {"certificate_kept": locked.certificate_fingerprint} if locked.certificate_fingerprint else {}
        audit.record("device.reset", locked, by=by, at=at, before=before, after=kept, reason=reason)


def disable(device: Device, *, reason: str = "", by: Actor, at: datetime) -> None:
    """It can neither register nor connect, and where it is connected it is cut off; its data stays. Raises DeviceGone or Conflict."""
    _set_enabled(device, False, "device.disable", reason=reason, by=by, at=at)


def enable(device: Device, *, by: Actor, at: datetime) -> None:
    """Raises DeviceGone or Conflict."""
    _set_enabled(device, True, "device.enable", reason="", by=by, at=at)


def switch_many(
    devices: Sequence[Device], *, data_center: DataCenter, enabled: bool, reason: str = "", by: Actor, at: datetime
) -> dict[Device, DomainError]:
    """Enables or disables devices of one data center together, with one line in the audit. Returns those that were left as they are and
    why. Locks them in the order of their numbers."""
    left: dict[Device, DomainError] = {}
    done, cut = list[str](), 0
    with transaction.atomic(using=data_center.database):
        for device in sorted(devices, key=lambda one: one.pk):
            try:
                cut += _switch(lock(device), enabled, by=by, at=at)
            except (Conflict, DeviceGone) as error:
                left[device] = error
            else:
                done.append(device.device_name)
        if done:
            action = "device.enable_many" if enabled else "device.disable_many"
            facts: dict[str, object] = {"device_names": done} | ({"cut_off": cut} if cut else {})
            audit.record(action, data_center, by=by, at=at, after=facts, reason=reason, count=len(done))
    return left


def edit(device: Device, *, nickname: str, sn: str, by: Actor, at: datetime) -> None:
    """Local facts: the pre-import row keeps its own (Q3). Raises DeviceGone or Invalid."""
    clean = {"nickname": names.nickname(nickname), "sn": names.serial_number(sn)}
    with transaction.atomic(using=device.data_center.database):
        locked = lock(device)
        before = {name: getattr(locked, name) for name in clean}
        Device.objects.at(device.data_center).filter(pk=device.pk).update(**clean)
        audit.record("device.edit", locked, by=by, at=at, before=before, after=clean)


def delete(device: Device, *, reason: str = "", by: Actor, at: datetime) -> None:
    """Takes it off the list and voids its secret (A7): a pre-import row of its name gets a new one, so that another device can be
    activated under the name while the old secret opens nothing. Certificates that were issued to it in this data center are revoked; one
    that was made elsewhere is not ours to void. Raises DeviceGone."""
    with transaction.atomic(), transaction.atomic(using=device.data_center.database):
        locked = lock(device)
        here = Device.objects.at(device.data_center).filter(pk=device.pk)
        free_places(device.data_center, device.product_id, here)
        cut = _cut_off(locked, CutReason.DELETE, by=by, at=at)
        here.delete()
        facts: dict[str, object] = {"pre_import_secret_renewed": _renew_row_secret(device), "cut_off": cut}
        if revoked := revoke_issued(device.data_center, device.product_id, [device.device_name], at=at):
            facts["issued_certificates"] = revoked
        audit.record("device.delete", locked, by=by, at=at, before=facts, reason=reason)


def reveal_secret(device: Device, *, by: Actor, at: datetime) -> str:
    """The DeviceSecret; the reading is audited. Raises DeviceGone."""
    with transaction.atomic(using=device.data_center.database):
        locked = lock(device)
        audit.record("device.reveal_secret", locked, by=by, at=at)
        return keyring.unseal(locked.sealed_secret, owner=locked.secret_owner())


def free_places(data_center: DataCenter, product_id: int, leaving: QuerySet[Device]) -> None:
    """Devices that nobody imported give their places below the limit back, within the caller's transaction."""
    places = leaving.filter(origin__in=(DeviceOrigin.AUTO_CREATED, DeviceOrigin.PREREGISTRATION_FREE)).count()
    if places:
        counter = AutoCreation.objects.using(data_center.database).filter(product_id=product_id)
        counter.update(created=F("created") - places)


def revoke_issued(data_center: DataCenter, product_id: int, device_names: Sequence[str], *, at: datetime) -> int:
    """The certificates that were issued in this data center to names that leave its list, within the caller's transaction; returns how
    many were good."""
    issued = IssuedCertificate.objects.good().filter(product_id=product_id, device_name__in=device_names, data_center_id=data_center.pk)
    return revocation.withdraw(issued, reason=RevocationReason.CESSATION, at=at)


def _renew_row_secret(device: Device) -> bool:
    row = PreImportedDevice.objects.named(device.product_id, device.device_name)
    if row is None:
        return False
    product = Product.objects.get(pk=device.product_id)
    secret = wire_format(product.wire_protocol).make_device_secrets(1, system_random)[0]
    sealed = keyring.seal(secret, owner=row.secret_owner())
    return bool(PreImportedDevice.objects.filter(pk=row.pk).update(sealed_secret=sealed))


def _set_enabled(device: Device, enabled: bool, action: str, *, reason: str, by: Actor, at: datetime) -> None:
    with transaction.atomic(using=device.data_center.database):
        locked = lock(device)
        cut = _switch(locked, enabled, by=by, at=at)
        audit.record(action, locked, by=by, at=at, after={"cut_off": cut} if cut else {}, reason=reason)


def _switch(locked: Device, enabled: bool, *, by: Actor, at: datetime) -> int:
    """Within the caller's transaction; returns how many of its connections are cut off. Raises Conflict."""
    if locked.enabled == enabled:
        raise Conflict(say("The device is enabled already.") if enabled else say("The device is disabled already."))
    Device.objects.at(locked.data_center).filter(pk=locked.pk).update(enabled=enabled)
    return 0 if enabled else _cut_off(locked, CutReason.DISABLE, by=by, at=at)


def _cut_off(device: Device, reason: CutReason, *, by: Actor, at: datetime) -> int:
    """Orders for all of its connections, after it was forbidden and within the same transaction; returns how many can be cut now."""
    return disconnecting.order(disconnecting.open_connections(device), device, reason=reason, made_by=by.name, at=at)


def lock(device: Device) -> Device:
    """The device as it is now, locked until the transaction ends. Raises DeviceGone."""
    locked = Device.objects.at(device.data_center).select_for_update().filter(pk=device.pk).first()
    if locked is None:
        raise DeviceGone
    return locked


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
