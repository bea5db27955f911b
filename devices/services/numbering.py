"""Generated serial numbers follow the pre-import list.

Which device has an SN is said by the pre-import list alone; a generated number keeps it a second time, for its own list and for counting.
Whoever writes SNs there calls `follow` in the same transaction, and it refuses what is not meant for the row.
"""

from collections.abc import Collection
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from django.db import connection

from console.errors import Conflict, DomainError, Invalid
from console.shared import bulk
from console.shared.actors import Actor
from console.words import say
from devices.models import PreImportedDevice, SerialNumber, SerialNumberRun
from devices.rules import serial_numbers as rules

TOGETHER = 10_000

_LOCK = 0x4E50534E
"""Of the database's advisory locks."""


class WrongProduct(Conflict):
    code = "serial_number_of_another_product"


class VoidNumber(Conflict):
    code = "void_serial_number"


class Mistyped(Invalid):
    """It has the form of the product's generated numbers, but is none of them."""

    code = "mistyped_serial_number"
    default_message = "The SN is mistyped: its check character is wrong."


def follow(sns: Collection[str], *, by: Actor, at: datetime) -> None:
    """Brings the generated numbers among these SNs in line with the pre-import list, once its rows are written, in the same transaction.

    Locks these numbers, after the rows. Raises WrongProduct or VoidNumber where a row has a number that is not for it.
    """
    if not sns:
        return
    hold(exclusive=False)
    if not SerialNumber.objects.exists():
        return
    waiting = iter(sns)
    while some := list(islice(waiting, TOGETHER)):
        _follow(some, by, at)


def not_for(product_id: int, sns: Collection[str]) -> dict[str, DomainError]:
    """Those of these SNs that no row of the product may have, each with its refusal: WrongProduct or VoidNumber, which generated numbers
    have, or Mistyped."""
    generated = SerialNumber.objects.filter(sn__in=bulk.among(list(sns), using=SerialNumber.objects.db))
    numbers = {facts[0]: _Number(*facts) for facts in generated.values_list(*_Number._fields)}
    refused = {sn: error for sn, number in numbers.items() if (error := _unfit(number, product_id)) is not None}
    designs = {run.design for run in SerialNumberRun.objects.filter(product_id=product_id, check_character=True)}
    mistyped = (sn for sn in sns if sn not in numbers and any(rules.is_mistyped(design, sn) for design in designs))
    return refused | {sn: Mistyped(field="SN") for sn in mistyped}


def check(product_id: int, sn: str | None) -> None:
    """An SN as somebody typed it, or none. Raises WrongProduct, VoidNumber or Mistyped."""
    for error in not_for(product_id, [sn]).values() if sn else ():
        raise error


def hold(*, exclusive: bool) -> None:
    """Until the transaction ends, numbers are either generated (exclusive) or given to rows of the pre-import list: one SN stands in two
    tables, and no constraint sees both. On SQLite, which has one writer, it is so anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_xact_lock{'' if exclusive else '_shared'}(%s)", [_LOCK])


class _Number(NamedTuple):
    sn: str
    pk: int
    product_id: int
    device_name: str
    voided_at: datetime | None


def _unfit(number: _Number, product_id: int) -> DomainError | None:
    if number.product_id != product_id:
        return WrongProduct(say("The SN {sn} was generated for another product.", sn=number.sn), field="SN")
    if number.voided_at is not None:
        return VoidNumber(say("The SN {sn} was voided: it goes on no device.", sn=number.sn), field="SN")
    return None


def _follow(sns: list[str], by: Actor, at: datetime) -> None:
    """Releases first, so that a device can change its number."""
    store = SerialNumber.objects
    mine = store.select_for_update().filter(sn__in=bulk.among(sns, using=store.db)).order_by("sn")
    numbers = [_Number(*facts) for facts in mine.values_list(*_Number._fields)]
    wanted = bulk.among([number.sn for number in numbers], using=store.db)
    listed = PreImportedDevice.objects.filter(sn__in=wanted) if numbers else PreImportedDevice.objects.none()
    rows = {sn: (product_id, name) for sn, product_id, name in listed.values_list("sn", "product_id", "device_name")}
    released, taken = [], []
    for number in numbers:
        product_id, name = rows.get(number.sn, (number.product_id, ""))
        if name and (error := _unfit(number, product_id)) is not None:
            raise error
        if name and name != number.device_name:
            taken.append((number.pk, name, at, by.user_id))
        elif not name and number.device_name:
            released.append(number.pk)
    store.filter(pk__in=released).update(device_name="", bound_at=None, bound_by=None)
    bulk.change(SerialNumber, ("device_name", "bound_at", "bound_by"), taken, using=store.db)
