"""manage.py mqtt_registrar: devices register over MQTT."""

import logging
import ssl
import sys
from pathlib import Path
from typing import Any

import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from console.shared.addresses import split_bind
from console.shared.announcing import announce
from registration.servers.entrance import Listener
from registration.servers.registrar import Options, Registrar
from registration.servers.splice import Upstream
from registration.servers.tls import ServerTls

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Registers devices over MQTT and passes all other connections on to a broker, until Ctrl-C. `serve` starts it."

    requires_system_checks = ("production",)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            registrar = Registrar(_options())
            uvloop.run(registrar.run(ready=lambda: self._greet(registrar)))
        except (OSError, ValueError, ssl.SSLError) as error:
            raise CommandError(f"The MQTT registrar cannot start: {error}") from error

    def _greet(self, registrar: Registrar) -> None:
        places = [f"{one.bind}{' with TLS' if one.tls else ''}" for one in registrar.options.listeners]
        announce(f"The MQTT registrar is at {' and '.join(places)}; {_beyond(registrar)}.", out=sys.stdout, log=log)


def _options() -> Options:
    """Raises CommandError for settings that contradict each other, OSError and ssl.SSLError for a certificate that cannot be read."""
    proxies = settings.NAMEPLATE_TRUSTED_PROXIES if settings.NAMEPLATE_MQTT_PROXY_PROTOCOL else None
    if proxies == ():
        raise CommandError("NAMEPLATE_MQTT_PROXY_PROTOCOL is on: name the proxies that may speak it in NAMEPLATE_TRUSTED_PROXIES.")
    listeners = tuple(Listener(bind, tls, proxies) for bind, tls in _binds())
    if not listeners:
        raise CommandError("There is nothing to serve: NAMEPLATE_MQTT_BIND is off, and there is no TLS listener.")
    return Options(
        listeners=listeners,
        upstream=_upstream(settings.NAMEPLATE_MQTT_UPSTREAM),
        read_seconds=settings.NAMEPLATE_MQTT_READ_SECONDS,
        connections=settings.NAMEPLATE_MQTT_CONNECTIONS,
        waiting_per_address=settings.NAMEPLATE_MQTT_WAITING_PER_ADDRESS,
        threads=settings.NAMEPLATE_MQTT_THREADS,
        trusted=settings.NAMEPLATE_TRUSTED_PROXIES,
    )


def _binds() -> list[tuple[str, ServerTls | None]]:
    found: list[tuple[str, ServerTls | None]] = []
    if settings.NAMEPLATE_MQTT_BIND:
        found.append((settings.NAMEPLATE_MQTT_BIND, None))
    cert: Path | None = settings.NAMEPLATE_TLS_CERT
    key: Path | None = settings.NAMEPLATE_TLS_KEY
    if settings.NAMEPLATE_MQTT_TLS_BIND and cert and key:
        found.append((settings.NAMEPLATE_MQTT_TLS_BIND, ServerTls(cert, key, settings.NAMEPLATE_MQTT_TLS_PROFILE)))
    return found


def _upstream(text: str) -> Upstream | str | None:
    if text in ("", "embedded"):
        return text or None
    host, port = split_bind(text)
    return Upstream(host, port, settings.NAMEPLATE_MQTT_UPSTREAM_PROXY_PROTOCOL)


def _beyond(registrar: Registrar) -> str:
    if registrar.options.upstream == "embedded":
        return "other connections go to the broker in this process"
    if registrar.upstream is None:
        return "other connections are refused"
    return f"other connections go to {registrar.upstream.host}:{registrar.upstream.port}"
