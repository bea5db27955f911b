"""The clients printed in docs/native-registration.md are run as they stand there, and its table is the one in the code."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from django.utils import timezone

from console.crypto.certificates import reading
from devices.models import Device
from products.models import Product
from registration.protocols.native import PROBLEMS
from tests import cast
from tests.processes import Server
from tests.products.issuing_cast import openssl
from tests.registration.enrolling import certified, connect
from tests.registration.environments import ROOT
from tests.registration.golden import load
from tests.registration.knocking import SECRETS

TEXT = (ROOT / "docs" / "native-registration.md").read_text()


def block(language: str, number: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)[number]


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


def test_the_client_in_the_shell_gets_a_certificate_with_which_the_device_connects(
    device: tuple[str, str, str, str], tmp_path: Path
) -> None:
    url, key, secret, name = device
    product = certified(Product.objects.get(key=key))
    script = block("sh", 1) + 'enrol "$@"\n'
    subprocess.run(["sh", "-ec", script, "sh", url, key, secret, name], cwd=tmp_path, capture_output=True, timeout=30, check=True)
    openssl("verify", "-purpose", "sslclient", "-CAfile", str(tmp_path / "chain.pem"), str(tmp_path / "device.pem"))
    public = openssl("x509", "-in", str(tmp_path / "device.pem"), "-noout", "-pubkey")
    assert public == openssl("pkey", "-in", str(tmp_path / "device.key"), "-pubout")
    certificate = reading.read_one((tmp_path / "device.pem").read_bytes())
    assert connect(product, name, certificate, at=timezone.now()).code == "accepted"


def test_the_document_has_the_vector_and_every_problem() -> None:
    signature = json.loads(load("native")[0]["body"])["signature"]
    assert signature in TEXT
    rows = {
        (int(status), code)
        for status, codes in re.findall(r"^\| (\d{3}) \| (.*?) \|", TEXT, re.MULTILINE)
        for code in re.findall(r"`(\w+)`", codes)
    }
    assert rows == {(status, code) for status, code, _title in PROBLEMS.values()} | {(500, "internal")}
