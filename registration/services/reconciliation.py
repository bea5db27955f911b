"""What we believe of a broker's connections is compared with its own list, because its events do not reach us while one of us is down,
and a process that let somebody in may have died before it recorded him."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from console.errors import DomainError
from devices.models import Connection, ConnectionEnd, CutReason, Device, DisconnectOrder
from devices.rules import names
from devices.services import connections, disconnecting, presence
from devices.services.presence import Arrival
from products.rules.wire_formats import wire_format
from products.services.brokers import HookedBroker
from products.services.lookup import find_for_registration
from registration.brokers.base import Client
from registration.protocols import connection_schemes
from registration.services import departure_log

YOUNG: Final = timedelta(seconds=10)
"""A connection of that age may not be in the broker's list yet."""
AT_A_TIME: Final = 500
NO_DEVICE: Final = 0


@dataclass(frozen=True, slots=True)
class Reconciled:
    """`lost`: connections that the broker does not have; `ordered`: forbidden ones that it has; `found`: ones of which we knew nothing."""

    lost: int
    ordered: int
    found: int


def reconcile(*, broker: HookedBroker, clients: Sequence[Client], at: datetime) -> Reconciled:
    """Ends the connections that are not among `clients`, the broker's list as it was at `at`; orders that forbidden ones be cut off;
    records those that were let in and never recorded, which cuts off whoever has been forbidden since."""
    here = {client.mqtt_client_id: client for client in clients}
    sessions = {client.session for client in clients}
    names_alone = "" in here
    known: set[str] = set()
    lost = ordered = 0
    for some in _open(broker, at):
        known.update(one.mqtt_client_id for one in some)
        judged = [one for one in some if one.connected_at < at - YOUNG and (one.session or not names_alone)]
        missing = [one for one in judged if one.mqtt_client_id not in here and one.session not in sessions]
        lost += _lose(missing, at)
        for one in some:
            client = here.get(one.mqtt_client_id)
            if client is not None and not one.session:
                _name(broker, one, client, at)
            if client is not None and not _is_allowed(one):
                ordered += _order(broker, one, at)
    arrivals = [_unrecorded(broker, one, at) for one in clients if one.mqtt_client_id not in known]
    found = [arrival for arrival in arrivals if arrival is not None]
    presence.arrived(found)
    return Reconciled(lost, ordered, len(found))


def _open(broker: HookedBroker, at: datetime) -> Iterator[list[Connection]]:
    after = 0
    rows = Connection.objects.at(broker.data_center).open().filter(broker_id=broker.id, connected_at__lte=at)
    rows = rows.select_related("device", "identity").order_by("pk")
    while some := list(rows.filter(pk__gt=after)[:AT_A_TIME]):
        after = some[-1].pk
        yield some


def _lose(missing: list[Connection], at: datetime) -> int:
    if not missing:
        return 0
    database = missing[0].device.data_center.database
    with transaction.atomic(using=database):
        ended = disconnecting.end(missing, ConnectionEnd.LOST, at=at)
    departure_log.write(ended, database=database)
    return len(ended)


def _name(broker: HookedBroker, connection: Connection, client: Client, at: datetime) -> None:
    presence.note_session(
        data_center=broker.data_center, broker_id=broker.id, mqtt_client_id=connection.mqtt_client_id, session=client.session, at=at
    )


def _is_allowed(connection: Connection) -> bool:
    return connection.device.enabled and (connection.identity is None or connection.identity.is_allowed)


def _order(broker: HookedBroker, connection: Connection, at: datetime) -> int:
    """Under the device's lock, so that what is being forbidden or allowed right now is seen as it will be."""
    database = broker.data_center.database
    with transaction.atomic(using=database):
        device = Device.objects.using(database).select_for_update().filter(pk=connection.device_id).first()
        now = Connection.objects.using(database).open().filter(pk=connection.pk).select_related("device", "identity").first()
        waiting = DisconnectOrder.objects.at(broker.data_center).waiting()
        known = waiting.filter(broker_id=broker.id, mqtt_client_id=connection.mqtt_client_id).exists()
        if device is None or now is None or known or _is_allowed(now):
            return 0
        return disconnecting.order([now], device, reason=CutReason.FORBIDDEN, made_by=presence.BY, at=at)


def _unrecorded(broker: HookedBroker, client: Client, at: datetime) -> Arrival | None:
    """Its arrival, when it came long enough ago that it should have been recorded. None for who is no device of a product of ours."""
    if client.connected_at is None or client.connected_at > at - YOUNG:
        return None
    try:
        product_key, sent = connection_schemes.names_in(client.username)
        product = find_for_registration(product_key, at=at)
        device_name = names.device_name(product.device_name_kind, wire_format(product.wire_protocol), sent)
    except DomainError:
        return None
    issued = client.mqtt_client_id.partition("|")[0]
    on_file = connections.look_up(data_center=broker.data_center, product_id=product.id, device_name=device_name, client_id=issued)
    return Arrival(
        data_center=broker.data_center,
        device_id=on_file.device_id or NO_DEVICE,
        product_id=product.id,
        device_name=device_name,
        identity_id=on_file.identity_id,
        client_id=issued if on_file.identity_id else "",
        broker_id=broker.id,
        tells_departures=broker.tells_departures,
        mqtt_client_id=client.mqtt_client_id,
        address=client.address,
        at=client.connected_at,
        session=client.session,
    )
