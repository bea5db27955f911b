"""Production starts safely or not at all; seen on real processes, as an operator sees it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from console.crypto import sealing
from console.environment import load
from console.refusals import refusals

ROOT = Path(__file__).resolve().parents[2]
SAFE = {"NAMEPLATE_MODE": "production", "NAMEPLATE_SECRET_KEY": "k" * 60, "NAMEPLATE_ALLOWED_HOSTS": "console.example"}
SERVER = ["-m", "gunicorn", "-c", "python:console.gunicorn_settings", "--check-config", "console.wsgi"]
WORKER = ["-m", "celery", "-A", "console.celery", "-q", "worker", "--concurrency", "1"]
REGISTRAR = ["manage.py", "mqtt_registrar"]
LINK = ["manage.py", "broker_link"]
WAYS = {"web server": SERVER, "worker": WORKER, "registrar": REGISTRAR, "link": LINK, "setup": ["manage.py", "setup"]}


def start(command: list[str], folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("NAMEPLATE_", "DATABASE_URL", "REDIS_URL", "DJANGO_"))
    }
    env = kept | SAFE | {"NAMEPLATE_DATA_DIR": str(folder), "NAMEPLATE_KEY_RING": sealing.new_ring().dump()} | changes
    return subprocess.run([sys.executable, *command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)


def reasons(monkeypatch: pytest.MonkeyPatch, folder: Path, **changes: str) -> list[str]:
    """Why a safe production with these changes would not start."""
    given = SAFE | {"NAMEPLATE_DATA_DIR": str(folder), "NAMEPLATE_KEY_RING": sealing.new_ring().dump()} | changes
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    environment = load()
    return refusals(environment, debug=environment.debug, hosts=environment.hosts)


def test_a_safe_production_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert reasons(monkeypatch, tmp_path) == []


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("NAMEPLATE_KEY_RING", "", "The key ring is missing: set NAMEPLATE_KEY_RING"),
        ("NAMEPLATE_SECRET_KEY", "", "NAMEPLATE_SECRET_KEY is not set"),
        ("NAMEPLATE_DEBUG", "1", "NAMEPLATE_DEBUG is on"),
        ("NAMEPLATE_ALLOWED_HOSTS", "", "NAMEPLATE_ALLOWED_HOSTS is empty"),
        ("NAMEPLATE_ALLOWED_HOSTS", "console.example,*", "NAMEPLATE_ALLOWED_HOSTS is open"),
    ],
)
def test_it_refuses_and_names_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, reason: str) -> None:
    (told,) = reasons(monkeypatch, tmp_path, **{name: value})
    assert reason in told


@pytest.mark.parametrize("command", WAYS.values(), ids=WAYS)
def test_no_way_in_leads_around_it(tmp_path: Path, command: list[str]) -> None:
    refused = start(command, tmp_path, NAMEPLATE_DEBUG="1")
    assert refused.returncode != 0
    assert "NAMEPLATE_DEBUG is on" in refused.stderr


def test_every_reason_is_told_at_once(tmp_path: Path) -> None:
    refused = start(["manage.py", "serve"], tmp_path, NAMEPLATE_DEBUG="1", NAMEPLATE_SECRET_KEY="", NAMEPLATE_ALLOWED_HOSTS="")
    assert refused.stderr.count("\n  - ") == 3


def test_the_key_ring_that_is_missing_can_be_made(tmp_path: Path) -> None:
    ring = {"NAMEPLATE_KEY_RING": "", "NAMEPLATE_KEY_RING_FILE": str(tmp_path / "ring.json")}
    assert start(["manage.py", "make_key_ring"], tmp_path, **ring).returncode == 0
    assert (tmp_path / "ring.json").stat().st_mode & 0o777 == 0o600
    assert start(["manage.py", "check"], tmp_path, **ring).returncode == 0


def test_an_embedded_console_asks_for_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare = dict.fromkeys((*SAFE, "NAMEPLATE_KEY_RING"), "")
    assert reasons(monkeypatch, tmp_path, **bare) == []


def test_the_web_server_sets_what_it_loaded_aside_from_the_garbage_collector() -> None:
    code = "import gc; from console import gunicorn_settings as s; s.when_ready(None); print(gc.get_freeze_count())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert int(told.stdout) > 10_000
