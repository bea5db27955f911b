"""What is on file under a name when it asks for admission: read with one statement where both lists live in one database, else with two."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from django.db import DEFAULT_DB_ALIAS

from console.shared.statements import Statement
from devices.models import AutoCreation, Batch, Device, PreImportedDevice
from devices.rules.admission import X509, Known
from products.models import DataCenter, IssuedCertificate

_DEVICE: Final = "d.id, d.authentication, d.enabled, d.registered_at IS NOT NULL, d.activated_at IS NOT NULL, d.sealed_secret"
_ROW: Final = (
    "r.id, r.nickname, r.sn, r.authentication, r.sealed_secret, r.certificate_fingerprint, r.batch_id,"
    " b.undo_began_at IS NULL, b.first_came_at IS NULL"
)
_DEVICES: Final = f"{Device._meta.db_table} d"
_ROWS: Final = f"{PreImportedDevice._meta.db_table} r"
_BATCHES: Final = f"LEFT JOIN {Batch._meta.db_table} b ON b.id = r.batch_id"
_HERE: Final = "d.data_center_id = %s AND d.product_id = %s AND d.device_name = %s"
_NAMED: Final = "r.product_id = %s AND r.device_name = %s"
DEVICE_COLUMNS: Final = 6

_IN_LIST: Final = Statement(f"SELECT {_DEVICE} FROM {_DEVICES} WHERE {_HERE}")  # noqa: S608  (here and below: tables of ours)
_IMPORTED: Final = Statement(f"SELECT {_ROW} FROM {_ROWS} {_BATCHES} WHERE {_NAMED}")  # noqa: S608
_IN_BOTH: Final = Statement(
    f"SELECT {_DEVICE}, {_ROW} FROM (SELECT 1 AS asked) a LEFT JOIN {_DEVICES} ON {_HERE} LEFT JOIN {_ROWS} ON {_NAMED} {_BATCHES}"  # noqa: S608
)
_CREATED: Final = Statement(f"SELECT created FROM {AutoCreation._meta.db_table} WHERE product_id = %s")  # noqa: S608


class ListedDevice(NamedTuple):
    """A device of the data center's list."""

    id: int
    authentication: str
    enabled: bool
    registered: bool
    activated: bool
    sealed_secret: bytes

    def known(self, *, was_issued: bool) -> Known:
        return Known(self.authentication, bool(self.enabled), bool(self.registered), bool(self.activated), was_issued)


class ImportedRow(NamedTuple):
    """A row of the pre-import list. `batch_counts`: the batch that made it is not being undone; `batch_is_new`: none of its devices has
    come yet. Both mean nothing where no batch made it."""

    id: int
    nickname: str
    sn: str | None
    authentication: str
    sealed_secret: bytes
    certificate_fingerprint: str
    batch_id: int | None
    batch_counts: bool
    batch_is_new: bool

    @property
    def counts(self) -> bool:
        return self.batch_id is None or bool(self.batch_counts)


@dataclass(frozen=True, slots=True)
class OnFile:
    """At most one of the two: the row is of interest only where the list does not have the name."""

    device: ListedDevice | None = None
    row: ImportedRow | None = None


def look_up(data_center: DataCenter, product_id: int, device_name: str) -> OnFile:
    """Locks nothing."""
    here, named = (data_center.pk, product_id, device_name), (product_id, device_name)
    if data_center.database == DEFAULT_DB_ALIAS:
        found = _IN_BOTH.first(DEFAULT_DB_ALIAS, (*here, *named)) or ()
        device, row = found[:DEVICE_COLUMNS], found[DEVICE_COLUMNS:]
    else:
        device = _IN_LIST.first(data_center.database, here) or ()
        row = () if device else _IMPORTED.first(DEFAULT_DB_ALIAS, named) or ()
    if device and device[0] is not None:
        return OnFile(device=ListedDevice(*device))
    return OnFile(row=ImportedRow(*row)) if row and row[0] is not None else OnFile()


def created(data_center: DataCenter, product_id: int) -> int:
    """How many devices of the product were created automatically in this database."""
    found = _CREATED.first(data_center.database, (product_id,))
    return found[0] if found else 0


def was_issued(data_center: DataCenter, product_id: int, device_name: str, device: ListedDevice) -> bool:
    """Whether this very device was handed a certificate here when it registered: what was issued to an earlier one of its name, which was
    deleted since, does not count. Two statements, for a device that authenticates by certificate; none for others."""
    if device.authentication != X509:
        return False
    added = Device.objects.at(data_center).filter(pk=device.id).values_list("created_at", flat=True).first()
    if added is None:
        return False
    issued = IssuedCertificate.objects.of_device(product_id, device_name)
    return issued.filter(data_center_id=data_center.pk, issued_at__gte=added).exists()
