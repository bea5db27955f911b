"""The pre-import list by single rows: add, edit, delete, read a secret. Workbooks come through devices.services.uploads."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from console import audit
from console.errors import Conflict, Invalid, NotFound
from console.shared import keyring
from console.shared.actors import Actor
from console.words import say
from devices.models import Authentication, Device, PreImportedDevice
from devices.models.pre_import import device_secret_owner
from devices.rules import names, pins
from devices.services import numbering
from devices.services.lifecycle import free_places, revoke_issued
from products.models import DataCenter, Product
from products.rules.wire_formats import system_random, wire_format
from products.services import supply


class NameTaken(Conflict):
    """The product has a row of this DeviceName, or another row has the SN."""

    code = "name_taken"


class StaticNotAllowed(Invalid):
    """Static devices only on MQTT or LwM2M products (Q5)."""

    code = "static_not_allowed"
    default_message = "Only products on MQTT or LwM2M can hold static devices."


@dataclass(frozen=True, slots=True, repr=False)
class NewRow:
    """A row as typed: anything empty is left out, generated (`device_secret`) or taken as dynamic (`authentication`)."""

    device_name: str
    nickname: str = ""
    sn: str = ""
    authentication: str = Authentication.DYNAMIC
    device_secret: str = ""
    certificate_fingerprint: str = ""


@transaction.atomic
def add(product: Product, new: NewRow, *, by: Actor, at: datetime) -> PreImportedDevice:
    """One row, with its DeviceSecret issued now (A3), counted against the quota.

    Raises Invalid, NameTaken, QuotaExceeded, or what `numbering.check` and `numbering.follow` raise.
    """
    wire = wire_format(product.wire_protocol)
    check_authentication(product, new.authentication, new.certificate_fingerprint)
    name = names.device_name(product.device_name_kind, wire, new.device_name)
    secret = wire.check_device_secret(new.device_secret) if new.device_secret else wire.make_device_secrets(1, system_random)[0]
    row = PreImportedDevice(
        product=product,
        device_name=name,
        nickname=names.nickname(new.nickname),
        sn=names.serial_number(new.sn) or None,
        authentication=new.authentication,
        sealed_secret=keyring.seal(secret, owner=device_secret_owner(product.pk, name)),
        certificate_fingerprint=pins.normalise(new.certificate_fingerprint),
        created_at=at,
    )
    numbering.check(product.pk, row.sn)
    supply.take(product.pk, devices=1)
    _store(row, force_insert=True)
    numbering.follow([row.sn] if row.sn else [], by=by, at=at)
    audit.record("pre_import.add", row, by=by, at=at, after={"product": product.key, "authentication": row.authentication})
    return row


CHANGEABLE = ("nickname", "sn", "authentication", "certificate_fingerprint")


@transaction.atomic
def edit(row_id: int, facts: dict[str, Any], *, by: Actor, at: datetime) -> PreImportedDevice:
    """Changes the row alone: no device list is touched (Q3). Locks the row.

    Raises Invalid, NameTaken, or what `numbering.check` and `numbering.follow` raise.
    """
    row = PreImportedDevice.objects.select_for_update(of=("self",)).select_related("product").get(pk=row_id)
    clean = {
        "nickname": names.nickname(facts.get("nickname", row.nickname)),
        "sn": names.serial_number(facts.get("sn", row.sn) or "") or None,
        "authentication": facts.get("authentication", row.authentication),
        "certificate_fingerprint": pins.normalise(facts.get("certificate_fingerprint", row.certificate_fingerprint)),
    }
    check_authentication(row.product, clean["authentication"], clean["certificate_fingerprint"])
    changed = {name: value for name, value in clean.items() if getattr(row, name) != value}
    before = {name: getattr(row, name) for name in changed}
    for name, value in changed.items():
        setattr(row, name, value)
    numbering.check(row.product_id, changed.get("sn"))
    if changed:
        _store(row, update_fields=list(changed))
        numbering.follow([sn for sn in (before.get("sn"), changed.get("sn")) if sn], by=by, at=at)
        audit.record("pre_import.edit", row, by=by, at=at, before=before, after=changed)
    return row


@transaction.atomic
def delete(row_ids: list[int], *, with_devices: bool, reason: str = "", by: Actor, at: datetime) -> int:
    """Deletes rows and gives their places of the quota back; with the devices made from them in every data center, if asked for,
    which voids their secrets (A7) and the certificates that were issued to them. Activation codes stay used. Returns the number of rows.
    Raises NotFound."""
    rows = list(PreImportedDevice.objects.select_for_update().filter(pk__in=row_ids).order_by("pk"))
    if not rows:
        raise NotFound("The rows are gone already.")
    by_product: dict[int, list[str]] = {}
    for row in rows:
        by_product.setdefault(row.product_id, []).append(row.device_name)
    devices = 0
    for product_id, device_names in sorted(by_product.items()):
        supply.give_back(product_id, devices=len(device_names))
        if with_devices:
            devices += _delete_devices(product_id, device_names, at)
    PreImportedDevice.objects.filter(pk__in=[row.pk for row in rows]).delete()
    numbering.follow([row.sn for row in rows if row.sn], by=by, at=at)
    target = rows[0] if len(rows) == 1 else f"{len(rows)} pre-import rows"
    facts = {"devices_deleted": devices, "with_devices": with_devices, "names": [row.device_name for row in rows[:20]]}
    audit.record("pre_import.delete", target, by=by, at=at, before=facts, reason=reason, count=len(rows))
    return len(rows)


@transaction.atomic
def reveal_secret(row: PreImportedDevice, *, by: Actor, at: datetime) -> str:
    """The DeviceSecret; the reading is audited."""
    audit.record("pre_import.reveal_secret", row, by=by, at=at)
    return keyring.unseal(row.sealed_secret, owner=row.secret_owner())


def check_authentication(product: Product, authentication: str, fingerprint: str) -> None:
    """Raises Invalid (StaticNotAllowed among them)."""
    if authentication == Authentication.STATIC and not product.allows_static:
        raise StaticNotAllowed(field="authentication")
    if fingerprint and authentication != Authentication.X509:
        raise Invalid("Only a device with a certificate of its own (X.509) has a fingerprint.", field="certificate_fingerprint")


def _delete_devices(product_id: int, device_names: list[str], at: datetime) -> int:
    deleted = 0
    for data_center in DataCenter.objects.order_by("pk"):
        with transaction.atomic(using=data_center.database):
            here = Device.objects.at(data_center).filter(product_id=product_id, device_name__in=device_names)
            free_places(data_center, product_id, here)
            deleted += here.delete()[1].get(Device._meta.label, 0)
        revoke_issued(data_center, product_id, device_names, at=at)
    return deleted


def _store(row: PreImportedDevice, **how: Any) -> None:
    """Raises NameTaken."""
    try:
        with transaction.atomic():
            row.save(**how)
    except IntegrityError as error:
        if row.sn and PreImportedDevice.objects.filter(sn=row.sn).exclude(pk=row.pk).exists():
            raise NameTaken(say("Another device has the SN {sn}.", sn=row.sn), field="sn") from error
        words = say("{device_name} is in the pre-import list of this product already.", device_name=row.device_name)
        raise NameTaken(words, field="device_name") from error
