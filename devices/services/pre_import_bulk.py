"""Many rows of the pre-import list in one call: each stands or falls by itself, all that stand are stored in one transaction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from console import audit
from console.errors import DomainError
from console.shared import keyring
from console.shared.actors import Actor
from console.words import say
from devices.models import PreImportedDevice
from devices.models.pre_import import device_secret_owner
from devices.querysets import PreImportRow
from devices.rules import names, pins
from devices.services import numbering
from devices.services.pre_import import NameTaken, NewRow, check_authentication
from products.models import Product
from products.rules.wire_formats import WireFormat, system_random, wire_format
from products.services import supply


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row: the number of the row that was made, or why none was."""

    device_name: str
    row_id: int | None = None
    error: DomainError | None = None


@transaction.atomic
def add_many(product: Product, new: Sequence[NewRow], *, by: Actor, at: datetime) -> list[Outcome]:
    """In the order of `new`. One audit line with the count. Raises QuotaExceeded, and then no row was made."""
    checked = [_checked(product, one) for one in new]
    _refuse_taken(product, checked)
    good = [one for one in checked if isinstance(one, NewRow)]
    rows = list(_sealed(product, good, at))
    stored = PreImportedDevice.objects.store(sorted(rows), skip_taken=True)
    supply.take(product.pk, devices=stored)
    made = _made(product, rows)
    if made:
        numbering.follow([row.sn for row in rows if row.sn and row.device_name in made], by=by, at=at)
        audit.record("pre_import.add_many", product, by=by, at=at, after={"product": product.key}, count=len(made))
    return [_outcome(one, given, made) for one, given in zip(checked, new, strict=True)]


def _checked(product: Product, new: NewRow) -> NewRow | DomainError:
    """The row in its stored form, or the rule that it breaks."""
    wire = wire_format(product.wire_protocol)
    try:
        check_authentication(product, new.authentication, new.certificate_fingerprint)
        return NewRow(
            device_name=names.device_name(product.device_name_kind, wire, new.device_name),
            nickname=names.nickname(new.nickname),
            sn=names.serial_number(new.sn),
            authentication=new.authentication,
            device_secret=wire.check_device_secret(new.device_secret) if new.device_secret else "",
            certificate_fingerprint=pins.normalise(new.certificate_fingerprint),
        )
    except DomainError as error:
        return error


def _refuse_taken(product: Product, rows: list[NewRow | DomainError]) -> None:
    """Replaces rows whose name or SN is in the list already, or comes twice here, or whose SN is another product's label."""
    good = [row for row in rows if isinstance(row, NewRow)]
    wanted = [row.sn for row in good if row.sn]
    of_product = PreImportedDevice.objects.of(product).filter(device_name__in=[row.device_name for row in good])
    names_taken = set(of_product.values_list("device_name", flat=True))
    sns_taken = set(PreImportedDevice.objects.filter(sn__in=wanted).values_list("sn", flat=True))
    unfit = numbering.not_for(product.pk, wanted)
    for index, row in enumerate(rows):
        if not isinstance(row, NewRow):
            continue
        if row.device_name in names_taken:
            rows[index] = _name_taken(row.device_name)
        elif row.sn in sns_taken:
            rows[index] = NameTaken(say("Another device has the SN {sn}.", sn=row.sn), field="sn")
        elif row.sn in unfit:
            rows[index] = unfit[row.sn]
        else:
            names_taken.add(row.device_name)
            sns_taken |= {row.sn} - {""}


def _sealed(product: Product, rows: list[NewRow], at: datetime) -> Iterator[PreImportRow]:
    """With the given secret or a new one (A3)."""
    wire: WireFormat = wire_format(product.wire_protocol)
    issued = iter(wire.make_device_secrets(sum(not row.device_secret for row in rows), system_random))
    owned = [(row.device_secret or next(issued), device_secret_owner(product.pk, row.device_name)) for row in rows]
    for row, sealed in zip(rows, keyring.seal_many(owned), strict=True):
        facts = (row.nickname, row.sn or None, row.authentication, sealed, row.certificate_fingerprint)
        yield PreImportRow(product.pk, row.device_name, *facts, None, at)


def _made(product: Product, rows: list[PreImportRow]) -> dict[str, int]:
    """The numbers of our rows by DeviceName: a seal has a nonce of its own, so a row that somebody was faster with is told from ours."""
    ours = {row.device_name: row.sealed_secret for row in rows}
    found = PreImportedDevice.objects.of(product).filter(device_name__in=list(ours)).values_list("pk", "device_name", "sealed_secret")
    return {name: pk for pk, name, sealed in found if bytes(sealed) == bytes(ours[name])}


def _outcome(one: NewRow | DomainError, given: NewRow, made: dict[str, int]) -> Outcome:
    if isinstance(one, DomainError):
        return Outcome(given.device_name, error=one)
    if one.device_name not in made:
        return Outcome(one.device_name, error=NameTaken(say("Somebody else added this DeviceName or SN in this moment.")))
    return Outcome(one.device_name, made[one.device_name])


def _name_taken(name: str) -> NameTaken:
    return NameTaken(say("{device_name} is in the pre-import list of this product already.", device_name=name), field="device_name")
