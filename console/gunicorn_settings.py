"""How gunicorn serves: read by gunicorn itself (`-c python:console.gunicorn_settings`). The command line adds address and certificate.

The server was chosen for its header names: old C firmware compares them letter by letter, and servers that send them in
lower case lock it out.
"""

import gc
import ssl
from collections.abc import Callable
from typing import Any

from gunicorn.glogging import Logger

from console.environment import load
from console.logs import HookSecrets

_environment = load()

worker_class = "gthread"
workers = _environment.web_workers
threads = _environment.web_threads
# Firmware over TLS loses the answer if the connection closes within two seconds; ten are enough for any client.
keepalive = 10
# A device's certificate and two above it, RSA with 4,096 bits, have 8,432 characters as Envoy hands them on; gunicorn's own limit is 8,190.
limit_request_field_size = 32_768
graceful_timeout = 5
preload_app = True
control_socket_disable = True
forwarded_allow_ips = ",".join(_environment.trusted_proxies) or "127.0.0.1"
if not _environment.trusted_proxies:
    secure_scheme_headers: dict[str, str] = {}
worker_tmp_dir = "/dev/shm"  # noqa: S108  (gunicorn's heartbeat file; in memory, so that a slow disk does not look like a dead worker)
loglevel = "info" if _environment.log_level == "DEBUG" else "warning"
accesslog = None

PROFILES = {
    "modern": "ECDHE+AESGCM:ECDHE+CHACHA20",
    # OpenSSL's own default still holds RSA key exchange with CBC, the only suites that C firmware of that time has.
    "legacy": "DEFAULT",
}


class Lines(Logger):
    """gunicorn's own lines, with the URL of the request that went wrong: in the form of all others, and without the secrets of URLs."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers, self.error_log.propagate = [], True
        self.error_log.addFilter(HookSecrets())


logger_class = Lines


def when_ready(server: object) -> None:
    """What start-up made stays for good: the garbage collector of the web processes, forked after this, does not walk through it again and
    again, and the pages that they share with this one stay shared."""
    gc.collect()
    gc.freeze()


def ssl_context(config: Any, default_ssl_context_factory: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    context = default_ssl_context_factory()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(PROFILES[_environment.tls_profile])
    return context
