"""Many devices and operators at once, on many connections of a real PostgreSQL (A6, A9, A12)."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from devices.models import Authentication, ClientIdentity, Connection, Device, DisconnectOrder
from devices.services import client_ids
from products.models import Product
from products.services import lookup
from registration.models import DeviceEvent, DeviceLogEntry
from registration.services import recorder
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices.clones import device
from tests.registration.connecting import Thing, broker, connect, issued, with_row_s_secret

pytestmark = pytest.mark.postgres
NAME = "lamp-0001"
SECOND = timedelta(seconds=1)


@pytest.fixture
def lamp(transactional_db: None, settings: Any) -> Iterator[Product]:
    """With the recorder at work in the background, as in production."""
    settings.NAMEPLATE_RECORD_AT_ONCE = False
    DeviceLogEntry.objects.all().delete()  # What the server of an earlier test wrote behind its answers, when that test was over.
    cast.home()
    lookup.forget()
    broker(cast.home())
    yield cast.lamp(preregistration_free=True)
    recorder.close(20)


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """`act(number)` from so many threads, each with a connection of its own, none of which begins before all are there."""
    barrier = threading.Barrier(count)

    def one(number: int) -> Any:
        try:
            barrier.wait(30)
            return act(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def codes(verdicts: list[Any]) -> Counter[str]:
    return Counter(verdict.code for verdict in verdicts)


def test_of_twelve_identities_that_connect_at_once_exactly_five_become_active(lamp: Product) -> None:
    things = [issued(lamp, NAME) for _ in range(12)]
    for _again in range(3):
        verdicts = at_once(12, lambda number: connect(things[number]))
        assert codes(verdicts) == {"accepted": 5, "client_limit": 7}
        here = device(lamp, NAME)
        assert here.client_ids_active == ClientIdentity.objects.of(here).active().count() == 5
    assert recorder.flush(20)
    assert Connection.objects.open().values("identity").distinct().count() == 5
    assert DeviceLogEntry.objects.filter(event=DeviceEvent.CONNECTION).count() == 36


def test_fifty_first_connections_of_one_static_device_make_one_device_activated_once(lamp: Product) -> None:
    row = cast.row(lamp, NAME, Authentication.STATIC)
    things = [with_row_s_secret(row, "native", nonce) for nonce in range(50)]
    verdicts = at_once(50, lambda number: connect(things[number], at=NOON + number * timedelta(microseconds=1)))
    assert codes(verdicts) == {"accepted": 50}
    here = Device.objects.at(cast.home()).get()
    firsts = [verdict for verdict in verdicts if verdict.allowed]
    assert recorder.flush(20)
    told = DeviceLogEntry.objects.filter(path__contains=["It appears in this data center's device list, activated."])
    assert told.count() == 1 and here.activated_at == told.get().at
    assert len(firsts) == Connection.objects.filter(device=here).count()
    newest = Connection.objects.filter(device=here).latest("connected_at")
    ordered = DisconnectOrder.objects.of(here).waiting().values_list("mqtt_client_id", flat=True)
    assert sorted(ordered) == sorted({thing.presents().client_id for thing in things} - {newest.mqtt_client_id})
    assert device(lamp, NAME).last_online_at == newest.connected_at


def test_whoever_slips_in_while_an_operator_switches_has_an_order_against_him(lamp: Product) -> None:
    for story in range(6):
        name = f"lamp-s{story}"
        things = [issued(lamp, name) for _ in range(5)]
        here = device(lamp, name)

        def act(number: int, things: list[Thing] = things, here: Device = here) -> Any:
            if number == 5:
                return client_ids.switch(here, keep=things[0].credentials.client_id, by=OPERATOR, at=NOON + SECOND)
            return connect(things[number])

        verdicts = at_once(6, act)[:5]
        assert recorder.flush(20)
        ordered = set(DisconnectOrder.objects.of(here).waiting().values_list("client_id", flat=True))
        forbidden = {thing.credentials.client_id for thing in things[1:]}
        inside = set(Connection.objects.of(here).open().values_list("identity__client_id", flat=True))
        assert inside & forbidden == ordered
        let_in = {thing.credentials.client_id for thing, verdict in zip(things, verdicts, strict=True) if verdict.allowed}
        assert let_in == inside
        assert device(lamp, name).client_ids_active == len(let_in - forbidden)


def test_eight_operators_switch_one_device_at_once_and_one_identity_is_allowed_at_the_end(lamp: Product) -> None:
    things = [issued(lamp, NAME) for _ in range(5)]
    assert all(connect(thing).allowed for thing in things)
    assert recorder.flush(20)
    here = device(lamp, NAME)
    kept = [things[number % 5].credentials.client_id for number in range(8)]
    at_once(8, lambda number: client_ids.switch(here, keep=kept[number], by=OPERATOR, at=NOON + number * SECOND))
    allowed = ClientIdentity.objects.of(here).filter(status="allowed")
    assert allowed.count() == 1
    assert device(lamp, NAME).client_ids_active == 1
    survivor = allowed.get().client_id
    assert [connect(thing).allowed for thing in things] == [thing.credentials.client_id == survivor for thing in things]
    ordered = set(DisconnectOrder.objects.of(here).waiting().values_list("client_id", flat=True))
    assert {thing.credentials.client_id for thing in things} - {survivor} <= ordered


def test_connecting_while_the_device_is_cleared_leaves_nobody_inside_without_an_order(lamp: Product) -> None:
    things = [issued(lamp, NAME) for _ in range(5)]
    here = device(lamp, NAME)
    at_once(6, lambda number: client_ids.clear(here, by=OPERATOR, at=NOON) if number == 5 else connect(things[number]))
    assert recorder.flush(20)
    inside = set(Connection.objects.of(here).open().values_list("identity__client_id", flat=True))
    assert inside == set(DisconnectOrder.objects.of(here).waiting().values_list("client_id", flat=True))
    assert device(lamp, NAME).client_ids_active == 0
