"""The real HAProxy with the project's own configuration, on ports of the loopback interface."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests import processes
from tests.processes import Process

CONFIGURATION = Path(__file__).resolve().parents[1] / "docs" / "deploy" / "haproxy-mqtt.cfg"
GLOBAL = "global\n    maxconn 2000\n    log stderr format raw daemon notice\n"


def program() -> str | None:
    """Debian keeps it where only root looks."""
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")


def is_installed() -> bool:
    return program() is not None


@dataclass(frozen=True)
class Haproxy:
    """`port`: plain MQTT; `tls_port`: 0 without a certificate; `certificates_port`: for devices with one of their own."""

    process: Process
    port: int
    tls_port: int = 0
    certificates_port: int = 0

    def stop(self) -> None:
        self.process.kill()


def start(
    folder: Path,
    *,
    registrar: int,
    broker: int,
    tls: tuple[Path, Path] | None = None,
    broker_proxy_header: bool = True,
    registrar_tls: int = 9,
) -> Haproxy:
    """`registrar`, `broker`, `registrar_tls`: the ports behind it, all expecting PROXY v2; `tls`: (certificate, key). Returns when it
    answers."""
    port, tls_port = processes.free_port(), processes.free_port() if tls else 0
    text = configuration(folder, port=port, tls_port=tls_port, registrar=registrar, broker=broker, tls=tls)
    certificates_port = processes.free_port()
    text = replaced(text, "    bind :8884\n", f"    bind 127.0.0.1:{certificates_port}\n")
    text = replaced(text, "server registrar 127.0.0.1:18883", f"server registrar 127.0.0.1:{registrar_tls}")
    if not broker_proxy_header:
        text = replaced(text, f"{broker} send-proxy-v2", str(broker))
    (folder / "global.cfg").write_text(GLOBAL)
    (folder / "mqtt.cfg").write_text(text)
    command = [program() or "haproxy", "-db", "-q", "-f", str(folder / "global.cfg"), "-f", str(folder / "mqtt.cfg")]
    process = Process(command, os.environ, folder / f"haproxy-{port}.log")
    processes.wait_for_port(port, process)
    return Haproxy(process, port, tls_port, certificates_port)


def configuration(folder: Path, *, port: int, tls_port: int, registrar: int, broker: int, tls: tuple[Path, Path] | None) -> str:
    """The project's file with these ports, and without its TLS listener where there is no certificate."""
    text = CONFIGURATION.read_text()
    text = replaced(text, "    bind :1883\n", f"    bind 127.0.0.1:{port}\n")
    text = replaced(text, "server registrar 127.0.0.1:11883", f"server registrar 127.0.0.1:{registrar}")
    text = replaced(text, "server broker 127.0.0.1:21883", f"server broker 127.0.0.1:{broker}")
    if tls is None:
        return replaced(text, "    bind :8883", "    # bind :8883")
    pem = folder / "devices.pem"
    pem.write_bytes(tls[0].read_bytes() + tls[1].read_bytes())
    return replaced(text, "    bind :8883 ssl crt /etc/haproxy/tls/devices.pem", f"    bind 127.0.0.1:{tls_port} ssl crt {pem}")


def replaced(text: str, old: str, new: str) -> str:
    """Fails when the configuration does not have what is replaced."""
    assert old in text, f"The configuration has no {old!r} any more."
    return text.replace(old, new)
