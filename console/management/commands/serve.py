"""manage.py serve: web server, MQTT registrar, worker, clock and the link to the brokers under one supervisor."""

import logging
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.environment import Environment, load
from console.refusals import refuse_unsafe_start
from console.shared.addresses import split_bind
from console.shared.announcing import announce
from console.supervisor import Child, Supervisor, clock_command, link_command, port_is_taken, registrar_command, web_command, worker_command

log = logging.getLogger("nameplate.serve")


class Command(BaseCommand):
    help = "Serves the console and the device doors and works on background jobs, until Ctrl-C."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_unsafe_start()
        environment = load()
        certificate = _certificate(environment)
        for name, bind in _ports(environment).items():
            self._refuse_taken_port(name, bind)
        _make_metrics_folder(environment)
        Supervisor(_children(environment, certificate), say=self._say, bind=environment.bind, greeting=_greeting(environment)).run()

    def _say(self, message: str) -> None:
        announce(message, out=sys.stdout, log=log)

    def _refuse_taken_port(self, name: str, bind: str) -> None:
        try:
            _host, port = split_bind(bind)
            taken = port_is_taken(bind)
        except (ValueError, OSError) as error:
            raise CommandError(f"{name}={bind} cannot be served: {error}.") from error
        if taken:
            raise CommandError(
                f"Port {port} is taken by another program ({bind}). End it, or choose another: {name}=127.0.0.1:{port + 1} make run"
            )


def _make_metrics_folder(environment: Environment) -> None:
    """Where all children count into files (console/shared/metrics.py), empty at each start; an operator may have named another place."""
    folder = Path(os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(environment.data_dir / "metrics")))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)


def _ports(environment: Environment) -> dict[str, str]:
    """Every address that will be served, by the variable that sets it."""
    ports = {"NAMEPLATE_BIND": environment.bind, "NAMEPLATE_MQTT_BIND": environment.mqtt_bind}
    if environment.tls_cert:
        ports |= {"NAMEPLATE_TLS_BIND": environment.tls_bind, "NAMEPLATE_MQTT_TLS_BIND": environment.mqtt_tls_bind}
    return {name: bind for name, bind in ports.items() if bind}


def _children(environment: Environment, certificate: tuple[Path, Path] | None) -> list[Child]:
    children = [Child("web server", web_command(environment.bind))]
    if certificate:
        children.append(Child("TLS web server", web_command(environment.tls_bind, tls=certificate)))
    if environment.mqtt_bind or (certificate and environment.mqtt_tls_bind):
        children.append(Child("MQTT registrar", registrar_command()))
    return [
        *children,
        Child("worker", worker_command(environment.job_workers)),
        Child("clock", clock_command()),
        Child("broker link", link_command()),
    ]


def _certificate(environment: Environment) -> tuple[Path, Path] | None:
    cert, key = environment.tls_cert, environment.tls_key
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        raise CommandError("NAMEPLATE_TLS_CERT and NAMEPLATE_TLS_KEY belong together: set both or none.")
    for file in (cert, key):
        if not file.is_file():
            raise CommandError(f"There is no certificate or key file {file}.")
    return cert, key


def _greeting(environment: Environment) -> str:
    lines = [f"Nameplate is at http://{environment.bind}/"]
    if environment.tls_cert:
        lines.append(f"  and at https://{environment.tls_bind}/")
    lines += [f"  MQTT at {bind}" for name, bind in _ports(environment).items() if "_MQTT_" in name]
    return "\n".join([*lines, "Ctrl-C ends it."])
