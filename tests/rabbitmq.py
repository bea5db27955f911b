"""A private RabbitMQ with MQTT and the plugins that the console works with, as Debian packages it.

Its own port mapper, node name, cookie, folders and ports, all on 127.0.0.1. It runs as whoever starts it, root or not, and ends by pid.
"""

import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from console.shared import keyring
from products.models import Broker, DataCenter
from products.services import brokers
from registration.admin.broker_lines import lines_of
from tests.cast import NOON, OPERATOR
from tests.processes import Process, free_port, wait_for_port

PROGRAM = "/usr/lib/rabbitmq/bin/rabbitmq-server"
"""Not the one in the path: that changes to a user of its own, in the machine's own folders."""
PLUGINS = ("rabbitmq_mqtt", "rabbitmq_auth_backend_http", "rabbitmq_management", "rabbitmq_event_exchange")
USER = "console"
START_SECONDS = 60


def is_installed() -> bool:
    return Path(PROGRAM).exists() and shutil.which("epmd") is not None


class RabbitMQ:
    """One node, with the lines that the broker's page tells to paste. `console_url`: where it asks about devices, with `hook_secret`;
    `more_lines`: for rabbitmq.conf, as `mqtt.proxy_protocol = true`."""

    def __init__(self, folder: Path, console_url: str, *more_lines: str) -> None:
        self.folder = folder
        self.hook_secret = secrets.token_urlsafe(24)
        self.mqtt_port, self.amqp_port, self.management_port, self._node_port, self._mapper_port = (free_port() for _ in range(5))
        self.password = secrets.token_hex(16)
        self._name = f"nameplate{secrets.token_hex(4)}@localhost"
        self._mapper: Process | None = None
        self._node: Process | None = None
        self._alarm: subprocess.Popen[bytes] | None = None
        self._write_files(console_url, more_lines)

    @property
    def management_url(self) -> str:
        return f"http://127.0.0.1:{self.management_port}"

    @property
    def events_url(self) -> str:
        return f"amqp://{USER}:{self.password}@127.0.0.1:{self.amqp_port}/%2F"

    def start(self) -> None:
        """Returns when MQTT, AMQP and the management interface answer. Again after stop(): with what it had stored."""
        env = self._environment()
        self._mapper = Process(["epmd", "-address", "127.0.0.1", "-port", str(self._mapper_port)], env, self.folder / "epmd.log")
        wait_for_port(self._mapper_port, self._mapper)
        self._node = Process([PROGRAM], env, self.folder / "rabbitmq.log")
        end = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if self._node.popen.poll() is not None or time.monotonic() > end:
                said = self._node.output()
                self.stop()
                raise AssertionError(f"RabbitMQ did not start:\n{said}")
            time.sleep(0.2)

    def is_ready(self) -> bool:
        try:
            listeners = self.ask("/api/overview")["listeners"]
        except (OSError, ValueError):
            return False
        return {"mqtt", "amqp", "http"} <= {one["protocol"] for one in listeners}

    def stop(self) -> None:
        """At once, as a power cut; nothing of it is left."""
        for process in (self._node, self._mapper):
            if process is not None:
                process.kill()
        self._node = self._mapper = None

    def freeze(self) -> None:
        """It keeps its connections and answers nobody; for a minute at most, lest a stopped process be left behind."""
        assert self._node
        node = self._node.popen.pid
        os.kill(node, signal.SIGSTOP)
        self._alarm = subprocess.Popen(["sh", "-c", f"sleep 60; kill -CONT {node}"], start_new_session=True)

    def thaw(self) -> None:
        assert self._node and self._alarm
        os.kill(self._node.popen.pid, signal.SIGCONT)
        os.killpg(self._alarm.pid, signal.SIGKILL)
        self._alarm.wait()

    def ask(self, path: str, method: str = "GET") -> Any:
        """What the management interface says. Raises OSError (HTTPError among them)."""
        request = urllib.request.Request(self.management_url + path, method=method)
        request.add_header("Authorization", "Basic " + b64encode(f"{USER}:{self.password}".encode()).decode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def _write_files(self, console_url: str, more_lines: Sequence[str]) -> None:
        (self.folder / "home").mkdir(parents=True)
        cookie = self.folder / "home" / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)
        (self.folder / "plugins").write_text(f"[{','.join(PLUGINS)}].\n")
        own = [
            f"listeners.tcp.1 = 127.0.0.1:{self.amqp_port}",
            f"mqtt.listeners.tcp.1 = 127.0.0.1:{self.mqtt_port}",
            "management.tcp.ip = 127.0.0.1",
            f"management.tcp.port = {self.management_port}",
            f"default_user = {USER}",
            f"default_pass = {self.password}",
            "disk_free_limit.absolute = 1MB",
            "log.console = true",
            "log.console.level = info",
            "log.file = false",
        ]
        pasted = {lines.file: lines.text for lines in lines_of("rabbitmq", console_url, self.hook_secret)}
        (self.folder / "rabbitmq.conf").write_text("\n".join([*own, *more_lines, pasted["rabbitmq.conf"]]))
        (self.folder / "advanced.config").write_text(pasted["advanced.config"])

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))}
        folder = self.folder
        return kept | {
            "HOME": str(folder / "home"),
            "LANG": "C.UTF-8",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_AFLAGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RUNNING_UNDER_SYSTEMD": "1",  # The start script then becomes the node instead of waiting for it: the pid is the node's.
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_NODENAME": self._name,
            "RABBITMQ_DIST_PORT": str(self._node_port),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2",
        }


def enrol(node: RabbitMQ, data_center: DataCenter) -> Broker:
    """The console's row of this node, with the hook secret that the node was configured with."""
    broker = brokers.save(
        Broker(),
        data_center=data_center,
        name="RabbitMQ",
        kind="rabbitmq",
        management_url=node.management_url,
        management_user=USER,
        management_secret=node.password,
        events_url=node.events_url,
        by=OPERATOR,
        at=NOON,
    )
    Broker.objects.filter(pk=broker.pk).update(
        hook_digest=hashlib.sha256(node.hook_secret.encode()).hexdigest(),
        sealed_hook_secret=keyring.seal(node.hook_secret, owner=broker.owner()),
    )
    broker.refresh_from_db()
    return broker
