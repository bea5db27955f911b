"""Orders to cut clients off: written by whoever forbids a device, in his transaction; stamped by the link to the broker.

Refuse first, cut second: when an order is visible, the device is refused already.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from devices.models import ClientIdentity, Connection, ConnectionEnd, CutReason, Device, DisconnectOrder, OrderOutcome
from devices.querysets import ConnectionQuerySet, DisconnectOrderQuerySet
from products.models import Broker, DataCenter

FIRST_PAUSE = timedelta(seconds=0.5)
LONGEST_PAUSE = timedelta(seconds=30)
AT_A_TIME = 200
MAX_ERROR = 300


def open_connections(device: Device) -> list[Connection]:
    """What a prohibition of the device has to end. The caller holds the device's lock."""
    return list(Connection.objects.of(device).open().select_related("identity"))


def order(connections: Iterable[Connection], device: Device, *, reason: CutReason, made_by: str, at: datetime) -> int:
    """One order for each connection, within the caller's transaction; returns how many a broker can carry out.

    A broker that cannot drop clients gets none that waits: its order says that it takes effect at the next connection.
    """
    return order_all(
        [(connection, device) for connection in connections], reason=reason, made_by=made_by, at=at, using=device.data_center.database
    )


def order_all(open_ones: Sequence[tuple[Connection, Device]], *, reason: CutReason, made_by: str, at: datetime, using: str) -> int:
    """The same for connections of many devices of one database."""
    brokers = Broker.objects.in_bulk({connection.broker_id for connection, _ in open_ones})
    dropping = {broker_id for broker_id, broker in brokers.items() if broker.can_drop}
    orders = [
        _order(connection, device, waits=connection.broker_id in dropping, reason=reason, made_by=made_by, at=at)
        for connection, device in open_ones
    ]
    DisconnectOrder.objects.using(using).bulk_create(orders)
    return sum(order.outcome == OrderOutcome.WAITING for order in orders)


def orders_due(data_center: DataCenter, broker_id: int, at: datetime) -> list[DisconnectOrder]:
    """What shall be cut at this broker now, the oldest first."""
    due = DisconnectOrder.objects.at(data_center).waiting().filter(broker_id=broker_id, next_try_at__lte=at)
    return list(due.order_by("pk")[:AT_A_TIME])


def order_done(order: DisconnectOrder, outcome: OrderOutcome, *, at: datetime) -> list[Connection]:
    """It was cut off, or found gone: its connection has ended with that. Returns it if it was still open."""
    with transaction.atomic(using=_database(order)):
        _rows(order).waiting().update(done_at=at, outcome=outcome, last_error="", attempts=order.attempts + 1)
        meant = open_at(order.data_center, order.broker_id, order.mqtt_client_id).filter(connected_at__lte=order.connected_at)
        return end(
            list(meant.select_related("device", "identity")),
            ConnectionEnd.CUT if outcome == OrderOutcome.CUT else ConnectionEnd.LOST,
            at=at,
        )


def order_failed(order: DisconnectOrder, error: str, *, at: datetime) -> None:
    """The broker did not answer: again after a pause that doubles, never given up."""
    pause = min(FIRST_PAUSE * 2 ** min(order.attempts, 10), LONGEST_PAUSE)
    _rows(order).waiting().update(attempts=order.attempts + 1, next_try_at=at + pause, last_error=error[:MAX_ERROR])


def order_later(order: DisconnectOrder, *, at: datetime) -> None:
    """The broker answered that it does not know the client: asked again at `at`, since the client may just be arriving."""
    _rows(order).waiting().update(attempts=order.attempts + 1, next_try_at=at, last_error="")


def open_at(data_center: DataCenter, broker_id: int, mqtt_client_id: str) -> ConnectionQuerySet:
    """Open connections under one MQTT client id of a broker."""
    return Connection.objects.using(data_center.database).open().filter(broker_id=broker_id, mqtt_client_id=mqtt_client_id)


def end(connections: Sequence[Connection], ended: ConnectionEnd, *, at: datetime) -> list[Connection]:
    """Ends those that are still open, within the caller's transaction, and returns them; a device without any other is offline."""
    if not connections:
        return []
    database = connections[0]._state.db or "default"
    device_ids = sorted({connection.device_id for connection in connections})
    list(Device.objects.using(database).select_for_update().filter(pk__in=device_ids).order_by("pk").values_list("pk"))
    mine = Connection.objects.using(database)
    done = [c for c in connections if mine.open().filter(pk=c.pk).update(disconnected_at=at, ended=ended)]
    for connection in done:
        connection.disconnected_at, connection.ended = at, ended
    identities = {c.identity_id for c in done if c.identity_id}
    ClientIdentity.objects.using(database).filter(pk__in=identities).update(last_disconnected_at=at)
    still_there = set(mine.open().filter(device_id__in=device_ids).values_list("device_id", flat=True))
    gone = {c.device_id for c in done} - still_there
    Device.objects.using(database).filter(pk__in=gone, last_online_at__isnull=False).update(last_offline_at=at)
    return done


def _order(connection: Connection, device: Device, *, waits: bool, reason: CutReason, made_by: str, at: datetime) -> DisconnectOrder:
    return DisconnectOrder(
        data_center_id=device.data_center_id,
        product_id=device.product_id,
        device_name=device.device_name,
        client_id=connection.identity.client_id if connection.identity else "",
        broker_id=connection.broker_id,
        mqtt_client_id=connection.mqtt_client_id,
        session=connection.session,
        address=connection.address,
        connected_at=connection.connected_at,
        reason=reason,
        made_at=at,
        made_by=made_by,
        next_try_at=at,
        done_at=None if waits else at,
        outcome=OrderOutcome.WAITING if waits else OrderOutcome.NEXT_CONNECT,
    )


def _rows(order: DisconnectOrder) -> DisconnectOrderQuerySet:
    return DisconnectOrder.objects.using(_database(order)).filter(pk=order.pk)


def _database(order: DisconnectOrder) -> str:
    return order._state.db or order.data_center.database
