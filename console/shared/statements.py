"""The statements that run for every device: prepared once on each connection, and executed without Django's cursor around them.

On PostgreSQL, outside of a transaction, a statement is one call of libpq: the fewest instructions that Python can spend on a round trip.
Everywhere else (SQLite, within a transaction, where somebody counts the statements) Django's cursor executes the same text.
Texts have %s for values, and nothing that only one of the two databases understands but where a function says so.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import count
from typing import Any, Final
from uuid import UUID

import orjson
import psycopg
from django.db import DataError, IntegrityError, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import errors
from psycopg.pq import ExecStatus

Values = Sequence[Any]
"""None, or plain bool, int, str, bytes, datetime with a zone, UUID; JSON and addresses are texts."""

BINARY: Final = 1
KEPT: Final = "nameplate_line"
DONE: Final = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)

FORGOTTEN: Final = (errors.InvalidSqlStatementName, errors.DuplicatePreparedStatement, errors.FeatureNotSupported)
"""The server's session does not know a statement as we believe, or a table has changed under it: only a new connection helps."""

READERS: Final[dict[int, Callable[[bytes], Any]]] = {
    16: b"\x01".__eq__,
    17: bytes,
    20: lambda raw: int.from_bytes(raw, signed=True),
    21: lambda raw: int.from_bytes(raw, signed=True),
    23: lambda raw: int.from_bytes(raw, signed=True),
    25: bytes.decode,
    1043: bytes.decode,
}
"""By the number of PostgreSQL's type: boolean, bytea, bigint, smallint, integer, text, varchar. A statement reads no others."""


class Statement:
    """One text, prepared under a name that follows from it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.name = b"nameplate_" + hashlib.sha256(text.encode()).hexdigest()[:20].encode()
        number = count(1)
        self._numbered = "".join(part if part != "%s" else f"${next(number)}" for part in _parts(text)).encode()
        self._readers: tuple[Callable[[bytes], Any], ...] = ()

    def first(self, database: str, values: Values) -> tuple[Any, ...] | None:
        """The first row: numbers, texts, bytes and truths alone. Raises the database's errors, as Django has them."""
        line = _line(database)
        if not line.is_free():
            with line.wrapper.cursor() as cursor:
                cursor.execute(self.text, _adapted(line.wrapper, values))
                found: tuple[Any, ...] | None = cursor.fetchone()
                return found
        result = self._run(line, values)
        if not result.ntuples:
            return None
        readers = self._readers or self._learn(result)
        raw = [result.get_value(0, index) for index in range(len(readers))]
        return tuple([None if one is None else read(one) for one, read in zip(raw, readers, strict=True)])

    def change(self, database: str, values: Values) -> int:
        """How many rows the statement stored or changed. Raises the database's errors, as Django has them."""
        line = _line(database)
        if line.is_free():
            return self._run(line, values).command_tuples or 0
        with line.wrapper.cursor() as cursor:
            cursor.execute(self.text, _adapted(line.wrapper, values))
            return int(cursor.rowcount)

    def _run(self, line: "_Line", values: Values) -> Any:
        try:
            pgconn = line.pgconn
            if self.name not in line.prepared:
                _checked(pgconn.prepare(self.name, self._numbered))
                line.prepared.add(self.name)
            result = pgconn.exec_prepared(self.name, [None if one is None else _written(one) for one in values], None, BINARY)
            return result if result.status in DONE else _checked(result)
        except psycopg.Error as error:
            if isinstance(error, FORGOTTEN):
                line.wrapper.close()
            with line.wrapper.wrap_database_errors:
                raise

    def _learn(self, result: Any) -> tuple[Callable[[bytes], Any], ...]:
        self._readers = tuple(READERS[result.ftype(index)] for index in range(result.nfields))
        return self._readers


@dataclass(frozen=True, slots=True)
class Into:
    """The columns of a table that a row gives values for, in their order."""

    model: type[models.Model]
    fields: tuple[str, ...]
    text: str

    @classmethod
    def columns(cls, model: type[models.Model], *fields: str) -> "Into":
        """`fields` by their names in the model. Whatever is left out must be NULL by itself."""
        names = ", ".join(_column(model, name).column for name in fields)
        marks = ", ".join(["%s"] * len(fields))
        return cls(model, fields, f"INSERT INTO {model._meta.db_table} ({names}) SELECT {marks}")


@dataclass(frozen=True, slots=True, repr=False)
class Row:
    """One row that is stored: alone, or together with a change."""

    into: Into
    values: Values

    def store(self, database: str) -> None:
        """In the caller's transaction, or one of its own. Raises the database's errors, as Django has them."""
        _alone(self.into).change(database, self.values)


@dataclass(frozen=True, slots=True)
class Change:
    """An INSERT, UPDATE or DELETE. `before`: a common table expression that it reads from, with its name; PostgreSQL alone has these."""

    text: str
    before: str = ""


def together(database: str, change: Change, values: Values, rows: Sequence[Row]) -> int:
    """Makes the change, and stores the rows if it changed one row: all of it or nothing, on PostgreSQL in one statement.

    `change` is of a single row. `values`: those of its `before` first. Returns how many rows it changed, 0 or 1: where it changed none,
    nothing is stored. Raises IntegrityError (see table_of) and the database's other errors; then nothing is stored either.
    """
    line = _line(database)
    if line.wrapper.vendor == "postgresql":
        statement = _together(change, tuple(row.into for row in rows))
        for row in rows:
            values = (*values, *row.values)
        if line.is_free():
            return statement.change(database, values)
        with transaction.atomic(using=database):
            return statement.change(database, values)
    with transaction.atomic(using=database):
        changed = _alone(change).change(database, values)
        for row in rows if changed else ():
            row.store(database)
        return changed


