"""A device with a certificate at the registrar's TLS listener."""

import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress

from registration.models import DeviceLogEntry
from registration.mqtt import packets
from registration.mqtt.packets import Connect
from registration.protocols.connecting import Presented
from tests import cast
from tests.openssl_pki import Made
from tests.processes import Registrar
from tests.registration import waiting

TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
NAME = "crate-1"
NATIVE = f"a1LampKey01/{NAME}"
ALIBABA = Presented(f"{NAME}.lamp|securemode=2,authType=x509,signmethod=hmacsha256|", "", "")
"""What Alibaba's devices with certificates send: neither user name nor password."""


def context(registrar: Registrar, certificate: Made | None, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """What a device speaks that has loaded its certificate and the intermediates above it."""
    made = ssl.create_default_context(cafile=str(registrar.ca))
    if certificate is not None:
        made.load_cert_chain(certificate.presented, certificate.key)
    if version is not None:
        made.minimum_version = made.maximum_version = version
    return made


def knock(registrar: Registrar, tls: ssl.SSLContext, *, username: str | None = NATIVE, password: bytes | None = None) -> int | None:
    """The return code of the CONNACK; None: the connection ended without one."""
    packet = packets.connect(Connect(4, "crate-1-7", username, password))
    raw = socket.create_connection(("127.0.0.1", registrar.tls_port), timeout=20)
    received = b""
    with raw, suppress(ssl.SSLError, ConnectionError), tls.wrap_socket(raw, server_hostname="localhost") as connection:
        connection.sendall(packet)
        while len(received) < 4 and (piece := connection.recv(100)):
            received += piece
    return packets.read_connack(received) if received else None


def codes() -> list[str]:
    return [entry.code for entry in entries()]


def entries() -> Sequence[DeviceLogEntry]:
    """Of this test's data center: those of the test before may be written only now."""
    return list(DeviceLogEntry.objects.at(cast.home()).filter(event="connection").order_by("id"))


def newest(count: int) -> DeviceLogEntry:
    """The last of so many entries: they are written behind the answers."""
    waiting.until(lambda: len(entries()) >= count)
    assert len(entries()) == count, codes()
    return entries()[-1]
