"""The supervisor keeps its children running and leaves none behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from console import supervisor

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from console.supervisor import Child, Supervisor
children = [Child(name, [sys.executable, "-c", code]) for name, code in zip(sys.argv[1::2], sys.argv[2::2], strict=True)]
Supervisor(children, say=lambda message: print(message, flush=True)).run()
"""
SLEEPER = "import os, time; print('up', os.getpid(), flush=True); time.sleep(600)"
STUBBORN = "import os, signal, time; signal.signal(15, signal.SIG_IGN); print('up', os.getpid(), flush=True); time.sleep(600)"


def wait_until(fact: Callable[[], object], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Running:
    def __init__(self, log: Path, *children: str) -> None:
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *children], cwd=ROOT, stdout=out, stderr=out, start_new_session=True
            )

    def said(self) -> str:
        return self.log.read_text()

    def pids(self) -> list[int]:
        return [int(line.split()[1]) for line in self.said().splitlines() if line.startswith("up ")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_everything(tmp_path: Path, number: int) -> None:
    running = Running(tmp_path / "log", "one", SLEEPER, "two", SLEEPER)
    wait_until(lambda: len(running.pids()) == 2)
    running.process.send_signal(number)
    assert running.process.wait(15) == 0
    assert not any(alive(pid) for pid in running.pids())


def test_what_dies_starts_again_and_the_reason_is_told(tmp_path: Path) -> None:
    running = Running(tmp_path / "log", "worker", SLEEPER)
    wait_until(running.pids)
    os.kill(running.pids()[0], signal.SIGKILL)
    wait_until(lambda: len(running.pids()) == 2)
    assert "The worker ended (signal SIGKILL); it starts again in 0.5 s." in running.said()
    running.process.terminate()
    running.process.wait(15)


def test_what_dies_at_once_is_started_ever_more_slowly(tmp_path: Path) -> None:
    running = Running(tmp_path / "log", "web server", "raise SystemExit(3)")
    wait_until(lambda: "again in 2 s" in running.said())
    assert running.said().count("exit status 3") == 3
    running.process.terminate()
    running.process.wait(15)


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    running = Running(tmp_path / "log", "worker", STUBBORN)
    wait_until(running.pids)
    running.process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert running.process.poll() is None, "it waits for the child"
    running.process.send_signal(signal.SIGINT)
    running.process.wait(5)
    assert not alive(running.pids()[0])


def test_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    running = Running(tmp_path / "log", "one", SLEEPER)
    wait_until(running.pids)
    running.process.kill()
    running.process.wait()
    wait_until(lambda: not alive(running.pids()[0]))


def test_a_taken_port_is_seen() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert supervisor.port_is_taken(f"127.0.0.1:{taken.getsockname()[1]}")
    assert not supervisor.port_is_taken("127.0.0.1:0")


@pytest.mark.parametrize(
    ("bind", "parts"), [("127.0.0.1:8000", ("127.0.0.1", 8000)), ("[::1]:80", ("::1", 80)), (":8000", ("0.0.0.0", 8000))]
)
def test_an_address_has_two_parts(bind: str, parts: tuple[str, int]) -> None:
    assert supervisor.split_bind(bind) == parts


def test_it_refuses_an_address_without_a_port() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        supervisor.split_bind("localhost")
