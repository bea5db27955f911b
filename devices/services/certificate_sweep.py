"""Devices that are connected by a certificate that counts no more are cut off, whatever is the reason: a serial number, a list, a CA.

A connection is refused by devices/rules/presented.py, whose judgement needs the whole chain; here are only the keys of that chain which
were kept with the pin. They are looked up a block of devices at a time, then each block is looked at once more under the devices' locks.
One device's own revocation cuts it in its own transaction (device_certificates.revoke); a device that slipped in then is found here too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from devices.models import Connection, CutReason, Device, DeviceCertificate, DisconnectOrder
from devices.querysets import DeviceCertificateQuerySet
from devices.services import disconnecting
from devices.services.presence import BY
from products.models import DataCenter
from products.services import revocation_news, revoked_paths
from products.services.revoked_paths import Paths

BLOCK: Final = 1_000
LOCKED_TOGETHER: Final = 200


@dataclass(frozen=True, slots=True)
class _Scope:
    """What is looked for. `issuers`: the public keys whose revoked numbers are asked for, None for all of them."""

    paths: Paths
    issuers: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class _Standing:
    """A connected device, and what its connection stands on."""

    device_id: int
    product_id: int
    authority_id: int | None
    revoked_at: datetime | None
    keys: list[str]


_FACTS: Final = ("pk", "device__product_id", "authority_id", "revoked_at", "path_keys")


def cut_by(authority_id: int, *, at: datetime) -> int:
    """Something of this CA was revoked: returns how many connections are cut. Nothing where another process is at it already."""
    return _cut([authority_id], at) if revocation_news.claim(authority_id) else 0


def cut_again(*, at: datetime) -> int:
    """The later rounds of what was revoked lately, and what a lost nudge has left."""
    found = revocation_news.claim_all()
    return _cut(found, at) if found else 0


def cut_all(*, at: datetime) -> int:
    """All open connections by all that is revoked: for those that came in by an older state of things, as after a copy was played back."""
    return _walk(_Scope(revoked_paths.paths(), None), at)


def _cut(authority_ids: Sequence[int], at: datetime) -> int:
    return _walk(_Scope(revoked_paths.paths(), revoked_paths.issuers_below(authority_ids)), at)


def _walk(scope: _Scope, at: datetime) -> int:
    cut = 0
    for database in sorted(set(DataCenter.objects.values_list("database", flat=True))):
        for block in _connected(database):
            bad = _not_ordered_yet(database, _bad(block, scope))
            for start in range(0, len(bad), LOCKED_TOGETHER):
                cut += _cut_off(database, bad[start : start + LOCKED_TOGETHER], at)
    return cut


def _connected(database: str) -> Iterator[list[_Standing]]:
    """Devices with a certificate that have an open connection, in the order of their numbers."""
    after = 0
    while block := [_Standing(*row) for row in _standing(database).filter(pk__gt=after).order_by("pk").values_list(*_FACTS)[:BLOCK]]:
        yield block
        after = block[-1].device_id


def _standing(database: str) -> DeviceCertificateQuerySet:
    return DeviceCertificate.objects.using(database).connected(Connection.objects.using(database))


def _bad(block: Sequence[_Standing], scope: _Scope) -> list[_Standing]:
    asked = {key for one in block for key in one.keys if scope.issuers is None or key.partition(":")[0] in scope.issuers}
    revoked = revoked_paths.revoked_among(asked)
    return [one for one in block if one.revoked_at or not revoked.isdisjoint(one.keys) or not _leads_through(one, scope.paths)]


def _leads_through(one: _Standing, paths: Paths) -> bool:
    return paths.lead_through(one.authority_id, [key.partition(":")[0] for key in one.keys], one.product_id)


def _not_ordered_yet(database: str, bad: Sequence[_Standing]) -> list[_Standing]:
    """Without those whose orders wait for their broker: a look without a lock spares most of a fleet the second one."""
    if not bad:
        return []
    devices = Device.objects.using(database).in_bulk([one.device_id for one in bad])
    left = {connection.device_id for connection in _open(database, devices)}
    return [one for one in bad if one.device_id in left]


def _cut_off(database: str, bad: Sequence[_Standing], at: datetime) -> int:
    """One transaction. Who has come with another certificate meanwhile, or whose pin was reset, is left to the next round."""
    known = {one.device_id: one for one in bad}
    with transaction.atomic(using=database):
        devices = {device.pk: device for device in Device.objects.using(database).select_for_update().filter(pk__in=known).order_by("pk")}
        now = [_Standing(*row) for row in _standing(database).filter(pk__in=devices).values_list(*_FACTS)]
        still = {one.device_id: devices[one.device_id] for one in now if one == known[one.device_id]}
        meant = [(one, still[one.device_id]) for one in _open(database, still)]
        return disconnecting.order_all(meant, reason=CutReason.CERTIFICATE, made_by=BY, at=at, using=database)


def _open(database: str, devices: Mapping[int, Device]) -> list[Connection]:
    """Their open connections without those that an order has named before: it waits for its broker, or for the next connection."""
    names = {device.device_name for device in devices.values()}
    centers, products = ({getattr(device, field) for device in devices.values()} for field in ("data_center_id", "product_id"))
    orders = DisconnectOrder.objects.using(database).filter(data_center__in=centers, product__in=products, device_name__in=names)
    ordered = set(orders.values_list("broker_id", "mqtt_client_id", "connected_at"))
    found = Connection.objects.using(database).open().filter(device_id__in=devices).select_related("identity").order_by("pk")
    return [one for one in found if (one.broker_id, one.mqtt_client_id, one.connected_at) not in ordered]
