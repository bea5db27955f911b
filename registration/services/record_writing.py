"""How the records of connections are written: which of them together, and in which order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from devices.services import presence
from devices.services.presence import Arrival, Departure, Sight
from products.models import DataCenter
from registration.services import departure_log, device_log
from registration.services.device_log import Attempt

PART_AT_MOST: Final = presence.AT_A_TIME
"""Records in one transaction: a part is written whole or not at all, so that trying again doubles nothing."""


@dataclass(frozen=True, slots=True)
class Decided:
    """An entry of the device log: the attempt and the code of its decision."""

    attempt: Attempt
    code: str
    data_center: DataCenter


@dataclass(frozen=True, slots=True)
class Came:
    arrival: Arrival

    @property
    def data_center(self) -> DataCenter:
        return self.arrival.data_center

    @property
    def client(self) -> tuple[int, str]:
        return self.arrival.broker_id, self.arrival.mqtt_client_id


@dataclass(frozen=True, slots=True)
class Saw:
    """A device was let in where nothing stays connected; nothing follows upon it."""

    sight: Sight

    @property
    def data_center(self) -> DataCenter:
        return self.sight.data_center


@dataclass(frozen=True, slots=True)
class Told:
    """The broker told its own name of a connection, or the device's address. `again`: it was tried before."""

    data_center: DataCenter
    broker_id: int
    mqtt_client_id: str
    session: str
    address: str | None
    at: datetime
    again: bool = False

    @property
    def client(self) -> tuple[int, str]:
        return self.broker_id, self.mqtt_client_id


@dataclass(frozen=True, slots=True)
class Went:
    """`reason`: in the broker's words. `again`: it was tried before."""

    departure: Departure
    reason: str = ""
    again: bool = False

    @property
    def data_center(self) -> DataCenter:
        return self.departure.data_center

    @property
    def client(self) -> tuple[int, str]:
        return self.departure.broker_id, self.departure.mqtt_client_id


Record = Decided | Saw | Came | Told | Went
ORDER: Final[tuple[type[Record], ...]] = (Decided, Saw, Came, Told, Went)


def parts(records: Sequence[Record]) -> list[list[Record]]:
    """Records of one kind that are written together, in an order that keeps each client's own: it comes, is told of, and goes."""
    return [kind[start : start + PART_AT_MOST] for wave in _waves(records) for kind in wave for start in range(0, len(kind), PART_AT_MOST)]


def write(database: str, part: Sequence[Record]) -> list[Record]:
    """Writes a part; returns what has found no connection yet and shall be tried once more in a while, because the process that admitted
    the device may not have written its arrival. Raises the database's errors."""
    writer = _WRITERS[type(part[0])]
    return writer(database, part)


def _waves(records: Sequence[Record]) -> Iterator[list[list[Record]]]:
    """A wave has the kinds in ORDER; a record that must not be overtaken by one of its client's begins the next."""
    wave: list[list[Record]] = [[] for _ in ORDER]
    latest: dict[tuple[int, str], int] = {}
    for record in records:
        place = ORDER.index(type(record))
        if not isinstance(record, (Decided, Saw)):
            if latest.get(record.client, 0) > place:
                yield wave
                wave, latest = [[] for _ in ORDER], {}
            latest[record.client] = place
        wave[place].append(record)
    yield wave


def _write_decided(database: str, part: Sequence[Record]) -> list[Record]:
    device_log.write_many([(one.attempt, one.code) for one in part if isinstance(one, Decided)], database=database)
    return []


def _write_came(database: str, part: Sequence[Record]) -> list[Record]:
    presence.arrived([one.arrival for one in part if isinstance(one, Came)])
    return []


def _write_saw(database: str, part: Sequence[Record]) -> list[Record]:
    presence.seen([one.sight for one in part if isinstance(one, Saw)])
    return []


def _write_told(database: str, part: Sequence[Record]) -> list[Record]:
    return [replace(one, again=True) for one in part if isinstance(one, Told) and not _note(one) and not one.again]


def _note(told: Told) -> bool:
    return presence.note_session(
        data_center=told.data_center,
        broker_id=told.broker_id,
        mqtt_client_id=told.mqtt_client_id,
        session=told.session,
        address=told.address,
        at=told.at,
    )


def _write_went(database: str, part: Sequence[Record]) -> list[Record]:
    gone = [one for one in part if isinstance(one, Went)]
    ended = presence.left([one.departure for one in gone])
    departure_log.write(ended, database=database, reasons={one.client: one.reason for one in gone})
    found = {(connection.broker_id, connection.mqtt_client_id) for connection in ended}
    return [replace(one, again=True) for one in gone if one.client not in found and not one.again]


_WRITERS: Final[dict[type[Record], Callable[[str, Sequence[Record]], list[Record]]]] = {
    Decided: _write_decided,
    Saw: _write_saw,
    Came: _write_came,
    Told: _write_told,
    Went: _write_went,
}
