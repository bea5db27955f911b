"""Rows in the binary form that COPY reads, a block at a time.

What the rows of a block have in common is made once and repeated: of rows that are made together most columns have one value, and most
others values of one length. Form: PostgreSQL's documentation of COPY, "Binary Format": a row is its number of fields (2 bytes), and each
field its length (4 bytes, -1 for NULL) and its bytes.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from psycopg import Connection
from psycopg.pq import Format

BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"

Dump = Callable[[Any], Any]
"""From a value that is not None to its bytes."""

Piece = bytes | list[Any]
"""A stretch of every row: the same bytes in all of them, or bytes for each."""

_COUNT, _LENGTH = struct.Struct(">h"), struct.Struct(">i")
_NULL = _LENGTH.pack(-1)
_OWN: dict[str, Dump] = {"text": str.encode, "bytea": lambda value: value}
_EQUAL_IS_SAME = {"text", "bytea", "bigint", "integer", "smallint", "boolean", "timestamp with time zone"}
"""Types whose equal values have the same bytes. JSON's have not: 1 == True."""


class Writer:
    """For one table's columns of `types`, which are PostgreSQL's names of them."""

    def __init__(self, connection: Connection[Any], types: Sequence[str]) -> None:
        self._columns = [(_dump(connection, kind), kind in _EQUAL_IS_SAME) for kind in types]

    def rendered(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """At least one row, each with a value for every column."""
        pieces: list[Piece] = [_COUNT.pack(len(self._columns))]
        for values, (dump, foldable) in zip(zip(*rows, strict=True), self._columns, strict=True):
            pieces += _same(values[0], dump) if foldable and values.count(values[0]) == len(values) else _each(values, dump)
        joined = list(_joined(pieces))
        whole: list[Any] = [b""] * (len(rows) * len(joined))
        for place, piece in enumerate(joined):
            whole[place :: len(joined)] = piece if isinstance(piece, list) else [piece] * len(rows)
        return b"".join(whole)


def _dump(connection: Connection[Any], kind: str) -> Dump:
    if kind in _OWN:
        return _OWN[kind]
    oid = connection.adapters.types.get_oid(kind)
    return connection.adapters.get_dumper_by_oid(oid, Format.BINARY)(type(None), connection).dump


def _same(value: Any, dump: Dump) -> list[Piece]:
    if value is None:
        return [_NULL]
    field = dump(value)
    return [_LENGTH.pack(len(field)) + field]


def _each(values: Sequence[Any], dump: Dump) -> list[Piece]:
    if None in values:
        return [[_NULL if value is None else _with_length(dump(value)) for value in values]]
    fields = list(map(dump, values))
    if len(set(map(len, fields))) == 1:
        return [_LENGTH.pack(len(fields[0])), fields]
    return [list(map(_with_length, fields))]


def _with_length(field: bytes) -> bytes:
    return _LENGTH.pack(len(field)) + field


def _joined(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Neighbours that are the same in all rows become one."""
    same = b""
    for piece in pieces:
        if isinstance(piece, bytes):
            same += piece
            continue
        if same:
            yield same
        yield piece
        same = b""
    if same:
        yield same
