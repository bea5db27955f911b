"""How the links to the brokers stand, for the console's pages."""

from collections.abc import Iterable
from datetime import datetime

from products.models import Broker
from products.services.brokers import HookedBroker
from registration.models import BrokerState

MAX_ERROR = 300


def answered(*, broker: HookedBroker, at: datetime) -> None:
    """The broker answers; what went wrong before is over."""
    _store(broker, {"ok_at": at, "error": "", "error_at": None})


def failed(*, broker: HookedBroker, error: str, at: datetime) -> None:
    """The broker does not answer; `error_at` stays at the first time that it did not."""
    rows = BrokerState.objects.using(broker.data_center.database)
    since = rows.filter(pk=broker.id).values_list("error_at", flat=True).first()
    _store(broker, {"error": error[:MAX_ERROR], "error_at": since or at})


def failing(found: Iterable[Broker]) -> list[tuple[Broker, BrokerState]]:
    """Those whose link has not been answered since something went wrong; one query for each database."""
    brokers = {broker.pk: broker for broker in found}
    databases = sorted({broker.data_center.database for broker in brokers.values()})
    states = [
        state
        for database in databases
        for state in BrokerState.objects.using(database).filter(broker_id__in=brokers).exclude(error="").order_by("error_at")
    ]
    return [(brokers[state.broker_id], state) for state in states]


def _store(broker: HookedBroker, facts: dict[str, object]) -> None:
    BrokerState.objects.using(broker.data_center.database).update_or_create(broker_id=broker.id, defaults=facts)
