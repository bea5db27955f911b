"""The real processes that other tests stand on."""

import re
from collections.abc import Callable
from urllib.request import urlopen

import pytest
from celery import current_app

from tests.processes import Process, Server

pytestmark = [pytest.mark.storage]


def test_a_worker_takes_messages(celery_worker_process: Process) -> None:
    current_app.send_task("console.no_such_task", args=[17], ignore_result=True)
    celery_worker_process.wait_for_output("unregistered task")


def test_a_killed_worker_leaves_nothing_behind(start_worker: Callable[..., Process]) -> None:
    worker = start_worker(concurrency=2)
    worker.kill()
    assert worker.popen.returncode == -9


def test_the_running_server_shows_the_console_with_its_styles(running_server: Server) -> None:
    with urlopen(f"{running_server.url}/login/") as page:
        text = page.read().decode()
    styles = re.findall(r'href="(/static/[^"]+\.css)"', text)
    assert styles
    for style in styles:
        with urlopen(running_server.url + style) as answer:
            assert answer.status == 200
