"""The floors hold: a wrong import, written into a copy of the house, makes import-linter fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import APPS, ROOT

LINT = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for app in APPS:
        shutil.copytree(ROOT / app, tmp_path / app, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(LINT, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_the_house_as_it_is_keeps_every_contract(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("products/services/products.py", "import devices.models", "Each app looks only down"),
        ("devices/services/lifecycle.py", "import registration.models", "Each app looks only down"),
        ("console/shared/keyring.py", "import console.settings", "Every module of the console"),
        ("console/audit.py", "import products.models", "Each app looks only down"),
        ("devices/rules/names.py", "import django", "Pure code imports no framework"),
        ("registration/protocols/base.py", "import rest_framework", "Pure code imports no framework"),
        ("devices/rules/names.py", "import devices.models", "Floors of devices"),
        ("devices/models/device.py", "import devices.services.lifecycle", "Floors of devices"),
        ("devices/services/lifecycle.py", "import celery", "Services import no door"),
        ("products/services/products.py", "import rest_framework", "Services import no door"),
        ("registration/services/enrolment.py", "import registration.api.doors", "Floors of registration"),
        ("devices/tasks.py", "import devices.admin", "Floors of devices"),
        ("registration/protocols/alibaba.py", "import registration.protocols.tencent", "A vendor's protocol knows no other"),
        ("devices/helpers.py", "pass", "Floors of devices"),
        ("console/helpers.py", "pass", "Every module of the console"),
    ],
)
def test_it_refuses_a_wrong_import(copy: Path, file: str, line: str, contract: str) -> None:
    with (copy / file).open("a") as module:
        module.write(f"\n{line}\n")
    done = lint(copy)
    assert done.returncode == 1, done.stdout
    assert any(told.startswith(contract) and told.endswith("BROKEN") for told in done.stdout.splitlines()), done.stdout
