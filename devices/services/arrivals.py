"""A device comes into a data center's list from its pre-import row: never while the batch that made the row is being undone.

Who lets a device in holds its row and the batch's as a foreign key would (FOR KEY SHARE) until the device is stored. Undoing begins by
locking the batch whole, and whoever deletes rows with their devices locks the rows: so that begins before a device comes, which is then
refused, or after it, and then finds it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, transaction

from console.words import say
from devices.models import Batch, Device, DeviceOrigin, PreImportedDevice
from products.models import DataCenter

_HOLD = f"SELECT true, true FROM {PreImportedDevice._meta.db_table} WHERE id = %s"  # noqa: S608  (here and below: tables of ours)
_HOLD_BOTH = (
    f"SELECT b.undo_began_at IS NULL, b.first_came_at IS NULL FROM {PreImportedDevice._meta.db_table} r"  # noqa: S608
    f" JOIN {Batch._meta.db_table} b ON b.id = r.batch_id WHERE r.id = %s"
)

BATCH_GONE = say("The DeviceName is no longer in the pre-import list: its production batch is being undone.")


class LostRace(Exception):
    """Somebody else changed the facts between the decision and its execution."""


@contextmanager
def arriving(data_center: DataCenter) -> Iterator[None]:
    """The transaction of the data center's database, inside one of the center's where that is another: what is held ends last."""
    if data_center.database == DEFAULT_DB_ALIAS:
        with transaction.atomic():
            yield
    else:
        with transaction.atomic(), transaction.atomic(using=data_center.database):
            yield


def may_come(row_id: int, batch_id: int | None, device_name: str, *, data_center: DataCenter, at: datetime) -> bool:
    """Whether the batch that made a row, if one did, is not being undone; row and batch are held until the end of `arriving`. The first
    device of a batch is written down: from then on the batch cannot be undone. Raises LostRace where the row was deleted meanwhile."""
    hold = _HOLD if batch_id is None else _HOLD_BOTH
    with connection.cursor() as cursor:
        cursor.execute(f"{hold} FOR KEY SHARE" if connection.vendor == "postgresql" else hold, [row_id])
        found = cursor.fetchone()
    if found is None:
        raise LostRace
    counts, is_first = found
    if batch_id is not None and counts and is_first:
        note_first(batch_id, device_name, data_center, at)
    return bool(counts)


def copy_of(row: PreImportedDevice, data_center: DataCenter, *, at: datetime) -> Device:
    """The device that a row's first connection makes: it copies what the row says (Q2), and is activated. Not stored yet."""
    return Device(
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
        activated_at=at,
    )


def add(device: Device, data_center: DataCenter) -> None:
    """Within `arriving`. Raises LostRace when the name was taken meanwhile (constraint device_name_unique), which undoes all of it."""
    try:
        device.save(using=data_center.database, force_insert=True)
    except IntegrityError as error:
        raise LostRace from error


def counts(batch_id: int | None) -> bool:
    """Whether a row that this batch made, if one did, still counts now: what `may_come` would say, without holding or writing anything."""
    return batch_id is None or Batch.objects.filter(pk=batch_id, undo_began_at=None).exists()


def note_first(batch_id: int, device_name: str, data_center: DataCenter, at: datetime) -> None:
    """Within the caller's transaction; the first word counts."""
    Batch.objects.filter(pk=batch_id, first_came_at=None).update(
        first_came_at=at, first_came_name=device_name, first_came_to=data_center.name
    )
