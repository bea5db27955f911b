"""A data center with a database of its own (D3): its devices are there and nowhere else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RING = '{"version":1,"keys":["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]}'


def run(folder: Path, story: str) -> str:
    """What a story prints that is told on two databases of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NAMEPLATE_", "DATABASE_", "REDIS_"))} | {
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "NAMEPLATE_DATA_DIR": str(folder),
        "NAMEPLATE_KEY_RING": RING,
        "DATABASE_URL_FRANKFURT": f"sqlite:///{folder / 'frankfurt.sqlite3'}",
        "PYTHONPATH": str(ROOT),
    }
    for arguments in (["manage.py", "migrate"], ["manage.py", "migrate", "--database", "frankfurt"], [story]):
        result = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout.strip()


@pytest.mark.storage
def test_a_data_center_keeps_its_devices_in_its_own_database(tmp_path: Path) -> None:
    assert run(tmp_path, "tests/devices/own_database_story.py").endswith("told")
