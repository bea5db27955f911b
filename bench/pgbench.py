"""PostgreSQL's own load client runs the statements of a registration, without anything of ours around them."""

import os
import re
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from bench import load
from console.shared.statements import Statement
from tests import services

CLIENTS: Final = load.PROCESSES * load.CONNECTIONS
THREADS: Final = 2
DIGITS: Final = 6

Recorded = list[tuple[str, Sequence[Any]]]
"""The texts of statements with %s for values, and the values."""


@contextmanager
def recording() -> Iterator[Recorded]:
    """What this process runs past Django's cursor meanwhile."""
    found: Recorded = []
    real: Callable[..., Any] = Statement._run

    def run(self: Statement, line: Any, values: Sequence[Any]) -> Any:
        found.append((self.text, values))
        return real(self, line, values)

    Statement._run = run  # type: ignore[method-assign]
    try:
        yield found
    finally:
        Statement._run = real  # type: ignore[method-assign]


def rate(statements: Recorded, count: int, differing: Mapping[Any, str], folder: Path) -> float:
    """How often a second all of them are run, by as many clients as the load has connections, together `count` times.

    `differing`: the values that are others each time, with what stands in their place: SQL, in which `:n` is a number below `count` that is
    drawn once, as text. Raises RuntimeError when one fails.
    """
    share, script = count // CLIENTS, folder / "registration.sql"
    texts = "".join(f"{_text(statement, values, differing)};\n" for statement, values in statements)
    script.write_text(f"\\set turn :turn + 1\n\\set n :client_id * {share} + :turn\n{texts}")
    url = urlsplit(os.environ["DATABASE_URL"])
    command = [
        str(services.postgres_program("pgbench")),
        *("-h", unquote(url.hostname or ""), "-U", str(url.username), "-n", "-M", "prepared", "-D", "turn=-1"),
        *("-c", str(CLIENTS), "-j", str(THREADS), "-t", str(share), "-f", str(script), url.path.lstrip("/")),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = re.search(r"tps = ([0-9.]+) \(without", done.stdout)
    if done.returncode or told is None or "failed transactions: 0 " not in done.stdout:
        raise RuntimeError(f"pgbench failed: {done.stdout}{done.stderr}")
    return float(told[1])


def numbered(stem: str) -> str:
    """The SQL of a name that ends in its number."""
    return f"('{stem}' || lpad(:n, {DIGITS}, '0'))"


def _text(statement: str, values: Sequence[Any], differing: Mapping[Any, str]) -> str:
    cut = statement.split("%s")
    written = [differing[value] if value in differing else _written(value) for value in values]
    return " ".join("".join(part for pair in zip(cut, [*written, ""], strict=True) for part in pair).split())


def _written(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, (bool, int)):
        return str(value).lower()
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'::bytea"
    if isinstance(value, (str, datetime, uuid.UUID)):
        return "'{}'".format(str(value).replace("'", "''"))
    raise TypeError(f"No value of type {type(value).__name__} was expected.")
