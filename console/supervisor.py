"""Web server, worker and clock under one roof: what dies is started again, and when the roof goes all go.

Children are in process groups of their own, so that Ctrl-C in a terminal reaches the supervisor alone, which then ends them in order.
"""

import contextlib
import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from console.shared.addresses import split_bind

PR_SET_PDEATHSIG = 1
GRACE_SECONDS = 10.0
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
HEALTHY_AFTER = 60.0
TICK = 0.1

Say = Callable[[str], None]


def web_command(bind: str, *, tls: tuple[Path, Path] | None = None) -> list[str]:
    """The web server on one address; `tls` is (certificate, key)."""
    command = [sys.executable, "-m", "gunicorn", "-c", "python:console.gunicorn_settings", "--bind", bind]
    if tls:
        command += ["--certfile", str(tls[0]), "--keyfile", str(tls[1])]
    return [*command, "console.wsgi"]


def worker_command(concurrency: int) -> list[str]:
    options = ["--concurrency", str(concurrency), "--loglevel", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    # As root in a container: Celery's warning is for workers that accept pickled messages, ours take JSON alone.
    quiet = ["-W", "ignore:You're running the worker"]
    return [sys.executable, *quiet, "-m", "celery", "-A", "console.celery", "-q", "worker", *options]


def clock_command() -> list[str]:
    """Celery's beat: sends the regular jobs of console/jobs.py."""
    return [sys.executable, "-m", "celery", "-A", "console.celery", "-q", "beat", "--loglevel", "WARNING", "--pidfile", ""]


def registrar_command() -> list[str]:
    """The MQTT listener at which devices register."""
    return [sys.executable, "-m", "django", "mqtt_registrar", "--settings", "console.settings"]


def link_command() -> list[str]:
    """The link to the MQTT brokers: cuts clients off there and learns who came and left."""
    return [sys.executable, "-m", "django", "broker_link", "--settings", "console.settings"]


def port_is_taken(bind: str) -> bool:
    host, port = split_bind(bind)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise
    return False


def answers(bind: str) -> bool:
    host, port = split_bind(bind)
    try:
        socket.create_connection(("127.0.0.1" if host == "0.0.0.0" else host, port), timeout=0.2).close()  # noqa: S104
    except OSError:
        return False
    return True


class Child:
    """One command that is kept running."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self.command = list(command)
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.due = 0.0
        self.pause = FIRST_PAUSE

    def start(self, now: float) -> None:
        prepare = die_with_parent(os.getpid())
        # There are no threads here that a fork could catch with a lock in hand.
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, process_group=0, preexec_fn=prepare)  # noqa: PLW1509
        self.started = now

    def check(self, now: float) -> str:
        """Start it if it is due; if it died, plan its restart and return what to say."""
        if self.process is None:
            if now >= self.due:
                self.start(now)
            return ""
        code = self.process.poll()
        if code is None:
            return ""
        self.signal_group(signal.SIGKILL)
        self.pause = FIRST_PAUSE if now - self.started > HEALTHY_AFTER else self.pause
        message = f"The {self.name} ended ({_ending(code)}); it starts again in {self.pause:g} s."
        self.process, self.due, self.pause = None, now + self.pause, min(self.pause * 2, LONGEST_PAUSE)
        return message

    def signal_group(self, number: int) -> None:
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


class Supervisor:
    def __init__(self, children: Sequence[Child], *, say: Say, bind: str = "", greeting: str = "") -> None:
        """`greeting` is said once `bind` answers."""
        self.children = list(children)
        self.say = say
        self.bind = bind
        self.greeting = greeting
        self.signals = 0

    def run(self) -> None:
        """Until SIGINT, SIGTERM or SIGHUP; a second one does not wait any longer."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_end)
        try:
            while not self.signals:
                self._look_around()
                time.sleep(TICK)
        finally:
            self._end()

    def _asked_to_end(self, number: int, frame: FrameType | None) -> None:
        self.signals += 1
        if self.signals == 1:
            self.say("Ending. A job that is running goes on from its checkpoint at the next start.")

    def _look_around(self) -> None:
        for child in self.children:
            message = child.check(time.monotonic())
            if message:
                self.say(message)
        if self.greeting and answers(self.bind):
            self.say(self.greeting)
            self.greeting = ""

    def _end(self) -> None:
        running = [child for child in self.children if child.process is not None]
        for child in running:
            if child.process is not None:
                child.process.terminate()
        end = time.monotonic() + GRACE_SECONDS
        while any(child.process and child.process.poll() is None for child in running) and time.monotonic() < end and self.signals < 2:
            time.sleep(TICK)
        for child in running:
            child.signal_group(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()


def die_with_parent(parent: int) -> Callable[[], None]:
    """For the child, between fork and exec: end when the supervisor does, even if it was killed."""
    prctl = ctypes.CDLL(None).prctl

    def prepare() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
