"""Who is there: arrivals and departures as they are recorded behind the answers, many in one transaction.

Every arrival is looked at once more under the device's lock: who slipped in while he was being forbidden gets an order to be cut off.
Services that forbid lock the same row, so either they see the connection or the arrival sees the prohibition.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import transaction

from console.shared import bulk
from devices.models import ClientIdentity, Connection, ConnectionEnd, CutReason, Device, DisconnectOrder
from devices.services import disconnecting
from products.models import Broker, DataCenter

AT_A_TIME = 200
SLACK = timedelta(seconds=2)
"""A broker's clock beside ours, when it says when an ended session began."""
BY = "system"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A connection that was accepted. `mqtt_client_id`: as the broker knows it; `client_id`: the issued ClientID or empty."""

    data_center: DataCenter
    device_id: int
    product_id: int
    device_name: str
    identity_id: int | None
    client_id: str
    broker_id: int
    tells_departures: bool
    mqtt_client_id: str
    address: str | None
    at: datetime
    session: str = ""


@dataclass(frozen=True, slots=True)
class Departure:
    """A connection that ended, as its broker tells it. `began_at`: when it began, where the broker knows; `session`: its name for it."""

    data_center: DataCenter
    broker_id: int
    mqtt_client_id: str
    at: datetime
    began_at: datetime | None = None
    session: str = ""
    ended: ConnectionEnd = ConnectionEnd.LEFT


@dataclass(frozen=True, slots=True)
class Sight:
    """A device was let in where nothing stays connected."""

    data_center: DataCenter
    device_id: int
    at: datetime


def arrived(arrivals: Sequence[Arrival]) -> None:
    """Stores the connections, in order, and marks their devices online (or seen, at a broker that does not tell departures)."""
    for some in _by_database(arrivals):
        database = some[0].data_center.database
        with transaction.atomic(using=database):
            devices = _locked(database, {arrival.device_id for arrival in some})
            identities = ClientIdentity.objects.using(database).in_bulk({arrival.identity_id for arrival in some if arrival.identity_id})
            for wave in _once_each(some):
                plain, rest = _sorted_out(database, wave, devices, identities)
                _arrive_together(database, plain, devices)
                for arrival in rest:
                    device = devices.get(arrival.device_id)
                    if device is None:
                        _cut_a_stranger(arrival)
                    else:
                        _arrive(arrival, device, identities.get(arrival.identity_id or 0))


def seen(sights: Sequence[Sight]) -> None:
    """Marks the devices as seen; one that was reset meanwhile is not activated, and so was not seen."""
    for some in _by_database(sights):
        database = some[0].data_center.database
        with transaction.atomic(using=database):
            devices = _locked(database, {sight.device_id for sight in some})
            present = [sight for sight in some if sight.device_id in devices and devices[sight.device_id].activated_at is not None]
            latest = {sight.device_id: sight.at for sight in sorted(present, key=lambda sight: sight.at)}
            bulk.change(Device, ("last_seen_at",), list(latest.items()), using=database)


def left(departures: Sequence[Departure]) -> list[Connection]:
    """Ends the connections that are meant and returns them with their devices; a newer one under the same MQTT client id stays."""
    ended: list[Connection] = []
    for some in _by_database(departures):
        database = some[0].data_center.database
        with transaction.atomic(using=database):
            _locked(database, {connection.device_id for departure in some for connection in _meant(departure)})
            for departure in some:
                ended += disconnecting.end(_meant(departure), departure.ended, at=departure.at)
    return ended


def all_lost(data_center: DataCenter, broker_id: int, *, at: datetime) -> Iterator[list[Connection]]:
    """Nobody is connected at this broker any more, as when it has just started: ends all its open connections and returns them in parts."""
    open_ones = Connection.objects.using(data_center.database).open().filter(broker_id=broker_id, connected_at__lte=at)
    open_ones = open_ones.select_related("device", "identity").order_by("pk")
    while some := list(open_ones[:AT_A_TIME]):
        with transaction.atomic(using=data_center.database):
            ended = disconnecting.end(some, ConnectionEnd.LOST, at=at)
        yield ended


def note_session(
    *, data_center: DataCenter, broker_id: int, mqtt_client_id: str, session: str = "", address: str | None = None, at: datetime
) -> bool:
    """The broker told its own name of a connection, or its address. False where no such connection is open."""
    newest = disconnecting.open_at(data_center, broker_id, mqtt_client_id).filter(connected_at__lte=at + SLACK).order_by("-pk").first()
    if newest is None:
        return False
    told = {name: value for name, value in (("session", session), ("address", address)) if value}
    if told:
        Connection.objects.using(data_center.database).filter(pk=newest.pk).update(**told)
    if address and newest.identity_id:
        ClientIdentity.objects.using(data_center.database).filter(pk=newest.identity_id).update(last_address=address)
    return True


Event = TypeVar("Event", Arrival, Departure, Sight)


def _by_database(events: Sequence[Event]) -> Iterator[list[Event]]:
    grouped: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        grouped[event.data_center.database].append(event)
    for group in grouped.values():
        for start in range(0, len(group), AT_A_TIME):
            yield group[start : start + AT_A_TIME]


def _locked(database: str, device_ids: set[int]) -> dict[int, Device]:
    """Locked in the order of their numbers, so that two batches never wait for each other."""
    rows = Device.objects.using(database).select_for_update().filter(pk__in=device_ids).order_by("pk")
    return {device.pk: device for device in rows}


def _once_each(some: Sequence[Arrival]) -> list[list[Arrival]]:
    """Each device once in a wave, its arrivals in their order."""
    waves: list[list[Arrival]] = []
    times: Counter[int] = Counter()
    for arrival in some:
        if times[arrival.device_id] == len(waves):
            waves.append([])
        waves[times[arrival.device_id]].append(arrival)
        times[arrival.device_id] += 1
    return waves


Plain = list[tuple[Arrival, list[Connection]]]
"""Arrivals with nothing to decide, each with the connections of the same client that it takes over."""


def _sorted_out(
    database: str, some: Sequence[Arrival], devices: dict[int, Device], identities: dict[int, ClientIdentity]
) -> tuple[Plain, list[Arrival]]:
    """Most devices of a storm are allowed, and come as the client that they were before: these can be written together."""
    standing: dict[tuple[int, int | None], list[Connection]] = defaultdict(list)
    for connection in Connection.objects.using(database).open().filter(device_id__in={arrival.device_id for arrival in some}):
        standing[connection.device_id, connection.identity_id].append(connection)
    plain, rest = list[tuple[Arrival, list[Connection]]](), list[Arrival]()
    for arrival in some:
        device, mine = devices.get(arrival.device_id), standing[arrival.device_id, arrival.identity_id]
        allowed = device is not None and device.enabled and _is_allowed(arrival, identities)
        if allowed and all(_is_before(one, arrival) for one in mine):
            plain.append((arrival, mine))
        else:
            rest.append(arrival)
    return plain, rest


def _is_allowed(arrival: Arrival, identities: dict[int, ClientIdentity]) -> bool:
    identity = identities.get(arrival.identity_id or 0)
    return not arrival.identity_id or (identity is not None and identity.is_allowed)


def _is_before(connection: Connection, arrival: Arrival) -> bool:
    same_client = (connection.broker_id, connection.mqtt_client_id) == (arrival.broker_id, arrival.mqtt_client_id)
    return same_client and connection.connected_at <= arrival.at


def _arrive_together(database: str, plain: Plain, devices: dict[int, Device]) -> None:
    """The same as `_arrive` for each, in a few statements for all."""
    over = [(one.pk, arrival.at, ConnectionEnd.TAKEN_OVER.value) for arrival, before in plain for one in before]
    bulk.change(Connection, ("disconnected_at", "ended"), over, using=database)
    came = [arrival for arrival, _before in plain]
    Connection.objects.using(database).bulk_create([_connection(arrival) for arrival in came])
    present = [arrival for arrival in came if devices[arrival.device_id].activated_at is not None]
    for column in ("last_online_at", "last_seen_at"):
        bulk.change(Device, (column,), [(one.device_id, one.at) for one in present if _told(one) == column], using=database)
    known = [arrival for arrival in came if arrival.identity_id]
    bulk.change(ClientIdentity, ("last_connected_at",), [(one.identity_id, one.at) for one in known], using=database)
    bulk.change(ClientIdentity, ("last_address",), [(one.identity_id, one.address) for one in known if one.address], using=database)


def _told(arrival: Arrival) -> str:
    return "last_online_at" if arrival.tells_departures else "last_seen_at"


def _arrive(arrival: Arrival, device: Device, identity: ClientIdentity | None) -> None:
    database = arrival.data_center.database
    mine = Connection.objects.using(database).select_related("identity").filter(device_id=device.pk, identity_id=arrival.identity_id).open()
    newer = mine.filter(connected_at__gt=arrival.at).order_by("connected_at", "pk").first()
    before = mine.filter(connected_at__lte=arrival.at)
    before.filter(broker_id=arrival.broker_id, mqtt_client_id=arrival.mqtt_client_id).update(
        disconnected_at=arrival.at, ended=ConnectionEnd.TAKEN_OVER
    )
    older = list(before)
    connection = _connection(arrival)
    connection.identity = identity
    connection.save(using=database, force_insert=True)
    if newer is None:
        _mark_present(arrival, device)
    if not device.enabled or (arrival.identity_id and (identity is None or not identity.is_allowed)):
        disconnecting.order([connection], device, reason=CutReason.FORBIDDEN, made_by=BY, at=arrival.at)
    elif older:
        _evict(older, device, arrival.at)
    if newer is not None:
        _come_late(connection, newer, device)


def _come_late(connection: Connection, newer: Connection, device: Device) -> None:
    """Another process was faster to record a newer connection with the same credential: this one is the older of the two."""
    if (newer.broker_id, newer.mqtt_client_id) == (connection.broker_id, connection.mqtt_client_id):
        rows = Connection.objects.using(connection._state.db).filter(pk=connection.pk)
        rows.update(disconnected_at=newer.connected_at, ended=ConnectionEnd.TAKEN_OVER)
    else:
        _evict([connection], device, newer.connected_at)


def _connection(arrival: Arrival) -> Connection:
    return Connection(
        device_id=arrival.device_id,
        identity_id=arrival.identity_id,
        broker_id=arrival.broker_id,
        mqtt_client_id=arrival.mqtt_client_id,
        session=arrival.session,
        address=arrival.address or None,
        connected_at=arrival.at,
    )


def _mark_present(arrival: Arrival, device: Device) -> None:
    """A device that was reset meanwhile is not activated, and so not online."""
    here = Device.objects.at(arrival.data_center).filter(pk=device.pk, activated_at__isnull=False)
    here.update(**{_told(arrival): arrival.at})
    facts = {"last_connected_at": arrival.at} | ({"last_address": arrival.address} if arrival.address else {})
    ClientIdentity.objects.using(arrival.data_center.database).filter(pk=arrival.identity_id or 0).update(**facts)


def _evict(older: list[Connection], device: Device, at: datetime) -> None:
    """One credential, one connection: the newer one stays, as the vendors' platforms have it. Where nobody says that a client
    left, the older one is taken as gone."""
    brokers = Broker.objects.in_bulk({connection.broker_id for connection in older})
    telling = {broker_id for broker_id, broker in brokers.items() if broker.tells_departures}
    disconnecting.end([c for c in older if c.broker_id not in telling], ConnectionEnd.LOST, at=at)
    ordered = set(DisconnectOrder.objects.of(device).waiting().values_list("broker_id", "mqtt_client_id", "connected_at"))
    present = [
        c
        for c in older
        if c.broker_id in telling and brokers[c.broker_id].can_drop and (c.broker_id, c.mqtt_client_id, c.connected_at) not in ordered
    ]
    disconnecting.order(present, device, reason=CutReason.EVICT, made_by=BY, at=at)


def _cut_a_stranger(arrival: Arrival) -> None:
    """The device was deleted between its connection and this record: there is no row to keep it on, only the order to cut it."""
    broker = Broker.objects.filter(pk=arrival.broker_id).first()
    if broker is None or not broker.can_drop:
        return
    DisconnectOrder(
        data_center_id=arrival.data_center.pk,
        product_id=arrival.product_id,
        device_name=arrival.device_name,
        client_id=arrival.client_id,
        broker_id=arrival.broker_id,
        mqtt_client_id=arrival.mqtt_client_id,
        address=arrival.address or None,
        connected_at=arrival.at,
        reason=CutReason.FORBIDDEN,
        made_at=arrival.at,
        made_by=BY,
        next_try_at=arrival.at,
    ).save(using=arrival.data_center.database, force_insert=True)


def _meant(departure: Departure) -> list[Connection]:
    """The open connections that ended, by the broker's own name where both sides know it, else by the time when they began."""
    began = departure.began_at + SLACK if departure.began_at else departure.at
    found = disconnecting.open_at(departure.data_center, departure.broker_id, departure.mqtt_client_id).filter(connected_at__lte=began)
    if departure.session:
        found = found.filter(session__in=("", departure.session))
    return list(found.select_related("device", "identity"))
