"""The floors: what the machine, PostgreSQL and zlib need for the bare result."""

import os
import time
import zlib
from pathlib import Path

from django.db import connection, transaction

from bench.stage import checkpoint

TABLE = "devices_preimporteddevice"
PIECE = 64 * 1024


def finished_rows() -> bytes:
    """The pre-import list as `psql \\copy` writes it to a file: everything but the row numbers, in the order in which it was stored."""
    with connection.cursor() as cursor, cursor.copy(f"COPY (SELECT {_columns()} FROM {TABLE} ORDER BY id) TO STDOUT") as copy:
        return b"".join(copy)


def copy_in(rows: bytes) -> float:
    """Seconds of `psql \\copy` of such a file into the same table with the same indexes: one transaction, no process to start."""
    columns = _columns()
    checkpoint()
    started = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor, cursor.copy(f"COPY {TABLE} ({columns}) FROM STDIN") as copy:
        for at in range(0, len(rows), PIECE):
            copy.write(rows[at : at + PIECE])
    return time.perf_counter() - started


def empty_the_list() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLE} RESTART IDENTITY")


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