def store_all(database: str, rows: Sequence[Row]) -> None:
    """Many rows of one table, without bytes among their values: all of them or none, on PostgreSQL in one statement with one value.

    Raises the database's errors.
    """
    if not rows:
        return
    into = rows[0].into
    line = _line(database)
    if line.wrapper.vendor != "postgresql":
        with transaction.atomic(using=database), line.wrapper.cursor() as cursor:
            cursor.executemany(into.text, [_adapted(line.wrapper, row.values) for row in rows])
        return
    statement, as_json = _all(into, database)
    given = [
        {str(number): orjson.Fragment(value) if number in as_json else value for number, value in enumerate(row.values)} for row in rows
    ]
    statement.change(database, (orjson.dumps(given).decode(),))


def table_of(error: IntegrityError) -> str:
    """The table whose constraint was violated; empty where the database does not say."""
    diagnosis = getattr(error.__cause__, "diag", None)
    if diagnosis is not None:
        return diagnosis.table_name or ""
    return str(error).partition("constraint failed: ")[2].partition(".")[0]


@cache
def _together(change: Change, targets: tuple[Into, ...]) -> Statement:
    """The last INSERT is the statement's own, so that its count says whether all of it was done."""
    before = f"{change.before}, " if change.before else ""
    if not targets:
        return Statement(f"WITH {change.before} {change.text}" if change.before else change.text)
    others = "".join(f", stored_{number} AS ({into.text} FROM changed)" for number, into in enumerate(targets[:-1]))
    return Statement(f"WITH {before}changed AS ({change.text} RETURNING 1){others} {targets[-1].text} FROM changed")


@cache
def _all(into: Into, database: str) -> tuple[Statement, frozenset[int]]:
    """And the places of the columns that hold JSON."""
    kinds = [_column(into.model, name).db_type(connections[database]) for name in into.fields]
    columns = ", ".join(f'"{number}" {kind}' for number, kind in enumerate(kinds))
    as_json = frozenset(number for number, kind in enumerate(kinds) if kind == "jsonb")
    begin = into.text.partition(" SELECT ")[0]
    return Statement(f"{begin} SELECT * FROM json_to_recordset(%s) AS given ({columns})"), as_json  # noqa: S608  (ours)


@cache
def _alone(change: Change | Into) -> Statement:
    return Statement(change.text)


@dataclass(slots=True)
class _Line:
    """A thread's connection to a database. `prepared`: names of the statements that `raw`, psycopg's connection, knows."""

    wrapper: BaseDatabaseWrapper
    raw: Any = None
    pgconn: Any = None
    prepared: set[bytes] = field(default_factory=set)

    def is_free(self) -> bool:
        """Whether a statement may go past Django: to PostgreSQL, a transaction of its own, and nobody looks on. Connects where need be."""
        wrapper = self.wrapper
        if wrapper.vendor != "postgresql" or wrapper.in_atomic_block or wrapper.execute_wrappers or wrapper.queries_logged:
            return False
        wrapper.close_if_health_check_failed()
        wrapper.ensure_connection()
        if wrapper.connection is not self.raw:
            self.raw, self.pgconn, self.prepared = wrapper.connection, wrapper.connection.pgconn, set()
        return wrapper.autocommit


def _line(database: str) -> _Line:
    """Kept at Django's own connection, which belongs to this thread, or to this task where an event loop runs."""
    wrapper = connections[database]
    line: _Line | None = wrapper.__dict__.get(KEPT)
    if line is None:
        line = wrapper.__dict__[KEPT] = _Line(wrapper)
    return line


def _checked(result: Any) -> Any:
    """Raises psycopg's error for what did not succeed; one without a code is a connection that broke."""
    if result.status in DONE:
        return result
    error = errors.error_from_result(result)
    raise error if error.sqlstate else psycopg.OperationalError(str(error))


def _written(value: Any) -> bytes:
    """As PostgreSQL reads it from text."""
    if isinstance(value, str):
        written = value.encode()
        if b"\0" in written:  # libpq would take the text to end there.
            raise psycopg.DataError("A text of PostgreSQL cannot hold the character NUL.")
        return written
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, datetime):
        return value.isoformat().encode()
    if isinstance(value, (bytes, memoryview)):
        return b"\\x" + bytes(value).hex().encode()
    if isinstance(value, UUID):
        return str(value).encode()
    raise DataError(f"No value of type {type(value).__name__} goes into a statement.")


def _adapted(wrapper: BaseDatabaseWrapper, values: Values) -> Values:
    """What Django's cursor takes: psycopg knows all our types, SQLite's driver fewer."""
    if wrapper.vendor == "postgresql":
        return [str(one) if isinstance(one, str) else one for one in values]
    return [_for_sqlite(wrapper, one) for one in values]


def _for_sqlite(wrapper: BaseDatabaseWrapper, value: Any) -> Any:
    if isinstance(value, datetime):
        return wrapper.ops.adapt_datetimefield_value(value)
    return value.hex if isinstance(value, UUID) else value


def _column(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)


def _parts(text: str) -> list[str]:
    """The text cut at its marks, with them."""
    cut = text.split("%s")
    return [part for one in cut[:-1] for part in (one, "%s")] + cut[-1:]
