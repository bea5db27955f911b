"""`make run` is `manage.py setup` and `manage.py serve`: the first start, the second, and the end, with real processes."""

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests import processes
from tests.processes import Process, free_port

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("first start")]


class Console:
    """A console in a folder of its own, on the embedded defaults."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("NAMEPLATE_", "DATABASE_URL", "REDIS_URL", "DJANGO_"))
        }
        self.env = kept | {"NAMEPLATE_DATA_DIR": str(folder), "NAMEPLATE_BIND": f"127.0.0.1:{self.port}", "PYTHONUNBUFFERED": "1"}
        self.env |= {"NAMEPLATE_MQTT_BIND": f"127.0.0.1:{free_port()}", "NAMEPLATE_MQTT_TLS_BIND": f"127.0.0.1:{free_port()}"}
        self.url = f"http://127.0.0.1:{self.port}"

    def setup(self) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", "setup"], cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=120, check=True
        )
        return done.stdout

    def serve(self, log: Path) -> Process:
        process = Process([sys.executable, "manage.py", "serve"], self.env, log)
        process.wait_for_output("Ctrl-C ends it.", 60)
        return process

    def files(self) -> dict[str, bytes]:
        """What a second start must find as it was: key ring, secret key."""
        return {name: (self.folder / name).read_bytes() for name in ("keyring.json", "secret_key")}


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Console:
    return Console(tmp_path_factory.mktemp("first") / "var")


@pytest.fixture(scope="module")
def first(console: Console) -> str:
    """What the first start said."""
    return console.setup()


def test_the_first_start_makes_everything_and_the_second_finds_it(console: Console, first: str) -> None:
    assert re.search(r"Administrator: admin\n  Password:      \S{16}\n", first)
    assert "A key ring was made" in first
    made = console.files()
    assert console.setup() == "", "the password is shown once"
    assert console.files() == made
    for name in ("keyring.json", "secret_key"):
        assert (console.folder / name).stat().st_mode & 0o777 == 0o600
    assert console.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("first")
def test_all_of_it_runs_and_ctrl_c_ends_all_of_it(console: Console, tmp_path: Path, rsa_certificate: tuple[Path, Path]) -> None:
    port, (certificate, key) = free_port(), map(str, rsa_certificate)
    console.env |= {"NAMEPLATE_TLS_CERT": certificate, "NAMEPLATE_TLS_KEY": key, "NAMEPLATE_TLS_BIND": f"127.0.0.1:{port}"}
    console.env |= {"NAMEPLATE_TLS_PROFILE": "legacy"}
    process = console.serve(tmp_path / "log")
    try:
        with urlopen(f"{console.url}/login/") as page:
            assert page.status == 200
        with pytest.raises(HTTPError) as refused:
            urlopen(Request(f"{console.url}/login/", headers={"Host": "elsewhere.example"}))
        assert refused.value.code == 400
        refused.value.close()
        processes.wait_for_port(port, process)
        assert cipher_of_old_firmware(port, certificate) == ("AES256-SHA256", "TLSv1.2", 256)
        taken = subprocess.run(
            [sys.executable, "manage.py", "serve"], cwd=ROOT, env=console.env, capture_output=True, text=True, timeout=60, check=False
        )
        assert taken.returncode == 1
        assert f"Port {console.port} is taken by another program" in taken.stderr
        assert f"NAMEPLATE_BIND=127.0.0.1:{console.port + 1}" in taken.stderr
        process.popen.send_signal(signal.SIGINT)
        assert process.popen.wait(20) == 0
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", console.port), timeout=1)
    finally:
        process.kill()


def cipher_of_old_firmware(port: int, certificate: str) -> object:
    firmware = ssl.create_default_context(cafile=certificate)
    firmware.maximum_version = ssl.TLSVersion.TLSv1_2
    firmware.set_ciphers("AES256-SHA256")
    with socket.create_connection(("127.0.0.1", port)) as raw, firmware.wrap_socket(raw, server_hostname="localhost") as secured:
        return secured.cipher()
