"""Every way of connecting that this build knows, told apart by the user name. A new vendor is one line in each table."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from registration.protocols import alibaba_connect, native_mqtt, tencent_mqtt
from registration.protocols.base import Malformed
from registration.protocols.connecting import MAX_USERNAME, ConnectClaim, DeviceCredentials, Presented
from registration.protocols.wire import plain_text

Reader = Callable[[Presented], ConnectClaim]
NameReader = Callable[[str], tuple[str, str]]
BY_MARK: Final[tuple[tuple[str, Reader, NameReader], ...]] = (
    (";", tencent_mqtt.read, tencent_mqtt.names_in),
    ("&", alibaba_connect.read, alibaba_connect.names_in),
    ("/", native_mqtt.read, native_mqtt.names_in),
)
"""The character by which a scheme's user names are known, its reader, and its reader of user names alone.

No DeviceName may hold any of the three.
"""

COMPOSERS: Final[Mapping[str, Callable[[DeviceCredentials, datetime, int], Presented]]] = {
    "alibaba": alibaba_connect.compose,
    "tencent": tencent_mqtt.compose,
    "native": native_mqtt.compose,
}
"""The device's side, by the wire protocol of its product."""

X509: Final = "x509"
"""By a certificate, whatever form the user name has."""
SCHEMES: Final = ("alibaba", "alibaba-connwl", "tencent", "native", X509)
"""What the log calls the way in which a device connects: a ConnectClaim's `scheme`, or a certificate."""


def read(presented: Presented) -> ConnectClaim:
    """Raises Malformed when no scheme's form fits."""
    presented.checked()
    for mark, reader, _ in BY_MARK:
        if mark in presented.username:
            return reader(presented)
    raise Malformed("The user name is of no known form.", field="username")


def names_in(username: str) -> tuple[str, str]:
    """ProductKey and DeviceName as a user name has them, for a broker that asks about a topic later. Raises Malformed."""
    plain_text(username, "username", MAX_USERNAME)
    for mark, _, reader in BY_MARK:
        if mark in username:
            return reader(username)
    raise Malformed("The user name is of no known form.", field="username")
