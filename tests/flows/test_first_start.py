"""The first start in an empty folder, as somebody sees it with a terminal and a browser; then the end, and the second start."""

import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.console.test_first_start import Console
from tests.flows.operator import Operator

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(300)]


def of_session(number: int) -> list[str]:
    """The commands that run in a session of processes."""
    found = subprocess.run(["ps", "-o", "args=", "-s", str(number)], capture_output=True, text=True, check=False)
    return found.stdout.splitlines()


def test_an_empty_folder_a_browser_ctrl_c_and_everything_is_there_again(tmp_path: Path, operator_at: Callable[[str], Operator]) -> None:
    console = Console(tmp_path / "var")
    told = console.setup()
    password = re.search(r"Password: +(\S+)", told)
    assert password and told.count(password[1]) == 1

    process = console.serve(tmp_path / "first.log")
    try:
        address = re.search(r"Nameplate is at (http://\S+)/\n", process.output())
        assert address and password[1] not in process.output()
        operator = operator_at(address[1])
        operator.sign_in("admin", password[1])
        make_a_product(operator)
        running = of_session(process.popen.pid)
        assert [word for word in ("gunicorn", "worker", "beat") if not any(word in command for command in running)] == []
        process.popen.send_signal(signal.SIGINT)
        assert process.popen.wait(30) == 0
        assert of_session(process.popen.pid) == [], "Ctrl-C ends all of it"
    finally:
        process.kill()

    assert "assword" not in console.setup()
    process = console.serve(tmp_path / "second.log")
    try:
        assert "assword" not in process.output()
        operator.open()  # Signed in, still.
        operator.go_to("Products")
        operator.sees("Hallway lamp")
    finally:
        process.kill()


def make_a_product(operator: Operator) -> None:
    operator.go_to("Products")
    operator.create("product")
    operator.fill(Name="Hallway lamp")
    operator.press("Create the product")
    operator.sees("The product was created.", "Hallway lamp", "In development")
