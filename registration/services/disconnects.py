"""The orders to cut clients off are carried out at their broker."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from devices.models import DisconnectOrder, OrderOutcome
from devices.services import disconnecting
from products.services.brokers import HookedBroker
from registration.brokers.base import BrokerUnreachable, Dropper
from registration.services import departure_log

SECOND_LOOK: Final = timedelta(seconds=3)
"""A client that was let in may not be on the broker's books yet: only who is missing after that long is gone."""
LOOK_AGAIN: Final = timedelta(seconds=0.5)


def drain(*, broker: HookedBroker, dropper: Dropper, at: datetime, also_paused: bool = False) -> int:
    """Carries out the orders that are due at a broker, each in transactions of its own, and returns how many.

    `also_paused`: those too that wait after a failure, because the broker is back. Raises BrokerUnreachable, with the orders told.
    """
    orders = disconnecting.orders_due(broker.data_center, broker.id, at + disconnecting.LONGEST_PAUSE if also_paused else at)
    for number, order in enumerate(orders):
        try:
            dropped = dropper.drop(order.mqtt_client_id, order.session)
        except BrokerUnreachable as error:
            _fail(orders[number:], error.message, at)
            raise
        settle(order, dropped=dropped, shows_after=dropper.shows_after, at=at)
    return len(orders)


def settle(order: DisconnectOrder, *, dropped: bool, shows_after: timedelta = timedelta(0), at: datetime) -> None:
    """Stamps an order with what its broker said, and writes the end of its connection into the log.

    Who was not found is looked for again until he must have shown up: `shows_after` is how far the broker's own list may lag behind.
    """
    if not dropped and at < max(order.made_at, order.connected_at) + max(SECOND_LOOK, shows_after):
        disconnecting.order_later(order, at=at + LOOK_AGAIN)
        return
    ended = disconnecting.order_done(order, OrderOutcome.CUT if dropped else OrderOutcome.GONE, at=at)
    departure_log.write(ended, database=order.data_center.database)


def fail_due(*, broker: HookedBroker, error: str, at: datetime) -> None:
    """Says with every order that is due why it cannot be carried out."""
    _fail(disconnecting.orders_due(broker.data_center, broker.id, at), error, at)


def _fail(orders: Sequence[DisconnectOrder], error: str, at: datetime) -> None:
    for order in orders:
        disconnecting.order_failed(order, error, at=at)
