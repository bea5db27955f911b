"""Tencent's MQTT connection of a key device.

Sources: "Device access based on MQTT over TCP" of IoT Hub and IoT Explorer; the wire as the SDKs for C, Python and Java send it
(tests/registration/vectors/tencent.json). The client identifier and the user name are checked; sdkappid and connid are ignored on
purpose, since every SDK has numbers of its own. Expiry is a number of any size: Python sends milliseconds, C the largest long.
"""

import base64
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final

from console.words import say
from registration.protocols.base import Malformed, OutsideWindow, UnknownAlgorithm
from registration.protocols.connecting import DeviceCredentials, Presented, bad_device_signature
from registration.protocols.wire import plain_text, same

PRODUCT_ID: Final = 10
"""Characters; a client identifier is ProductId and DeviceName with nothing between."""
DIGESTS: Final = {"hmacsha1": "sha1", "hmacsha256": "sha256"}
EXPIRY_DIGITS: Final = 64
APP_ID: Final = "12010126"
NEVER: Final = 2**31 - 1
"""Java's expiry, seconds since 1970, which every client understands."""
NOT_BASE64: Final = say("The DeviceSecret is not base64, so that no Tencent device can sign with it.")


@dataclass(frozen=True, slots=True)
class TencentClaim:
    """`expiry`: seconds since 1970 after which the signature is void. `username` is the signed text."""

    product_key: str
    device_name: str
    username: str
    expiry: int
    method: str
    signature: str = field(repr=False)
    scheme: ClassVar[str] = "tencent"
    client_id: ClassVar[str] = ""
    token: ClassVar[str] = ""

    def verify(self, device_secret: str, at: datetime) -> tuple[str, ...]:
        if self.method.lower() not in DIGESTS:
            raise UnknownAlgorithm(
                say("The signature method {method} is not one of {known}.", method=self.method, known=", ".join(DIGESTS)), field="password"
            )
        ours = int(at.timestamp())
        if self.expiry < ours:
            raise OutsideWindow("The signature has expired by our clock.", field="username", facts={"server_time": ours})
        try:
            expected = sign(device_secret, self.username, self.method.lower())
        except ValueError:
            raise bad_device_signature(self.username, NOT_BASE64) from None
        if not same(expected, self.signature.lower()):
            raise bad_device_signature(self.username)
        return ()


def names_in(username: str) -> tuple[str, str]:
    """ProductId and DeviceName. Raises Malformed."""
    client_id, _ = _parts(username)
    return client_id[:PRODUCT_ID], plain_text(client_id[PRODUCT_ID:], "deviceName")


def read(presented: Presented) -> TencentClaim:
    """Raises Malformed."""
    client_id, expiry = _parts(presented.username)
    if client_id != presented.client_id:
        raise Malformed("The user name does not begin with the client identifier.", field="clientId")
    signature, _, method = presented.password.partition(";")
    if not signature or not method:
        raise Malformed("The password is not of the form <signature>;<method>.", field="password")
    product_key, device_name = names_in(presented.username)
    return TencentClaim(product_key, device_name, presented.username, int(expiry), method, signature)


def _parts(username: str) -> tuple[str, str]:
    """The client identifier and the digits of the expiry."""
    parts = username.split(";")
    expiry = parts[-1]
    if len(parts) != 4 or len(parts[0]) <= PRODUCT_ID or not (expiry.isascii() and expiry.isdigit() and len(expiry) <= EXPIRY_DIGITS):
        raise Malformed("The user name is not of the form <client identifier>;<sdkappid>;<connid>;<expiry>.", field="username")
    return parts[0], expiry


def sign(device_secret: str, text: str, method: str) -> str:
    """Lower-case hexadecimal digits; the key is the decoded psk. Raises ValueError when it is not base64."""
    key = base64.b64decode(device_secret, validate=True)
    if not key:
        raise ValueError("empty key")
    return hmac.new(key, text.encode(), DIGESTS[method]).hexdigest()


def compose(device: DeviceCredentials, at: datetime, nonce: int) -> Presented:
    """The device's side, as the Java SDK does it. Raises ValueError when the DeviceSecret is not base64."""
    client_id = device.product_key + device.device_name
    username = f"{client_id};{APP_ID};{nonce % 100_000:05d};{NEVER}"
    return Presented(client_id, username, sign(device.device_secret, username, "hmacsha256") + ";hmacsha256")
