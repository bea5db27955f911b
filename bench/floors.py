"""The floors: what the machine, PostgreSQL and zlib need for the bare result."""

import os
import time
import zlib
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from bench.stage import checkpoint

TABLE = "devices_preimporteddevice"
PIECE = 64 * 1024


def finished_rows(batch_id: int | None = None) -> Any:
    """The pre-import list, or a batch of it, everything but the row numbers, in the order in which it was stored: on PostgreSQL as
    `psql \\copy` writes it to a file, on SQLite as values. For `copy_in` alone."""
    chosen = "" if batch_id is None else f" WHERE batch_id = {batch_id}"
    wanted = f"SELECT {_columns()} FROM {TABLE}{chosen} ORDER BY id"
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            return cursor.execute(wanted).fetchall()
        with cursor.copy(f"COPY ({wanted}) TO STDOUT") as copy:
            return b"".join(copy)


def copy_in(rows: Any) -> float:
    """Seconds of storing finished rows into the same table with the same indexes, in one transaction: what `psql \\copy` does, without a
    process to start; on SQLite one executemany."""
    columns = _columns()
    checkpoint()
    started = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            marks = ", ".join("?" * (columns.count(",") + 1))
            connection.connection.executemany(f"INSERT INTO {TABLE} ({columns}) VALUES ({marks})", rows)
        else:
            with cursor.copy(f"COPY {TABLE} ({columns}) FROM STDIN") as copy:
                for at in range(0, len(rows), PIECE):
                    copy.write(rows[at : at + PIECE])
    return time.perf_counter() - started


def empty_the_list() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLE} RESTART IDENTITY" if connection.vendor == "postgresql" else f"DELETE FROM {TABLE}")


def deflate(data: bytes) -> float:
    """Seconds of zlib's level 1."""
    started = time.perf_counter()
    squeeze = zlib.compressobj(1)
    for at in range(0, len(data), PIECE):
        squeeze.compress(data[at : at + PIECE])
    squeeze.flush()
    return time.perf_counter() - started


def write(data: bytes, folder: Path) -> float:
    """Seconds until the bytes are safely in a file, as the vault has them when it says so."""
    file = folder / "floor"
    started = time.perf_counter()
    with file.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    taken = time.perf_counter() - started
    file.unlink()
    return taken


def _columns() -> str:
    from devices.querysets import PreImportRow

    return ", ".join(PreImportRow._fields)
