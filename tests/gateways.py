"""The real nginx and HAProxy that end a device's mutual TLS, with the lines that the broker's page tells to paste, and a device at them."""

import http.client
import os
import shutil
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from products.models import BrokerKind
from registration.admin.broker_lines import lines_of
from tests import haproxy, processes
from tests.haproxy import replaced
from tests.openssl_pki import Made
from tests.processes import Process
from tests.registration.raw_http import request_bytes

NGINX_MAIN = """\
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/server.conf;
}}
"""
HAPROXY_DEFAULTS = """\
defaults
    timeout client 30s
    timeout server 15s
    timeout connect 5s
    timeout http-request 10s

"""
SYSTEM_CAS = "/etc/ssl/certs/ca-certificates.crt"


def nginx_program() -> str | None:
    """Debian keeps it where only root looks."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def nginx_is_installed() -> bool:
    return nginx_program() is not None


@dataclass(frozen=True)
class Gateway:
    """A proxy for devices with certificates, at `port` of 127.0.0.1; `ca`: what to trust of it."""

    process: Process
    port: int
    ca: Path

    def call(self, device: Made | None, path: str = "/connect", method: str = "POST", body: bytes = b"", **headers: str) -> "Answer":
        """As a device with this certificate, or with none. `headers`: their names with underscores in place of hyphens."""
        return self.send(device, path, [(name.replace("_", "-"), value) for name, value in headers.items()], method, body)

    def send(
        self,
        device: Made | None,
        path: str,
        headers: list[tuple[str, str]],
        method: str = "POST",
        body: bytes = b"",
        *,
        tls: int = 0,
        source: str = "127.0.0.1",
    ) -> "Answer":
        """The headers letter by letter; `tls`: the newest version of TLS that the device knows, if not every one; `source`: its address."""
        context = ssl.create_default_context(cafile=str(self.ca))
        if device:
            context.load_cert_chain(device.presented, device.key)
        if tls:
            context.maximum_version = ssl.TLSVersion(tls)
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=20, source_address=(source, 0))
        try:
            connection.putrequest(method, path)
            for name, value in [*headers, ("Content-Length", str(len(body)))]:
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), dict(answer.headers))
        finally:
            connection.close()

    def call_twice(self, device: Made, path: str, version: ssl.TLSVersion) -> tuple["Answer", "Answer", bool]:
        """The second call offers the TLS session of the first one; whether the proxy took it up."""
        context = ssl.create_default_context(cafile=str(self.ca))
        context.load_cert_chain(device.presented, device.key)
        context.maximum_version = version
        answers, session, reused = [], None, False
        for _time in range(2):
            raw = socket.create_connection(("127.0.0.1", self.port), timeout=20)
            with context.wrap_socket(raw, server_hostname="localhost", session=session) as connection:
                connection.sendall(request_bytes(path, {"Host": "localhost"}, b""))
                answer = http.client.HTTPResponse(connection, method="POST")
                answer.begin()
                answers.append(Answer(answer.status, answer.read(), dict(answer.headers)))
                session, reused = connection.session, bool(connection.session_reused)
        return answers[0], answers[1], reused

    def stop(self) -> None:
        self.process.kill()


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]


def start_nginx(
    folder: Path, *, console: str, secret: str, tls: tuple[Path, Path], service: int = 9, trust: Path = Path(SYSTEM_CAS)
) -> Gateway:
    """`console`: its URL; `service`: the port of one behind nginx; `tls`: (certificate, key); `trust`: whom nginx believes the console's
    certificate. Returns when it answers."""
    folder.chmod(0o755)
    port = processes.free_port()
    server, devices = (one.text for one in lines_of(BrokerKind.NGINX, console, secret))
    server = replaced(server, "listen 8443 ssl", f"listen 127.0.0.1:{port} ssl")
    server = replaced(server, "/etc/nginx/tls/devices.pem", str(tls[0]))
    server = replaced(server, "/etc/nginx/tls/devices.key", str(tls[1]))
    server = replaced(server, "# include devices.conf;", f"include {folder}/devices.conf;")
    if console.startswith("https:"):
        server = replaced(server, SYSTEM_CAS, str(trust))
    (folder / "server.conf").write_text(server)
    (folder / "devices.conf").write_text(replaced(devices, "127.0.0.1:9000", f"127.0.0.1:{service}"))
    main = folder / "nginx.conf"
    main.write_text(NGINX_MAIN.format(folder=folder, user="user root;" if os.geteuid() == 0 else ""))
    process = Process([nginx_program() or "nginx", "-e", "stderr", "-c", str(main)], os.environ, folder / f"nginx-{port}.log")
    processes.wait_for_port(port, process)
    return Gateway(process, port, tls[0])


def start_haproxy(
    folder: Path, *, console: str, secret: str, tls: tuple[Path, Path], authorities: str, trust: Path = Path(SYSTEM_CAS)
) -> Gateway:
    """`authorities`: the CA certificates in PEM, one after the other; the others as for nginx. Returns when it answers."""
    port = processes.free_port()
    pem, cas = folder / "devices.pem", folder / "device-cas.pem"
    pem.write_bytes(tls[0].read_bytes() + tls[1].read_bytes())
    cas.write_text(authorities)
    [lines] = lines_of(BrokerKind.HAPROXY, console, secret)
    text = replaced(lines.text, "bind :8443 ssl", f"bind 127.0.0.1:{port} ssl")
    text = replaced(text, "/etc/haproxy/tls/devices.pem", str(pem))
    text = replaced(text, "/etc/haproxy/tls/device-cas.pem", str(cas))
    if console.startswith("https:"):
        text = replaced(text, "@system-ca", str(trust))
    file = folder / "haproxy.cfg"
    file.write_text(haproxy.GLOBAL + HAPROXY_DEFAULTS + text)
    process = Process([haproxy.program() or "haproxy", "-db", "-q", "-f", str(file)], os.environ, folder / f"haproxy-{port}.log")
    processes.wait_for_port(port, process)
    return Gateway(process, port, tls[0])
