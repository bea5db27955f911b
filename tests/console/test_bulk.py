"""Storing many rows at once: every kind of value comes back as it went in, and what breaks off leaves nothing."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from psycopg.types.json import Jsonb

from console.shared import bulk
from devices.models import Device, PreImportedDevice
from devices.querysets import PreImportRow
from registration.models import DeviceLogEntry
from tests import cast
from tests.cast import NOON

pytestmark = [pytest.mark.storage, pytest.mark.django_db]

ROWS = 1_203
"""More than two blocks of COPY, and not whole ones."""


def row(number: int, **facts: object) -> PreImportRow:
    plain = PreImportRow(7, f"name-{number:05d}", "", None, "static", b"sealed", "", 3, NOON)
    return plain._replace(**facts)


def stored() -> list[PreImportRow]:
    found = PreImportedDevice.objects.order_by("pk").values_list(*PreImportRow._fields)
    return [PreImportRow(*one)._replace(sealed_secret=bytes(one[5])) for one in found]


@pytest.mark.parametrize(
    "facts",
    [
        lambda number: {},
        lambda number: {"device_name": f"{'n' * (number % 40)}{number}", "sealed_secret": bytes(number % 90)},
        lambda number: {"nickname": "茶壶 é" if number % 2 else "", "sn": f"SN{number}" if number % 3 else None},
        lambda number: {"product_id": number, "batch_id": None if number % 5 else number << 33},
        lambda number: {"created_at": NOON + timedelta(microseconds=number)},
        lambda number: {"created_at": datetime(1969, 7, 20, 22, 17, tzinfo=timezone(timedelta(hours=2)))},
        lambda number: {"sn": None, "batch_id": None, "sealed_secret": memoryview(b"seen")},
    ],
    ids=["alike", "lengths", "texts and gaps", "numbers", "moments", "another zone", "nothing"],
)
def test_rows_come_back_as_they_went_in(facts: object) -> None:
    rows = [row(number, **facts(number)) for number in range(ROWS)]  # type: ignore[operator]
    assert bulk.store(PreImportedDevice, PreImportRow._fields, iter(rows), using="default") == ROWS
    assert stored() == [one._replace(sealed_secret=bytes(one.sealed_secret)) for one in rows]


def test_devices_with_flags_and_gaps_come_back() -> None:
    fields = ("product", "device_name", "enabled", "created_at", "registered_at", "client_ids_active")
    rest = ("data_center", "authentication", "sealed_secret", "nickname", "sn", "origin", "certificate_fingerprint")
    center, made = cast.home(), cast.lamp()
    rows = [(made.pk, f"{at}", bool(at % 2), NOON, None if at % 3 else NOON, at % 5) for at in range(600)]
    same = (center.pk, "static", b"", "", "", "auto", "")
    bulk.store(Device, (*fields, *rest), [(*one, *same) for one in rows], using="default")
    assert list(Device.objects.at(center).order_by("pk").values_list(*fields)) == rows


def test_no_rows_are_no_rows() -> None:
    assert bulk.store(PreImportedDevice, PreImportRow._fields, [], using="default") == 0


def test_names_that_are_taken_stop_all_or_are_left_out() -> None:
    bulk.store(PreImportedDevice, PreImportRow._fields, [row(700)], using="default")
    rows = [row(number) for number in range(ROWS)]
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.store(PreImportedDevice, PreImportRow._fields, rows, using="default")
    assert len(stored()) == 1
    assert bulk.store(PreImportedDevice, PreImportRow._fields, rows, using="default", skip_taken=True) == ROWS - 1
    assert len(stored()) == ROWS


def test_rows_that_break_off_leave_nothing() -> None:
    def broken() -> Iterator[PreImportRow]:
        yield from (row(number) for number in range(ROWS))
        raise KeyError("the key ring")

    with pytest.raises(KeyError, match="the key ring"), transaction.atomic():
        bulk.store(PreImportedDevice, PreImportRow._fields, broken(), using="default")
    assert stored() == []


@pytest.mark.postgres
@pytest.mark.parametrize("facts", [{"device_name": "n" * 65}, {"nickname": "a\0b"}, {"sealed_secret": None}])
def test_postgresql_refuses_what_its_columns_do_not_hold(facts: dict[str, object]) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        bulk.store(PreImportedDevice, PreImportRow._fields, [row(1), row(2, **facts)], using="default")
    assert stored() == []


@pytest.mark.postgres
def test_json_addresses_and_uuids_come_back() -> None:
    fields = ("at", "data_center", "address", "accepted", "path", "facts", "request_id")
    empty = ("protocol", "code", "product_key", "device_name", "client_id", "event")
    facts = [{"skew": 1}, {"skew": True}, {"skew": None}]
    rows = [
        (NOON, 1, None if at % 2 else ip_address(0x20010DB8 << 96 | at), True, Jsonb(["a", at]), Jsonb(facts[at % 3]), uuid.UUID(int=at))
        for at in range(30)
    ]
    bulk.store(DeviceLogEntry, (*fields, *empty), [(*one, *([""] * len(empty))) for one in rows], using="default")
    found = list(DeviceLogEntry.objects.using("default").order_by("pk"))
    assert [entry.address for entry in found] == [one[2] and str(one[2]) for one in rows]
    assert [entry.path for entry in found] == [["a", at] for at in range(30)]
    assert [repr(entry.facts) for entry in found] == [repr(facts[at % 3]) for at in range(30)]
    assert [(entry.at, entry.request_id) for entry in found] == [(NOON, one[6]) for one in rows]
