"""Starts `python -m ...` in a process that has the libraries imported already: a real process of its own with the real command line, which
spends a second on starting and not four. The suite starts several hundreds.

The nursery is one quiet process beside the tests. It has no settings and no app of the console: each child reads its own environment.
"""

import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from console.supervisor import die_with_parent

ROOT = Path(__file__).resolve().parent.parent
LIBRARIES = (
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "celery.fixups.django",
    "cryptography.hazmat.primitives.serialization.pkcs7",
    "cryptography.x509",
    "diff_match_patch",
    "dj_database_url",
    "django.contrib.admin.utils",
    "django.contrib.messages.storage.cookie",
    "django.contrib.staticfiles.storage",
    "django.core.cache",
    "django.core.handlers.wsgi",
    "django.core.management",
    "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.executor",
    "django.db.models",
    "django.forms",
    "django.template.defaulttags",
    "django.views.debug",
    "django.views.generic",
    "gunicorn.app.wsgiapp",
    "gunicorn.workers.gthread",
    "import_export.formats.base_formats",
    "kombu.transport.filesystem",
    "kombu.transport.redis",
    "openpyxl",
    "psycopg",
    "pydantic_settings",
    "redis",
    "reportlab.platypus",
    "rest_framework.serializers",
    "segno",
    "structlog",
    "yaml",
)
"""What the console's processes import and what needs no settings for it. One that is missing here is imported by each child."""
LONGEST = 1 << 20
"""Of a message, bytes."""


class Nursery:
    """The tests' end. `start` is as Popen with a session of its own; a child that the tests leave ends with them."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LONGEST)
        env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        command = [sys.executable, "-m", "tests.nursery", str(theirs.fileno())]
        prepare = die_with_parent(os.getpid())
        self._process = subprocess.Popen(command, cwd=ROOT, env=env, pass_fds=[theirs.fileno()], preexec_fn=prepare)  # noqa: PLW1509
        theirs.close()
        self._channel = ours
        self._lock = threading.Lock()

    def start(self, command: list[str], env: Mapping[str, str], log: Path) -> "Child":
        log.touch()
        return Child(self, int(self.ask(start=command[1:], env=dict(env), log=str(log))))

    def ask(self, **request: Any) -> Any:
        with self._lock:
            self._channel.send(json.dumps(request).encode())
            answer = self._channel.recv(LONGEST)
        if not answer:
            raise RuntimeError("The nursery has ended: what it said stands above.")
        return json.loads(answer)

    def close(self) -> None:
        self._channel.close()
        self._process.wait(10)


class Child:
    """As subprocess.Popen has it."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._nursery = nursery

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._nursery.ask(poll=self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        end = time.monotonic() + (timeout or 3600)
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 3600)
            time.sleep(0.01)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def can_start(command: list[str]) -> bool:
    return command[0] == sys.executable and "-m" in command


def serve(channel: socket.socket) -> list[str]:
    """Answers until the tests end. Returns in each child, with the arguments of its `python`."""
    while True:
        request = json.loads(channel.recv(LONGEST) or "{}")
        if not request:
            sys.exit()
        if "poll" in request:
            answer = _code_of(request["poll"])
        else:
            prepare = die_with_parent(os.getpid())
            answer = os.fork()
            if not answer:
                channel.close()
                prepare()
                _dress(request)
                return list(request["start"])
        channel.send(json.dumps(answer).encode())


def _code_of(pid: int) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _dress(request: dict[str, Any]) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request["env"])
    for path, flags, ends in ((os.devnull, os.O_RDONLY, (0,)), (request["log"], os.O_WRONLY | os.O_APPEND, (1, 2))):
        opened = os.open(path, flags)
        for end in ends:
            os.dup2(opened, end)
        os.close(opened)


def run(arguments: list[str]) -> None:
    """As `python` does with them: -W FILTER, -m MODULE, and the module's own."""
    at = arguments.index("-m")
    for option in arguments[:at]:
        if option != "-W":
            action, message = option.split(":", 1)
            assert action == "ignore"
            warnings.filterwarnings("ignore", message)
    module, *rest = arguments[at + 1 :]
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    for library in LIBRARIES:
        importlib.import_module(library)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the tests, which then close the channel.
    run(serve(socket.socket(fileno=int(sys.argv[1]))))
