"""What connections leave behind is written in the background, in order and in batches, and never at the expense of an answer."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, OperationalError

from devices.services.presence import Arrival, Departure
from products.models import DataCenter
from registration.services import record_writing, recorder
from registration.services.device_log import Attempt
from registration.services.record_writing import Came, Decided, Record, Told, Went
from registration.services.recorder import Lane
from tests.cast import NOON

CENTER = DataCenter(pk=1, code="cn-shanghai", name="Shanghai", database="default")
SECOND = timedelta(seconds=1)


def decided(number: int = 0) -> Decided:
    return Decided(Attempt(NOON, uuid4(), "native", "", device_name=str(number)), "accepted", CENTER)


def came(client: str, seconds: int = 0) -> Came:
    return Came(Arrival(CENTER, 1, 1, "lamp-0001", None, "", 1, True, client, None, NOON + seconds * SECOND))


def told(client: str) -> Told:
    return Told(CENTER, 1, client, "s", None, NOON)


def went(client: str, seconds: int = 0) -> Went:
    return Went(Departure(CENTER, 1, client, NOON + seconds * SECOND))


class Database:
    """Takes records, unless it is down, or slow until it is let go."""

    def __init__(self) -> None:
        self.written: list[list[Record]] = []
        self.down = False
        self.let_go = threading.Event()
        self.let_go.set()
        self.asked = 0
        self.unwritable: set[int] = set()
        self.unmatched = 0

    def write(self, database: str, part: Sequence[Record]) -> list[Record]:
        self.asked += 1
        self.let_go.wait(20)
        if self.down:
            raise OperationalError("the server closed the connection unexpectedly")
        if self.unwritable & set(map(id, part)):
            raise IntegrityError("not this one")
        if self.unmatched:
            self.unmatched -= 1
            return list(part)
        self.written.append(list(part))
        return []

    @property
    def records(self) -> list[Record]:
        return [record for part in self.written for record in part]


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setattr(recorder, "LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(recorder, "FIRST_PAUSE", 0.01)
    return Database()


@pytest.fixture
def lane(database: Database) -> Iterator[Lane]:
    found = Lane("default", database.write)
    yield found
    database.let_go.set()
    found.close(1)


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_records_are_written_in_batches_and_in_their_order(lane: Lane, database: Database) -> None:
    sent = [decided(number) for number in range(700)]
    for record in sent:
        lane.put(record)
    assert lane.flush(20)
    assert database.records == sent
    assert len(database.written) < 20


def test_a_slow_database_does_not_delay_whoever_hands_over(lane: Lane, database: Database) -> None:
    database.let_go.clear()
    begin = time.monotonic()
    for number in range(2000):
        lane.put(decided(number))
    assert time.monotonic() - begin < 5
    assert not database.written
    assert not lane.flush(0.01)
    database.let_go.set()
    assert lane.flush(20)
    assert len(database.records) == 2000


def test_while_the_database_is_down_it_tries_again_and_loses_and_doubles_nothing(lane: Lane, database: Database) -> None:
    database.down = True
    sent = [decided(number) for number in range(450)]
    for record in sent:
        lane.put(record)
    until(lambda: database.asked > 3)
    database.down = False
    assert lane.flush(20)
    assert database.records == sent
    assert lane.dropped.ever == 0


def test_a_full_queue_drops_log_entries_first_and_says_so_once(
    lane: Lane, database: Database, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.NAMEPLATE_RECORD_QUEUE = 100
    database.let_go.clear()
    for number in range(150):
        lane.put(decided(number))
    arrivals = [came(str(number)) for number in range(150)]
    for arrival in arrivals:
        lane.put(arrival)
    assert lane.dropped.ever == 50 + 50
    database.let_go.set()
    assert lane.flush(20)
    assert [record for record in database.records if isinstance(record, Came)] == arrivals[:100]
    until(lambda: "100 were dropped" in caplog.text)
    assert caplog.text.count("does not take records") == 1


def test_one_record_that_cannot_be_written_does_not_keep_the_others(
    lane: Lane, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    sent = [decided(number) for number in range(10)]
    database.unwritable = {id(sent[3])}
    for record in sent:
        lane.put(record)
    assert lane.flush(20)
    assert database.records == sent[:3] + sent[4:]
    assert lane.dropped.ever == 1 and "cannot be written" in caplog.text


def test_what_finds_no_connection_is_tried_once_more_in_a_while(lane: Lane, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "AGAIN_SECONDS", 0.1)
    database.unmatched = 1
    departure = went("c1")
    lane.put(departure)
    until(lambda: database.asked == 2)
    assert lane.flush(20)
    assert database.records == [departure]


def test_the_end_of_a_process_writes_what_waits(lane: Lane, database: Database) -> None:
    database.let_go.clear()
    database.unmatched = 1
    for number in range(900):
        lane.put(decided(number))
    threading.Timer(0.1, database.let_go.set).start()
    assert lane.close(20) == 0
    assert len(database.records) == 900


def test_the_end_of_a_process_does_not_wait_for_a_dead_database_and_counts_what_is_lost(lane: Lane, database: Database) -> None:
    database.down = True
    for number in range(30):
        lane.put(decided(number))
    begin = time.monotonic()
    assert lane.close(0.2) == 30
    assert time.monotonic() - begin < 10


def test_a_client_s_own_order_is_kept_and_the_rest_is_gathered() -> None:
    records: list[Record] = [
        came("a"), decided(1), came("b"), went("a", 1), told("b"), decided(2), came("a", 2), went("b", 3), came("c", 3),
    ]  # fmt: skip
    kinds = [[type(record).__name__ for record in part] for part in record_writing.parts(records)]
    assert kinds == [["Decided", "Decided"], ["Came", "Came"], ["Told"], ["Went"], ["Came", "Came"], ["Went"]]
    assert sum(map(len, kinds)) == len(records)


def test_a_part_is_one_transaction() -> None:
    parts = record_writing.parts([came(str(number)) for number in range(record_writing.PART_AT_MOST * 2 + 1)])
    assert [len(part) for part in parts] == [record_writing.PART_AT_MOST, record_writing.PART_AT_MOST, 1]
