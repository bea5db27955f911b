"""The link to the brokers: one process that cuts off who was forbidden and learns who came and left.

It looks at the list of brokers every second, so that one that is added, changed or disabled in the console is picked up as it runs.
"""

import logging
import threading
from collections.abc import Mapping
from typing import Final

from django.db import connections

from products.models import Broker, BrokerKind
from products.services import brokers
from registration.brokers.registry import DROPPERS
from registration.servers.broker_worker import BrokerWorker

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS: Final = 1.0
AFTER_FAILURE_SECONDS: Final = 5.0
END_SECONDS: Final = 3.0
FACTS: Final = (
    "name", "kind", "vhost", "data_center_id", "data_center__database", "management_url", "management_user",
    "sealed_management_secret", "sealed_events_url",
)  # fmt: skip
"""What a worker is started anew for."""

Facts = tuple[object, ...]


class Link:
    def __init__(self) -> None:
        self._workers: dict[int, tuple[Facts, BrokerWorker]] = {}

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set."""
        while not stop.is_set():
            pause = LOOK_EVERY_SECONDS
            try:
                self._look()
            except Exception:
                log.exception("The list of brokers could not be read; it is tried again.")
                connections.close_all()
                pause = AFTER_FAILURE_SECONDS
            stop.wait(pause)
        self._end()

    def _look(self) -> None:
        wanted = _wanted()
        for number in [number for number, (facts, _worker) in self._workers.items() if wanted.get(number) != facts]:
            self._workers.pop(number)[1].stop()
        for number in wanted.keys() - self._workers.keys():
            self._start(number, wanted[number])

    def _start(self, number: int, facts: Facts) -> None:
        row = Broker.objects.select_related("data_center").get(pk=number)
        try:
            access = brokers.access(row)
        except Exception:
            log.exception("The secrets of the broker %s cannot be opened.", row.name)
            return
        worker = BrokerWorker(brokers.hooked(row), access)
        self._workers[number] = (facts, worker)
        worker.start()

    def _end(self) -> None:
        workers = [worker for _facts, worker in self._workers.values()]
        for worker in workers:
            worker.stop()
        for worker in workers:
            worker.join(END_SECONDS)
        connections.close_all()


def _wanted() -> Mapping[int, Facts]:
    """The enabled brokers that this process looks after, each with the facts that it is reached by."""
    kinds = [kind for kind in BrokerKind.values if kind in DROPPERS]
    rows = Broker.objects.filter(enabled=True, kind__in=kinds).values_list("pk", *FACTS)
    return {row[0]: tuple(bytes(fact) if isinstance(fact, memoryview) else fact for fact in row[1:]) for row in rows}
