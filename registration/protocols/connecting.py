"""What every way of connecting has in common: a device's own credential, as a CONNECT carries it, unchecked and checked.

`connection_schemes.read` makes a `ConnectClaim` of what was presented, without believing anything; the service finds the DeviceSecret
(or the digest of a DeviceToken) and decides. Pure code: no Django, no clock, no randomness of its own.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from typing import Protocol as Interface

from registration.mqtt.packets import Connect
from registration.protocols.base import BadSignature, Malformed
from registration.protocols.wire import plain_text

MAX_CLIENT_ID: Final = 512
"""Characters of MQTT's client identifier. Alibaba's Python SDK may put 160 characters of free text among its parameters."""
MAX_USERNAME: Final = 256
MAX_PASSWORD: Final = 256


@dataclass(frozen=True, slots=True)
class Presented:
    """The three texts of a CONNECT, or of a broker's question about one. `certificates`: what the device proved itself with in the TLS
    handshake, as DER, the leaf first; empty for a device without one. `product_key`: of whom the asking proxy is, where it says so."""

    client_id: str
    username: str
    password: str = field(repr=False)
    certificates: tuple[bytes, ...] = field(default=(), repr=False)
    product_key: str = ""

    def checked(self) -> "Presented":
        """Itself, if its texts are visible and of a length that something means. Raises Malformed."""
        plain_text(self.client_id, "clientId", MAX_CLIENT_ID)
        plain_text(self.username, "username", MAX_USERNAME)
        plain_text(self.password, "password", MAX_PASSWORD)
        return self


@dataclass(frozen=True, slots=True, repr=False)
class DeviceCredentials:
    """What a device connects with: its DeviceSecret, or the ClientID and DeviceToken of a preregistration-free registration."""

    product_key: str
    device_name: str
    device_secret: str = ""
    client_id: str = ""
    device_token: str = ""

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"DeviceCredentials({self.product_key}, {self.device_name})"


class ConnectClaim(Interface):
    """Who the device says that it is, with its unchecked proof.

    `scheme` is what the log shows. `client_id` is the issued ClientID and `token` what came with it: both are empty for a device
    that proves itself by its DeviceSecret, and then `verify` is asked; a DeviceToken is compared by whoever holds its digest.
    """

    @property
    def scheme(self) -> str: ...

    @property
    def product_key(self) -> str: ...

    @property
    def device_name(self) -> str: ...

    @property
    def client_id(self) -> str: ...

    @property
    def token(self) -> str: ...

    def verify(self, device_secret: str, at: datetime) -> tuple[str, ...]:
        """Notes for the operator. Raises BadSignature, UnknownAlgorithm or OutsideWindow; the last two never depend on the secret."""
        ...


def presented(connect: Connect, certificates: tuple[bytes, ...] = ()) -> Presented:
    """Of a packet. Raises Malformed: a password that is no text, or, without certificates, no user name or no password."""
    if not certificates and (connect.username is None or connect.password is None):
        raise Malformed("The CONNECT has no user name or no password.", field="username" if connect.username is None else "password")
    try:
        return Presented(connect.client_id, connect.username or "", (connect.password or b"").decode(), certificates)
    except UnicodeDecodeError:
        raise Malformed("The password is not UTF-8.", field="password") from None


def bad_device_signature(signed_text: str, message: str = "") -> BadSignature:
    """`signed_text`: what should have been signed with the DeviceSecret."""
    return BadSignature(message or "The signature was not made with this device's DeviceSecret.", facts={"signed_text": signed_text})
