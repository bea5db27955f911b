"""The link remembers which client is behind a connection's name."""

from collections.abc import Sequence
from datetime import timedelta

from registration.brokers.base import Client
from registration.servers.names import Known, Names, NamingDropper
from tests.cast import NOON

MINUTE = timedelta(minutes=1)


class Played:
    """`there`: the sessions that are open."""

    lists_clients = True
    shows_after = timedelta(0)

    def __init__(self, *there: str) -> None:
        self.there = set(there)
        self.asked: list[str] = []

    def drop(self, mqtt_client_id: str, session: str) -> bool:
        self.asked.append(session)
        return session in self.there

    def clients(self) -> Sequence[Client]:
        return [Client("c1", session, NOON) for session in self.there]

    def check(self) -> None:
        pass


def test_who_left_is_known_by_the_name_of_the_connection() -> None:
    names = Names()
    names.opened("s1", "c1", NOON)
    assert names.closed("s1") == (Known("c1", NOON), False)
    assert names.closed("s1") == (None, False)


def test_a_cut_is_told_from_a_departure() -> None:
    names, broker = Names(), Played("s1")
    names.opened("s1", "c1", NOON)
    assert NamingDropper(broker, names).drop("c1", "")
    assert broker.asked == ["s1"], "The order had no name, the event had told it."
    assert names.closed("s1") == (Known("c1", NOON), True)


def test_the_end_of_an_older_connection_does_not_hide_its_successor() -> None:
    names = Names()
    names.opened("s1", "c1", NOON)
    names.opened("s2", "c1", NOON + MINUTE)
    names.closed("s1")
    assert names.session_of("c1") == "s2"


def test_the_broker_s_list_tells_who_came_and_left_unheard() -> None:
    names = Names()
    names.opened("old", "c0", NOON)
    names.opened("new", "c2", NOON + 2 * MINUTE)
    names.listed([Client("c1", "s1", NOON), Client("", "no MQTT", None)], NOON + 2 * MINUTE)
    assert names.session_of("c1") == "s1"
    assert names.session_of("c0") == "" and names.session_of("c2") == "new", "What is not in the list yet is not forgotten."
    assert names.closed("no MQTT") == (None, False)


def test_a_broker_that_did_it_after_we_gave_up_waiting_has_cut_it_off() -> None:
    names, broker = Names(), Played()
    names.opened("s1", "c1", NOON)
    names.opened("s2", "c2", NOON)
    names.cut("s1")
    names.closed("s1")
    names.closed("s2")
    assert NamingDropper(broker, names).drop("c1", "s1"), "It is not there any more because we asked for it."
    assert not NamingDropper(broker, names).drop("c2", "s2"), "This one left by itself."
