"""What is on file of a device that presents a certificate: one statement where the data center's list has it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from console.shared.statements import Statement
from devices.models import Connection, Device, DeviceCertificate, PreImportedDevice
from devices.rules import pins
from devices.rules.connecting import Facts
from devices.rules.pins import Pin, Pins
from devices.services import disconnecting
from products.models import DataCenter

NOWHERE = (0, "")

_ON_FILE = Statement(
    f"""
SELECT d.id, d.authentication, d.enabled, d.activated_at IS NOT NULL, d.certificate_fingerprint, c.device_id,
       c.sha256, c.spki_sha256, c.sha1, c.next_sha256, c.next_sha1, c.authority_id, CAST(c.path_keys AS text), c.revoked_at IS NOT NULL,
       EXISTS (SELECT 1 FROM {Connection._meta.db_table} o WHERE o.broker_id = %s AND o.mqtt_client_id = %s
               AND o.disconnected_at IS NULL AND o.device_id <> d.id)
FROM {Device._meta.db_table} d LEFT JOIN {DeviceCertificate._meta.db_table} c ON c.device_id = d.id
WHERE d.data_center_id = %s AND d.product_id = %s AND d.device_name = %s"""  # noqa: S608  (table names of ours)
)


class Slots(NamedTuple):
    """The fingerprints of a DeviceCertificate as they are stored: a row that still has them is still the one that was read."""

    sha256: str = ""
    spki_sha256: str = ""
    sha1: str = ""
    next_sha256: str = ""
    next_sha1: str = ""

    @property
    def pins(self) -> Pins:
        current = Pin(self.sha256, self.spki_sha256, self.sha1) if self.sha256 or self.sha1 else None
        return Pins(current, Pin(self.next_sha256, sha1=self.next_sha1) if self.next_sha256 or self.next_sha1 else None)


def slots_of(found: Pins) -> Slots:
    """The other way round."""
    current, following = found.current or Pin(), found.next or Pin()
    return Slots(current.sha256, current.spki_sha256, current.sha1, following.sha256, following.sha1)


@dataclass(frozen=True, slots=True)
class Path:
    """What would revoke the certificate that was last accepted, as DeviceCertificate has it."""

    authority_id: int | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OnFile:
    """What is known under a name. `fingerprint`: what the device, or the row, was imported with; `slots` None: the device has no
    DeviceCertificate, and its fingerprint is what is expected. `revoked_at`: an operator revoked the device's certificates."""

    facts: Facts
    fingerprint: str = ""
    device_id: int | None = None
    slots: Slots | None = None
    path: Path = Path()
    revoked_at: datetime | None = None
    row: PreImportedDevice | None = None

    @property
    def pins(self) -> Pins:
        return Pins(pins.typed(self.fingerprint)) if self.slots is None else self.slots.pins


def look_up(data_center: DataCenter, product_id: int, device_name: str, place: tuple[int, str] = NOWHERE) -> OnFile:
    """The name's device here, else its pre-import row. Locks nothing. `place`: as connections.look_up has it."""
    found = _ON_FILE.first(data_center.database, (*place, data_center.pk, product_id, device_name))
    if found is None:
        return _new_here(data_center, product_id, device_name, place)
    device_id, authentication, enabled, activated, fingerprint, has_row, *stored = found
    *slots, authority_id, keys, revoked, taken = stored
    return OnFile(
        facts=Facts(True, authentication, bool(enabled), bool(activated), client_id_taken=bool(taken)),
        fingerprint=fingerprint,
        device_id=device_id,
        slots=Slots(*slots) if has_row is not None else None,
        path=Path(authority_id, tuple(json.loads(keys))) if has_row is not None else Path(),
        revoked_at=_revoked_at(data_center, device_id) if revoked else None,
    )


def _new_here(data_center: DataCenter, product_id: int, device_name: str, place: tuple[int, str]) -> OnFile:
    row = PreImportedDevice.objects.named(product_id, device_name)
    taken = place != NOWHERE and disconnecting.open_at(data_center, *place).exists()
    facts = Facts(False, row.authentication if row else None, client_id_taken=taken)
    return OnFile(facts, row.certificate_fingerprint if row else "", row=row)


def _revoked_at(data_center: DataCenter, device_id: int) -> datetime | None:
    rows = DeviceCertificate.objects.using(data_center.database).filter(device_id=device_id)
    return rows.values_list("revoked_at", flat=True).first()
