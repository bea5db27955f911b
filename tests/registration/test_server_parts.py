"""The parts of the MQTT listener that need no socket: bounds, notes, PROXY headers."""

import pytest

from console.errors import DomainError
from registration.servers.bounds import Bounds
from registration.servers.notes import BURST, Notes
from registration.servers.proxy_header import FIXED_LENGTH, BadHeader, Origin, read_v1, read_v2, rest_of_v2, write_v2
from registration.services.turned_away import TooSlow


def test_a_place_is_given_back_once() -> None:
    bounds = Bounds(connections=2, waiting_per_address=1)
    first, second = bounds.place(), bounds.place()
    assert first and second and bounds.place() is None
    first.leave()
    first.leave()
    assert bounds.open == 1
    assert bounds.place() is not None


def test_an_address_may_wait_again_once_it_has_said_who_it_is() -> None:
    bounds = Bounds(connections=9, waiting_per_address=1)
    first, second = bounds.place(), bounds.place()
    assert first and second
    assert first.wait("192.0.2.1")
    assert not second.wait("192.0.2.1")
    assert second.wait("192.0.2.2")
    first.arrived()
    first.leave()
    second.leave()
    assert not bounds.waiting, "who waits for nothing is forgotten"


def test_a_trusted_proxy_may_bring_as_many_as_it_has() -> None:
    bounds = Bounds(connections=9, waiting_per_address=1, trusted=("192.0.2.0/24",))
    places = [bounds.place() for _ in range(3)]
    assert all(place and place.wait("192.0.2.1") for place in places)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_flood_gets_few_entries_and_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    written: list[tuple[str, int]] = []

    def write(error: DomainError, host: str, address: str, left_out: int) -> None:
        written.append((address, left_out))

    clock = Clock()
    notes = Notes(write, clock)
    for number in range(BURST + 500):
        notes.note(TooSlow(), "", f"address {number}")
    assert len(written) == BURST and notes.left_out == 500
    clock.now += 1.0
    notes.note(TooSlow(), "", "a later one")
    notes.note(TooSlow(), "", "one more")
    assert written[-1] == ("a later one", 500)
    notes.tell()
    notes.tell()
    assert [record.message for record in caplog.records] == ["1 more MQTT clients were turned away than the device log has entries of."]


@pytest.mark.parametrize(
    "origin", [Origin("203.0.113.9", 4711), Origin("2001:db8::7", 65535), Origin("203.0.113.9", 1, "devices.example"), Origin()]
)
def test_a_header_is_read_as_it_was_written(origin: Origin) -> None:
    header = write_v2(origin, ("2001:db8::1" if ":" in origin.address else "192.0.2.1", 1883))
    assert rest_of_v2(header[:FIXED_LENGTH]) == len(header) - FIXED_LENGTH
    assert read_v2(header[:FIXED_LENGTH], header[FIXED_LENGTH:]) == origin


def test_a_device_of_ipv6_at_an_address_of_ipv4_keeps_its_address() -> None:
    header = write_v2(Origin("2001:db8::7", 1), ("192.0.2.1", 1883))
    assert read_v2(header[:FIXED_LENGTH], header[FIXED_LENGTH:]).address == "2001:db8::7"


@pytest.mark.parametrize(
    "line",
    [
        b"PROXY\r\n",
        b"PROXY TCP4 a b 1 2\r\n",
        b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n",
    ],
)
def test_it_refuses_a_line_that_is_no_header(line: bytes) -> None:
    with pytest.raises(BadHeader):
        read_v1(line)


def test_it_refuses_a_header_whose_addresses_are_cut_off() -> None:
    header = write_v2(Origin("203.0.113.9", 4711), ("192.0.2.1", 1883))
    with pytest.raises(BadHeader):
        read_v2(header[:FIXED_LENGTH], header[FIXED_LENGTH:-3])
