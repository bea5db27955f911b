"""What it was measured on."""

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from django.db import connection

PARTS = ("Django", "psycopg", "gunicorn", "cryptography", "python-calamine")


def description() -> str:
    """One paragraph."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        postgres = cursor.fetchone()[0]
    parts = ", ".join(f"{part} {version(part)}" for part in PARTS)
    machine = f"{_processor()}, {os.cpu_count()} cores, {_memory():.0f} GiB of memory, {platform.system()} {platform.machine()}"
    python = f"Python {platform.python_version()}"
    return f"{datetime.now(UTC):%Y-%m-%d}: {machine}; {python}, PostgreSQL {postgres} as it is delivered (fsync on), {parts}."


def _processor() -> str:
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return found[1].strip() if found else platform.processor() or "processor unknown"


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
