"""How an admission is carried out: one conditional change of the device list, and what is stored with it or not at all.

On PostgreSQL a change, what it depends on in the same database, and the rows that go with it are one statement and one commit. Where that
cannot be (SQLite has no such statements; a batch lives in the center's database and the device list in another) they are one transaction
of simple statements, inside one of the center's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections

from console.shared.statements import Change, Into, Row, Statement, Values, table_of, together
from devices.models import Authentication, AutoCreation, Batch, Device, DeviceOrigin, PreImportedDevice
from devices.services import arrivals
from devices.services.admission_facts import ImportedRow, ListedDevice
from devices.services.arrivals import LostRace
from products.models import DataCenter

DEVICES: Final = Device._meta.db_table
COUNTERS: Final = AutoCreation._meta.db_table
BATCHES: Final = Batch._meta.db_table
ROWS: Final = PreImportedDevice._meta.db_table

NEW: Final = Into.columns(
    Device,
    "data_center",
    "product",
    "device_name",
    "nickname",
    "sn",
    "authentication",
    "origin",
    "sealed_secret",
    "certificate_fingerprint",
    "enabled",
    "created_at",
    "registered_at",
    "client_ids_active",
)
SET: Final = f"UPDATE {DEVICES} SET registered_at = %s, authentication = %s"  # noqa: S608  (here and below: tables of ours)
OPEN: Final = "WHERE id = %s AND data_center_id = %s AND enabled AND activated_at IS NULL AND authentication = %s"
HAND_OUT: Final = Change(f"{SET} {OPEN} AND sealed_secret = %s")
HAND_OUT_ONCE: Final = Change(f"{HAND_OUT.text} AND registered_at IS NULL")
RENEW: Final = Change(f"{SET}, sealed_secret = %s {OPEN}")
RENEW_ONCE: Final = Change(f"{RENEW.text} AND registered_at IS NULL")
CERTIFY: Final = Change(f"{SET} {OPEN}")
CERTIFY_ONCE: Final = Change(f"{CERTIFY.text} AND registered_at IS NULL")

LISTED: Final = f"listed AS (SELECT id FROM {ROWS} WHERE id = %s FOR KEY SHARE)"  # noqa: S608
HELD: Final = f"{LISTED}, held AS (SELECT b.id FROM {BATCHES} b, listed WHERE b.id = %s AND b.undo_began_at IS NULL FOR KEY SHARE OF b)"  # noqa: S608
NOTED: Final = (
    f"noted AS (UPDATE {BATCHES} SET first_came_at = %s, first_came_name = %s, first_came_to = %s"  # noqa: S608
    " WHERE id = (SELECT id FROM held) AND first_came_at IS NULL RETURNING 1)"
)
PLACE: Final = f"place AS (UPDATE {COUNTERS} SET created = created + 1 WHERE product_id = %s AND created < %s RETURNING 1)"  # noqa: S608
ADD: Final = Change(NEW.text)
ADD_LISTED: Final = Change(f"{NEW.text} FROM listed", LISTED)
ADD_HELD: Final = Change(f"{NEW.text} FROM held", HELD)
ADD_FIRST: Final = Change(f"{NEW.text} FROM held LEFT JOIN noted ON true", f"{HELD}, {NOTED}")
"""The join makes the note come before the device, the order in which everybody takes these two."""
ADD_COUNTED: Final = Change(f"{NEW.text} FROM place", PLACE)
TAKE_PLACE: Final = Statement(f"UPDATE {COUNTERS} SET created = created + 1 WHERE product_id = %s AND created < %s")  # noqa: S608
BEGIN_COUNTING: Final = Statement(f"INSERT INTO {COUNTERS} (product_id, created) VALUES (%s, 0) ON CONFLICT DO NOTHING")  # noqa: S608


@dataclass(frozen=True, slots=True)
class Place:
    """A name in the list of a data center, and the moment of its registration."""

    data_center: DataCenter
    product_id: int
    device_name: str
    at: datetime

    @property
    def in_one(self) -> bool:
        """Whether the device list is on PostgreSQL, beside the batches."""
        database = self.data_center.database
        return database == DEFAULT_DB_ALIAS and connections[database].vendor == "postgresql"


def hand_out(place: Place, device: ListedDevice, *, once: bool, new_secret: bytes | None, rows: Sequence[Row]) -> None:
    """Registers a device that is there, as long as it is open to it and its secret is the one that was read; `new_secret` (sealed) takes
    that one's place. It authenticates with its secret from now on. Raises LostRace."""
    to, which = (place.at, Authentication.DYNAMIC.value), (device.id, place.data_center.pk, device.authentication)
    values: Values = (*to, *which, device.sealed_secret)
    change = HAND_OUT_ONCE if once else HAND_OUT
    if new_secret is not None:
        values = (*to, new_secret, *which)
        change = RENEW_ONCE if once else RENEW
    if not together(place.data_center.database, change, values, rows):
        raise LostRace


