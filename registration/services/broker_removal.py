"""A broker is taken off the list, with everything that waited for it."""

from datetime import datetime

from django.db import transaction

from console.shared.actors import Actor
from devices.models import DisconnectOrder, OrderOutcome
from devices.services import presence
from products.models import Broker
from products.services import brokers
from registration.models import BrokerState


def remove(broker: Broker, *, reason: str = "", by: Actor, at: datetime) -> int:
    """Its hooks are refused from now on. Orders that wait for it can be carried out by nobody any more: they take effect at the next
    connection. Who was connected there counts as lost, since nobody will tell when he leaves. Returns how many orders these are."""
    database = broker.data_center.database
    with transaction.atomic(), transaction.atomic(using=database):
        waiting = DisconnectOrder.objects.at(broker.data_center).waiting().filter(broker_id=broker.pk)
        for _ended in presence.all_lost(broker.data_center, broker.pk, at=at):
            pass  # Their end is in the timeline; an entry for each of a whole fleet would bury the log.
        settled = waiting.update(outcome=OrderOutcome.NEXT_CONNECT, done_at=at, last_error="")
        BrokerState.objects.using(database).filter(pk=broker.pk).delete()
        brokers.delete(broker, reason=reason, by=by, at=at)
        return settled
