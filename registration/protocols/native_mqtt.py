"""Our own MQTT connection: HMAC-SHA256 by the DeviceSecret over the names, the client identifier and the time, good for five minutes.

The signed text and a client are in docs/native-registration.md. Everything in user name and password is checked.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Final

from console.words import say
from registration.protocols.base import Malformed, OutsideWindow
from registration.protocols.connecting import DeviceCredentials, Presented, bad_device_signature
from registration.protocols.wire import plain_text, same

FIRST_LINE: Final = "nameplate-connect-v1"
WINDOW: Final = timedelta(minutes=5)
PASSWORD: Final = re.compile(r"([0-9]{1,20})\.([0-9A-Fa-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class NativeClaim:
    """`mqtt_client_id`: the whole client identifier; `timestamp`: seconds since 1970 as text, as it was signed."""

    product_key: str
    device_name: str
    mqtt_client_id: str
    timestamp: str
    signature: str = field(repr=False)
    scheme: ClassVar[str] = "native"
    client_id: ClassVar[str] = ""
    token: ClassVar[str] = ""

    @property
    def signed_text(self) -> str:
        """Five lines joined by line feeds, none at the end."""
        return f"{FIRST_LINE}\n{self.product_key}\n{self.device_name}\n{self.mqtt_client_id}\n{self.timestamp}"

    def verify(self, device_secret: str, at: datetime) -> tuple[str, ...]:
        ours = int(at.timestamp())
        ahead = int(self.timestamp) - ours
        if abs(ahead) > WINDOW.total_seconds():
            raise OutsideWindow(
                say("The device's clock differs from ours by {seconds} seconds.", seconds=ahead), facts={"server_time": ours}
            )
        if not same(sign(device_secret, self.signed_text), self.signature.lower()):
            raise bad_device_signature(self.signed_text)
        return ()


def names_in(username: str) -> tuple[str, str]:
    """ProductKey and DeviceName. Raises Malformed."""
    product_key, _, device_name = username.partition("/")
    return plain_text(product_key, "productKey"), plain_text(device_name, "deviceName")


def username_of(product_key: str, device_name: str) -> str:
    """What `names_in` reads."""
    return f"{product_key}/{device_name}"


def read(presented: Presented) -> NativeClaim:
    """Raises Malformed."""
    product_key, device_name = names_in(presented.username)
    found = PASSWORD.fullmatch(presented.password)
    if not found:
        raise Malformed("The password is not of the form <seconds since 1970>.<64 hexadecimal digits>.", field="password")
    return NativeClaim(product_key, device_name, presented.client_id, found[1], found[2])


def sign(device_secret: str, text: str) -> str:
    """Lower-case hexadecimal digits."""
    return hmac.new(device_secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def compose(device: DeviceCredentials, at: datetime, nonce: int) -> Presented:
    """The device's side."""
    client_id = f"{device.device_name}-{nonce}"
    claim = NativeClaim(device.product_key, device.device_name, client_id, str(int(at.timestamp())), "")
    password = f"{claim.timestamp}.{sign(device.device_secret, claim.signed_text)}"
    return Presented(client_id, username_of(device.product_key, device.device_name), password)