def certify(place: Place, device: ListedDevice, *, once: bool, rows: Sequence[Row]) -> None:
    """Registers a device that is there, as long as it is open to it: it authenticates by certificate from now on. Raises LostRace."""
    values = (place.at, Authentication.X509.value, device.id, place.data_center.pk, device.authentication)
    if not together(place.data_center.database, CERTIFY_ONCE if once else CERTIFY, values, rows):
        raise LostRace


def add_imported(place: Place, row: ImportedRow, authentication: str, *, rows: Sequence[Row]) -> bool:
    """A device copied from its row, but for `authentication`, which follows from what it is handed. False, and nothing is stored, where the
    row's batch is being undone. Raises LostRace, also where the row is gone."""
    values = _device(place, authentication, DeviceOrigin.PRE_IMPORT, row.sealed_secret, row)
    if place.in_one:
        if _add_at_once(place, row, values, rows):
            return True
        if arrivals.counts(row.batch_id):
            raise LostRace
        return False
    with arrivals.arriving(place.data_center):
        came = arrivals.may_come(row.id, row.batch_id, place.device_name, data_center=place.data_center, at=place.at)
        return came and _add(place, ADD, values, rows)


def add_created(place: Place, sealed_secret: bytes, authentication: str, *, limit: int, rows: Sequence[Row]) -> bool:
    """A device that nobody imported, which takes one of `limit` places. False, and nothing is stored, where none is left. Locks the
    product's counter. Raises LostRace."""
    values = _device(place, authentication, DeviceOrigin.AUTO_CREATED, sealed_secret)
    if _add_counted(place, values, limit, rows):
        return True
    BEGIN_COUNTING.change(place.data_center.database, (place.product_id,))  # By whomever: the limit may not be what stood in the way.
    return _add_counted(place, values, limit, rows)


def take_place(data_center: DataCenter, product_id: int, *, limit: int) -> bool:
    """One of `limit` places for a device that nobody imported, within the caller's transaction; False where none is left. Locks the
    product's counter."""
    here, values = data_center.database, (product_id, limit)
    if TAKE_PLACE.change(here, values):
        return True
    BEGIN_COUNTING.change(here, (product_id,))
    return bool(TAKE_PLACE.change(here, values))


def _add_at_once(place: Place, row: ImportedRow, values: Values, rows: Sequence[Row]) -> bool:
    """False where the row is gone or its batch is being undone."""
    if row.batch_id is None:
        return _add(place, ADD_LISTED, (row.id, *values), rows)
    if not row.batch_is_new:
        return _add(place, ADD_HELD, (row.id, row.batch_id, *values), rows)
    note = (place.at, place.device_name, place.data_center.name)
    return _add(place, ADD_FIRST, (row.id, row.batch_id, *note, *values), rows)


def _add_counted(place: Place, values: Values, limit: int, rows: Sequence[Row]) -> bool:
    if connections[place.data_center.database].vendor == "postgresql":
        return _add(place, ADD_COUNTED, (place.product_id, limit, *values), rows)
    with arrivals.arriving(place.data_center):
        took = TAKE_PLACE.change(place.data_center.database, (place.product_id, limit))
        return bool(took) and _add(place, ADD, values, rows)


def _add(place: Place, change: Change, values: Values, rows: Sequence[Row]) -> bool:
    """Raises LostRace when the name was taken meanwhile (constraint device_name_unique), which undoes all that came with it."""
    try:
        return bool(together(place.data_center.database, change, values, rows))
    except IntegrityError as error:
        if table_of(error) != DEVICES:
            raise
        raise LostRace from error


def _device(place: Place, authentication: str, origin: str, sealed_secret: bytes, row: ImportedRow | None = None) -> Values:
    """The values of NEW."""
    nickname, sn, fingerprint = (row.nickname, row.sn or "", row.certificate_fingerprint) if row else ("", "", "")
    who = (place.data_center.pk, place.product_id, place.device_name, nickname, sn)
    return (*who, authentication, origin, sealed_secret, fingerprint, True, place.at, place.at, 0)
