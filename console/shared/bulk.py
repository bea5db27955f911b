"""Storing many rows at once: COPY and unnest on PostgreSQL, executemany on SQLite; the constraints of the table decide, as always."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import RawSQL

from console.shared import binary_copy

BLOCK = 10_000
COPIED_TOGETHER = 500
"""Rows that COPY is given at once: so few that PostgreSQL stores one block while the caller's iterator makes the next."""

Row = Sequence[Any]


def store(model: type[models.Model], fields: Sequence[str], rows: Iterable[Row], *, using: str, skip_taken: bool = False) -> int:
    """Rows of plain column values in the order of `fields` (foreign keys as numbers); returns how many were stored.

    `skip_taken`: a row that a uniqueness constraint refuses is left out instead of breaking the whole with IntegrityError. Runs in the
    caller's transaction. Takes an iterator, so that half a million rows need not stand in memory, and so that the rows are made while
    PostgreSQL stores those before them; on SQLite, which has one writer, prepare the rows before the transaction begins.
    """
    connection = connections[using]
    columns = [model._meta.get_field(name) for name in fields]
    if connection.vendor != "postgresql":
        return _executemany(connection, model, columns, rows, skip_taken)
    if skip_taken:
        return sum(_unnest(connection, model, columns, block) for block in _blocks(rows, BLOCK))
    return _copy(connection, model, columns, rows)


def change(model: type[models.Model], fields: Sequence[str], rows: Sequence[Row], *, using: str) -> None:
    """Gives many rows values of their own, each a primary key and the plain values of `fields`. Runs in the caller's transaction."""
    if not rows:
        return
    connection = connections[using]
    columns: list[Any] = [model._meta.pk, *(model._meta.get_field(name) for name in fields)]
    names = [connection.ops.quote_name(column.column) for column in columns]
    table = _table(connection, model)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            arrays = ", ".join(f"%s::{_type(connection, column)}[]" for column in columns)
            new = ", ".join(f"{name} = new.{name}" for name in names[1:])
            statement = (
                f"UPDATE {table} SET {new} FROM unnest({arrays}) AS new({', '.join(names)}) WHERE {table}.{names[0]} = new.{names[0]}"  # noqa: S608
            )
            cursor.execute(statement, [list(column) for column in zip(*rows, strict=True)])
            return
        statement = f"UPDATE {table} SET {', '.join(f'{name} = %s' for name in names[1:])} WHERE {names[0]} = %s"  # noqa: S608
        times = [index for index, column in enumerate(columns) if isinstance(column, models.DateTimeField)]
        cursor.executemany(statement, [(*row[1:], row[0]) for row in _adapted(connection, rows, times)])


def among(values: Sequence[str], *, using: str) -> Any:
    """What stands behind `field__in=` when there are thousands of texts: on PostgreSQL one array, since the parameters of a list each cost
    more than the look-up itself."""
    if connections[using].vendor != "postgresql":
        return values
    return RawSQL("SELECT unnest(%s::text[])", (list(values),))


def _copy(connection: BaseDatabaseWrapper, model: type[models.Model], columns: Sequence[Any], rows: Iterable[Row]) -> int:
    """In binary: sealed bytes are neither written as hex nor read back from it."""
    target = f"COPY {_table(connection, model)} ({_names(connection, columns)}) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor:
        with connection.wrap_database_errors, cursor.copy(target) as copy:
            writer = binary_copy.Writer(copy.connection, [_type(connection, column) for column in columns])
            copy.write(binary_copy.BEGIN)
            for block in _blocks(rows, COPIED_TOGETHER):
                copy.write(writer.rendered(block))
            copy.write(binary_copy.END)
        return int(cursor.rowcount)


def _unnest(connection: BaseDatabaseWrapper, model: type[models.Model], columns: Sequence[Any], block: Sequence[Row]) -> int:
    arrays = ", ".join(f"%s::{_type(connection, column)}[]" for column in columns)
    into = _into(connection, model, columns)
    with connection.cursor() as cursor:
        values = [list(column) for column in zip(*block, strict=True)]
        cursor.execute(f"{into} SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING", values)  # noqa: S608  Names of the model alone.
        return int(cursor.rowcount)


def _executemany(
    connection: BaseDatabaseWrapper, model: type[models.Model], columns: Sequence[Any], rows: Iterable[Row], skip_taken: bool
) -> int:
    marks = ", ".join(["%s"] * len(columns))
    conflict = " ON CONFLICT DO NOTHING" if skip_taken else ""
    statement = f"{_into(connection, model, columns)} VALUES ({marks}){conflict}"
    times = [index for index, column in enumerate(columns) if isinstance(column, models.DateTimeField)]
    stored = 0
    with connection.cursor() as cursor:
        for block in _blocks(rows, BLOCK):
            cursor.executemany(statement, list(_adapted(connection, block, times)))
            stored += cursor.rowcount
    return stored


def _adapted(connection: BaseDatabaseWrapper, block: Sequence[Row], times: Sequence[int]) -> Iterator[Row]:
    @lru_cache(maxsize=16)  # A block's rows mostly share one moment.
    def adapt(value: datetime | None) -> Any:
        return connection.ops.adapt_datetimefield_value(value)

    for row in block:
        yield tuple(adapt(value) if index in times else value for index, value in enumerate(row)) if times else row


def _blocks(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    waiting = iter(rows)
    while block := list(islice(waiting, size)):
        yield block


def _into(connection: BaseDatabaseWrapper, model: type[models.Model], columns: Sequence[Any]) -> str:
    return f"INSERT INTO {_table(connection, model)} ({_names(connection, columns)})"


def _table(connection: BaseDatabaseWrapper, model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _names(connection: BaseDatabaseWrapper, columns: Sequence[Any]) -> str:
    return ", ".join(connection.ops.quote_name(column.column) for column in columns)


def _type(connection: BaseDatabaseWrapper, column: Any) -> str:
    """The database's own name of the type, without a length: text is text to COPY and unnest."""
    kind = str(column.rel_db_type(connection) if column.is_relation else column.db_type(connection))
    return kind.split("(", maxsplit=1)[0].replace("varchar", "text").strip()
