"""Python environments of their own for the vendors' SDKs: they want versions of their parts that ours cannot live with.

Made once on a machine, in .test-venv/, from pinned packages.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".test-venv" / "sdk"


@dataclass(frozen=True)
class Sdk:
    """`packages` are installed with what they require, `alone` without: it names a part that nobody can build any more."""

    name: str
    packages: tuple[str, ...]
    alone: tuple[str, ...] = ()

    @property
    def python(self) -> Path:
        return FOLDER / self.name / "bin" / "python"


ALIBABA = Sdk("aliyun-iot-linkkit-1.2.13", ("aliyun-iot-linkkit==1.2.13", "paho-mqtt==1.6.1"))
TENCENT = Sdk("tencent-iot-device-1.0.0", ("pycryptodome", "paho-mqtt==1.5.1"), alone=("tencent-iot-device==1.0.0",))


def python_of(sdk: Sdk) -> Path:
    """The Python of the SDK's environment, which is made if it is not there. Skips the test where no package can be fetched."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{sdk.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (FOLDER / sdk.name / "complete").exists():
            _make(sdk)
    return sdk.python


def driven(sdk: Sdk, driver: str, *arguments: str) -> tuple[int, str]:
    """What the SDK's callback or return value was: its code, and the secret or the message."""
    python = python_of(sdk)
    command = [str(python), str(ROOT / "tests" / "sdk" / driver), *arguments]
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, env=bare, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout, done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told["rc"], told["value"]


def _make(sdk: Sdk) -> None:
    shutil.rmtree(FOLDER / sdk.name, ignore_errors=True)
    try:
        _run(sys.executable, "-m", "venv", str(FOLDER / sdk.name))
        pip = (str(sdk.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run(*pip, *sdk.packages)
        if sdk.alone:
            _run(*pip, "--no-deps", *sdk.alone)
    except subprocess.CalledProcessError as error:
        words = f"{sdk.name} cannot be installed: {error.stderr[-400:]}"
        pytest.fail(words) if os.environ.get("CI") == "true" else pytest.skip(words)
    (FOLDER / sdk.name / "complete").touch()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=170)
