"""A data center with a database of its own (D3): its devices are there and nowhere else."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
RING = '{"version":1,"keys":["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]}'


def run(folder: Path, story: str, *, settings: str = "console.settings") -> str:
    """What a story prints that is told on two databases of its own, of the kind that the tests run on."""
    with _two_databases(folder) as databases:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("NAMEPLATE_", "DATABASE_", "REDIS_"))} | {
            "DJANGO_SETTINGS_MODULE": "console.settings",
            "NAMEPLATE_DATA_DIR": str(folder),
            "NAMEPLATE_KEY_RING": RING,
            "PYTHONPATH": str(ROOT),
            **databases,
        }
        for database in ("default", "frankfurt"):
            _run(environment, "manage.py", "migrate", "--database", database)
        return _run(environment | {"DJANGO_SETTINGS_MODULE": settings}, story)


def _run(environment: dict[str, str], *arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout.strip()


@contextmanager
def _two_databases(folder: Path) -> Iterator[dict[str, str]]:
    """The settings that name them."""
    names = {"DATABASE_URL": "center", "DATABASE_URL_FRANKFURT": "frankfurt"}
    if connection.vendor != "postgresql":
        yield {setting: f"sqlite:///{folder / name}.sqlite3" for setting, name in names.items()}
        return
    server_url, mark = os.environ["DATABASE_URL"].rpartition("/")[0], secrets.token_hex(4)
    names = {setting: f"{name}_{mark}" for setting, name in names.items()}
    with psycopg.connect(f"{server_url}/postgres", autocommit=True) as server:
        try:
            for name in names.values():
                server.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type]
            yield {setting: f"{server_url}/{name}" for setting, name in names.items()}
        finally:
            for name in names.values():
                server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')  # type: ignore[arg-type]


@pytest.mark.storage
def test_a_data_center_keeps_its_devices_in_its_own_database(tmp_path: Path) -> None:
    assert run(tmp_path, "tests/devices/own_database_story.py").endswith("told")


@pytest.mark.storage
@pytest.mark.slow
def test_certificates_are_looked_after_in_a_database_of_its_own(tmp_path: Path) -> None:
    assert run(tmp_path, "tests/devices/own_database_pages_story.py", settings="tests.settings").endswith("told")
