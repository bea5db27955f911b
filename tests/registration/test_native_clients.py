"""The clients printed in docs/native-registration.md are run as they stand there, and its table is the one in the code."""

import json
import re
import subprocess

import pytest

from devices.models import Device
from registration.protocols.native import PROBLEMS
from tests import cast
from tests.processes import Server
from tests.registration.environments import ROOT
from tests.registration.golden import load
from tests.registration.knocking import SECRETS

TEXT = (ROOT / "docs" / "native-registration.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def device(running_server: Server) -> tuple[str, str, str, str]:
    """URL, ProductKey, ProductSecret, DeviceName."""
    cast.home()
    product = cast.meter()
    cast.row(product, "490154203237518")
    return running_server.url, product.key, SECRETS[product.key], "490154203237518"


def test_the_client_in_python_registers(device: tuple[str, str, str, str]) -> None:
    space: dict[str, object] = {}
    exec(block("python"), space)
    secret = space["register"](*device)  # type: ignore[operator]
    assert len(secret) == 32
    assert Device.objects.at(cast.home()).count() == 1


def test_the_client_in_the_shell_registers(device: tuple[str, str, str, str]) -> None:
    script = block("sh") + 'register "$@"\n'
    done = subprocess.run(["sh", "-c", script, "sh", *device], capture_output=True, text=True, timeout=30, check=True)
    assert len(json.loads(done.stdout)["deviceSecret"]) == 32


def test_the_client_in_the_shell_is_refused_with_a_wrong_secret(device: tuple[str, str, str, str]) -> None:
    url, key, _secret, name = device
    script = block("sh") + 'register "$@"\n'
    done = subprocess.run(["sh", "-c", script, "sh", url, key, "wrong", name], capture_output=True, text=True, timeout=30, check=True)
    assert json.loads(done.stdout)["code"] == "bad_signature"


def test_the_document_has_the_vector_and_every_problem() -> None:
    signature = json.loads(load("native")[0]["body"])["signature"]
    assert signature in TEXT
    rows = {
        (int(status), code)
        for status, codes in re.findall(r"^\| (\d{3}) \| (.*?) \|", TEXT, re.MULTILINE)
        for code in re.findall(r"`(\w+)`", codes)
    }
    assert rows == {(status, code) for status, code, _title in PROBLEMS.values()} | {(500, "internal")}
