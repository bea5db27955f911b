"""What is done for one broker, in two threads: orders and reconciliation over HTTP; who comes and leaves, over AMQP (RabbitMQ alone).

A thread that finds the broker silent waits for it alone; nothing here is shared with another broker.
"""

import logging
import threading
import time
from datetime import UTC, datetime
from typing import Final

from django.db import connections

from console.words import say
from devices.models import ConnectionEnd
from devices.services.presence import Departure
from products.services.brokers import BrokerAccess, HookedBroker
from registration.brokers.base import BrokerUnreachable, Dropper
from registration.brokers.rabbitmq_events import Closed, Event, Events, Opened
from registration.brokers.registry import dropper
from registration.servers.names import Names, NamingDropper
from registration.services import broker_auth, broker_states, disconnects, reconciliation, recorder
from registration.services.record_writing import Went

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS: Final = 0.25
CHECK_EVERY_SECONDS: Final = 5.0
RECONCILE_EVERY_SECONDS: Final = 60.0
SOON_SECONDS: Final = 12.0
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 5.0
EVENTS_WAIT_SECONDS: Final = 0.5
NOT_YET = say("Its events are not heard yet.")
NO_ADDRESS = say("Its management URL is not set, so nobody can be cut off there.")


class BrokerWorker:
    def __init__(self, broker: HookedBroker, access: BrokerAccess) -> None:
        self.broker = broker
        self._events_url = access.events_url if access.kind == "rabbitmq" else ""
        self._names = Names()
        made = dropper(access)
        self._dropper: Dropper | None = NamingDropper(made, self._names) if made else None
        self._stop = threading.Event()
        self._reconcile_now = threading.Event()
        self._events_error = NOT_YET if self._events_url else ""
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        works = [self._look_after_orders, *([self._listen] if self._events_url else [])]
        self._threads = [threading.Thread(target=work, name=f"{work.__name__} {self.broker.name}", daemon=True) for work in works]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Asks it to end; a thread that waits for its broker ends with that."""
        self._stop.set()

    def join(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    # -- Orders and reconciliation ---------------------------------------------------------------------------------------------------

    def _look_after_orders(self) -> None:
        pause, silent = FIRST_PAUSE, True
        due = Due()
        while not self._stop.is_set():
            wait = LOOK_EVERY_SECONDS
            try:
                self._look(due, after_silence=silent)
                pause, silent = FIRST_PAUSE, False
            except BrokerUnreachable as error:
                self._tell(error.message)
                silent, wait, pause = True, pause, min(pause * 2, LONGEST_PAUSE)
            except Exception:
                log.exception("The orders for the broker %s could not be looked after; it is tried again.", self.broker.name)
                silent, wait, pause = True, pause, min(pause * 2, LONGEST_PAUSE)
                connections.close_all()
            self._stop.wait(wait)
        connections.close_all()

    def _look(self, due: "Due", *, after_silence: bool) -> None:
        """One look: what is due of orders, check and reconciliation. Raises BrokerUnreachable."""
        if self._dropper is None:
            raise BrokerUnreachable(NO_ADDRESS)
        anew = after_silence or self._reconcile_now.is_set()
        self._reconcile_now.clear()
        if anew or due.check():
            self._dropper.check()
            self._tell("")
        disconnects.drain(broker=self.broker, dropper=self._dropper, at=_now(), also_paused=after_silence)
        if self._dropper.lists_clients and due.reconciliation(anew=anew):
            at = _now()
            done = reconciliation.reconcile(broker=self.broker, clients=self._dropper.clients(), at=at)
            if done.lost or done.ordered or done.found:
                log.warning("The broker %s compared: %s.", self.broker.name, done)

    def _tell(self, error: str) -> None:
        """Writes how the broker stands; orders that are due learn why they wait."""
        try:
            if error:
                disconnects.fail_due(broker=self.broker, error=error, at=_now())
            if error or self._events_error:
                broker_states.failed(broker=self.broker, error=error or self._events_error, at=_now())
            else:
                broker_states.answered(broker=self.broker, at=_now())
        except Exception:
            log.exception("The state of the broker %s could not be written.", self.broker.name)
            connections.close_all()

    # -- Events ----------------------------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            events = Events(self._events_url)
            try:
                events.open()
                self._events_error, pause = "", FIRST_PAUSE
                self._reconcile_now.set()
                while not self._stop.is_set():
                    for event in events.wait(EVENTS_WAIT_SECONDS):
                        self._take(event)
            except BrokerUnreachable as error:
                self._events_error = error.message
            except Exception:
                log.exception("The events of the broker %s could not be read; it is tried again.", self.broker.name)
            finally:
                events.close()
            self._stop.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _take(self, event: Event) -> None:
        """By our own clock: the broker's may differ, and what it tells has just happened."""
        if isinstance(event, Opened):
            at = _now()
            self._names.opened(event.session, event.mqtt_client_id, at)
            broker_auth.connected(
                broker=self.broker, mqtt_client_id=event.mqtt_client_id, session=event.session, address=event.address, at=at
            )
        else:
            self._departed(event)

    def _departed(self, event: Closed) -> None:
        known, was_cut = self._names.closed(event.session)
        if known is None:
            return
        ended = ConnectionEnd.CUT if was_cut else ConnectionEnd.LEFT
        departure = Departure(self.broker.data_center, self.broker.id, known.mqtt_client_id, _now(), known.began_at, event.session, ended)
        recorder.put(Went(departure))


class Due:
    """When the broker is to be checked and its list read again."""

    def __init__(self) -> None:
        self._check = self._reconciliation = 0.0

    def check(self) -> bool:
        now = time.monotonic()
        if now < self._check:
            return False
        self._check = now + CHECK_EVERY_SECONDS
        return True

    def reconciliation(self, *, anew: bool) -> bool:
        """`anew`: at once, because something may have been missed, and soon again, when the broker's list shows the latest too."""
        now = time.monotonic()
        if not anew and now < self._reconciliation:
            return False
        self._reconciliation = now + (SOON_SECONDS if anew else RECONCILE_EVERY_SECONDS)
        return True


def _now() -> datetime:
    return datetime.now(UTC)
