"""Statements past Django's cursor: the same values, errors and transactions as within it."""

from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, DataError, IntegrityError, OperationalError, connection, transaction

from console.shared.statements import Change, Into, Row, Statement, store_all, table_of, together
from registration.models import DeviceLogEntry, UsedNonce
from tests.cast import NOON

pytestmark = [pytest.mark.storage, pytest.mark.django_db(transaction=True)]

NONCE = Into.columns(UsedNonce, "product", "nonce", "expires_at")
TABLE = UsedNonce._meta.db_table
MOVE = Change(f"UPDATE {TABLE} SET expires_at = %s WHERE nonce = %s")
LATER = datetime(2026, 12, 24, tzinfo=UTC)


def nonce(text: str) -> Row:
    return Row(NONCE, (7, text, NOON))


def stored() -> dict[str, datetime]:
    return dict(UsedNonce.objects.values_list("nonce", "expires_at"))


def test_what_was_stored_is_read_back() -> None:
    nonce("ümläut '%\\ \"").store("default")
    read = Statement(f"SELECT id, nonce, expires_at IS NULL, product_id, NULL FROM {TABLE} WHERE product_id = %s")
    row = UsedNonce.objects.get()
    assert read.first("default", (7,)) == (row.pk, "ümläut '%\\ \"", False, 7, None)
    assert (row.expires_at, read.first("default", (8,))) == (NOON, None)


@pytest.mark.postgres
def test_bytes_and_truths_are_read_back() -> None:
    echo = Statement("SELECT %s::bytea, %s::boolean, %s::smallint, %s::integer, %s::uuid::text, %s::text")
    number = uuid4()
    assert echo.first("default", (b"\0\xff'", True, -3, 70_000, number, None)) == (b"\0\xff'", True, -3, 70_000, str(number), None)


@pytest.mark.postgres
def test_a_text_with_nul_is_refused_and_not_cut_off() -> None:
    with pytest.raises(DataError):
        nonce("before\0after").store("default")
    assert stored() == {}


def test_a_change_and_its_rows_are_stored_together() -> None:
    nonce("a").store("default")
    assert together("default", MOVE, (LATER, "a"), [nonce("b"), nonce("c")]) == 1
    assert stored() == {"a": LATER, "b": NOON, "c": NOON}


def test_where_nothing_is_changed_nothing_is_stored() -> None:
    assert together("default", MOVE, (LATER, "a"), [nonce("b"), nonce("c")]) == 0
    assert stored() == {}


@pytest.mark.parametrize("rows", [["b", "a"], ["a", "b"], ["a"]])
@pytest.mark.parametrize("around", [nullcontext, transaction.atomic])
def test_a_row_that_a_constraint_refuses_undoes_the_change(rows: list[str], around: Any) -> None:
    nonce("a").store("default")
    with around():
        with pytest.raises(IntegrityError) as caught:
            together("default", MOVE, (LATER, "a"), [nonce(text) for text in rows])
        nonce("z").store("default")
    assert table_of(caught.value) == TABLE
    assert stored() == {"a": NOON, "z": NOON}


def test_within_a_transaction_it_is_rolled_back_with_it() -> None:
    with transaction.atomic():
        together("default", Change(NONCE.text), nonce("a").values, [nonce("b")])
        transaction.set_rollback(True)
    assert stored() == {}


def test_many_rows_are_stored_or_none() -> None:
    store_all("default", [nonce(f"{number}") for number in range(700)])
    assert len(stored()) == 700
    with pytest.raises(IntegrityError):
        store_all("default", [nonce("new"), nonce("1")])
    assert len(stored()) == 700
    store_all("default", [])


def test_json_is_stored_as_json_alone_and_among_many() -> None:
    fields = ("at", "data_center", "protocol", "code", "accepted", "path", "facts", "request_id", "product_key", "device_name", "client_id")
    into = Into.columns(DeviceLogEntry, *fields, "event", "address")
    number = uuid4()
    told = (NOON, 1, "native", "accepted", True, '["a \\"b\\"","c"]', '{"n":1}', number, "", "", "", "registration", "192.0.2.1")
    Row(into, told).store("default")
    store_all("default", [Row(into, told), Row(into, told)])
    for entry in DeviceLogEntry.objects.all():
        assert (entry.path, entry.facts, entry.request_id) == (['a "b"', "c"], {"n": 1}, number)
        assert (entry.at, entry.address) == (NOON, "192.0.2.1")
    assert DeviceLogEntry.objects.count() == 3


@pytest.mark.postgres
def test_a_broken_connection_is_an_error_of_the_database_and_the_next_one_works() -> None:
    ask = Statement("SELECT 1")
    assert ask.first("default", ()) == (1,)
    with pytest.raises(OperationalError):
        Statement("SELECT pg_terminate_backend(pg_backend_pid())").first("default", ())
    connection.close_if_unusable_or_obsolete()
    assert ask.first("default", ()) == (1,)


@pytest.mark.postgres
def test_a_statement_that_the_server_has_forgotten_fails_once() -> None:
    ask = Statement("SELECT 2")
    assert ask.first("default", ()) == (2,)
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    with pytest.raises(DatabaseError):
        ask.first("default", ())
    assert ask.first("default", ()) == (2,)
