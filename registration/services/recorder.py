"""What connections leave behind is written in the background: who came and left, and the entries of the device log.

An answer to a broker never waits for it. Each database has a lane of its own in each process: a bounded queue and one thread that writes
what has gathered, in batches. While a database is slow or down its lane keeps what comes and tries again; when the queue is full, log
entries give way first and who came and left at twice the length; what is dropped is counted and said once in the server's log, and
how many it were when the database writes again. At the end of a process its lanes are given a moment to write the rest.
"""

import atexit
import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections

from console.shared import metrics
from registration.services import record_writing
from registration.services.record_writing import Decided, Record

log = logging.getLogger(__name__)

BATCH_AT_MOST: Final = 500
GATHER_SECONDS: Final = 0.1
"""After the first record, so that a storm is written in batches and not one by one."""
FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 5.0
END_SECONDS: Final = 3.0
"""For what is still unwritten when the process ends; the web server gives its workers five seconds."""

AGAIN_SECONDS: Final = 2.0
"""After which what found no connection is tried once more: another process may not have written the arrival yet."""

Write = Callable[[str, Sequence[Record]], list[Record]]


@dataclass(slots=True)
class Dropped:
    """`now`: since the lane began to drop; `ever`: in the life of the process."""

    now: int = 0
    ever: int = 0


class Lane:
    """The queue and the thread of one database. The thread begins with the first record and ends with `close`."""

    def __init__(self, database: str, write: Write = record_writing.write) -> None:
        self.database = database
        self.write = write
        self.dropped = Dropped()
        self._waiting: deque[Record] = deque()
        self._later: deque[tuple[float, Record]] = deque()
        self._changed = threading.Condition()
        self._writing = 0
        self._closing = self._given_up = False
        self._thread: threading.Thread | None = None

    def put(self, record: Record) -> None:
        """Takes it, or drops it when the queue is full. Never waits for the database."""
        with self._changed:
            room = settings.NAMEPLATE_RECORD_QUEUE * (1 if isinstance(record, Decided) else 2)
            taken = self._left() < room
            if taken:
                self._waiting.append(record)
                self._begin()
                self._changed.notify_all()
            else:
                self.dropped.ever += 1
                self.dropped.now += 1
                metrics.RECORDS_DROPPED.labels(self.database).inc()
            first = not taken and self.dropped.now == 1
        if first:
            log.error("The database %s does not take records of connections; those that do not fit any more are dropped.", self.database)

    def flush(self, seconds: float) -> bool:
        """Waits until everything is written, or that long. False if something is left."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._left(), seconds)

    def close(self, seconds: float) -> int:
        """Ends the thread after at most so many seconds; returns how many records were not written."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(seconds)
        with self._changed:
            self._given_up = True
            self._changed.notify_all()
            return self._left()

    def _left(self) -> int:
        return len(self._waiting) + len(self._later) + self._writing

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"recorder-{self.database}", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        pause = FIRST_PAUSE
        try:
            while batch := self._next():
                rest, again = self._try(batch)
                self._finish(rest, again)
                pause = self._rest(pause) if rest else FIRST_PAUSE
        finally:
            with contextlib.suppress(Exception):
                connections[self.database].close()

    def _next(self) -> list[Record]:
        """What to write now; empty when the lane is closed and nothing is left."""
        with self._changed:
            while not self._waiting and not (self._closing and not self._later) and not self._given_up:
                self._changed.wait(self._seconds_to_later())
                self._take_later()
            if not self._closing and len(self._waiting) < BATCH_AT_MOST:
                self._changed.wait_for(lambda: self._closing, GATHER_SECONDS)
            batch = [self._waiting.popleft() for _ in range(min(BATCH_AT_MOST, len(self._waiting)))]
            self._writing = len(batch)
            return [] if self._given_up else batch

    def _seconds_to_later(self) -> float | None:
        if not self._later:
            return None
        return 0.0 if self._closing else max(0.0, self._later[0][0] - time.monotonic())

    def _take_later(self) -> None:
        while self._later and (self._closing or self._later[0][0] <= time.monotonic()):
            self._waiting.append(self._later.popleft()[1])

    def _finish(self, rest: Sequence[Record], again: Sequence[Record]) -> None:
        """The unwritten rest goes back to the head of the queue."""
        due = time.monotonic() + AGAIN_SECONDS
        with self._changed:
            self._waiting.extendleft(reversed(rest))
            self._later.extend((due, record) for record in again)
            self._writing = 0
            told = 0 if self._waiting else self.dropped.now
            self.dropped.now -= told
            self._changed.notify_all()
        if told:
            log.error("The database %s takes records of connections again; %d were dropped.", self.database, told)

    def _rest(self, pause: float) -> float:
        """Waits before the next attempt, and says how long the next wait is. A lane that is being closed tries on without long waits."""
        with self._changed:
            self._changed.wait_for(lambda: self._given_up, FIRST_PAUSE if self._closing else pause)
        return min(pause * 2, LONGEST_PAUSE)

    def _try(self, batch: Sequence[Record]) -> tuple[list[Record], list[Record]]:
        """What is left to be written when the database does not answer, and what shall be tried once more in a while."""
        parts, again = record_writing.parts(batch), list[Record]()
        for number, part in enumerate(parts):
            try:
                connections[self.database].close_if_unusable_or_obsolete()
                again += self._write(part)
            except (OperationalError, InterfaceError) as error:
                log.warning("Records of connections wait, the database %s does not write them: %s", self.database, error)
                return [record for rest in parts[number:] for record in rest], again
        return [], again

    def _write(self, part: Sequence[Record]) -> list[Record]:
        """One that cannot be written must not keep the others from it. Raises what says that the database itself does not answer."""
        try:
            return self.write(self.database, part)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            if len(part) > 1:
                return [record for one in part for record in self._write([one])]
            log.exception("A record of a connection cannot be written: %s", type(part[0]).__name__)
            self.dropped.ever += 1
            metrics.RECORDS_DROPPED.labels(self.database).inc()
            return []


_lanes: dict[str, Lane] = {}
_lock = threading.Lock()


def put(record: Record) -> None:
    """Hands a record over to be written. Raises nothing: whoever asks is about to answer a device."""
    try:
        database = record.data_center.database
        if settings.NAMEPLATE_RECORD_AT_ONCE:
            record_writing.write(database, [record])
        else:
            _lane(database).put(record)
    except Exception:
        log.exception("A record of a connection was lost: %s", type(record).__name__)


def flush(seconds: float = END_SECONDS) -> bool:
    """Waits until all is written, or that long in all. False if something is left."""
    end = time.monotonic() + seconds
    return all(lane.flush(max(0.0, end - time.monotonic())) for lane in list(_lanes.values()))


def close(seconds: float = END_SECONDS) -> None:
    """The end of a process: writes what it can and says how many records are lost. A later record opens a new lane."""
    end = time.monotonic() + seconds
    with _lock:
        lanes = list(_lanes.values())
        _lanes.clear()
    lost = sum(lane.close(max(0.0, end - time.monotonic())) for lane in lanes)
    if lost:
        log.error("%d records of connections were not written when the process ended.", lost)


def _lane(database: str) -> Lane:
    lane = _lanes.get(database)
    if lane is None:
        with _lock:
            lane = _lanes.setdefault(database, Lane(database))
    return lane


def _after_fork() -> None:
    """A thread does not follow into a child, and a lock may be in the hand of one that did not."""
    global _lanes, _lock
    _lanes, _lock = {}, threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(close)
