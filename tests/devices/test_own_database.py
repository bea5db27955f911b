"""A data center with a database of its own (D3): its devices are there and nowhere else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RING = '{"version":1,"keys":["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]}'


@pytest.mark.storage
def test_a_data_center_keeps_its_devices_in_its_own_database(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NAMEPLATE_", "DATABASE_", "REDIS_"))} | {
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "NAMEPLATE_DATA_DIR": str(tmp_path),
        "NAMEPLATE_KEY_RING": RING,
        "DATABASE_URL_FRANKFURT": f"sqlite:///{tmp_path / 'frankfurt.sqlite3'}",
        "PYTHONPATH": str(ROOT),
    }
    for arguments in (
        ["manage.py", "migrate"],
        ["manage.py", "migrate", "--database", "frankfurt"],
        ["tests/devices/own_database_story.py"],
    ):
        result = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert result.returncode == 0, result.stderr[-2000:]
    assert result.stdout.strip().endswith("told")
