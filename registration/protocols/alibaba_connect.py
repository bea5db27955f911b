"""Alibaba's normal connection: by DeviceSecret, or by the ClientID and DeviceToken of a preregistration-free registration.

Source: "Establish MQTT connections over TCP" of the IoT Platform and its worked example; the wire as the SDKs for C, Python and Node
send it (tests/registration/vectors/alibaba.json). The documents let clientId and timestamp be left out of the signed text, so all four
texts are tried; a timestamp is never compared with a clock, since C sends a constant, Python seconds, Node milliseconds, Android none.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final

from registration.protocols.alibaba_client_id import CONNWL, read_client_id, read_username, write_client_id
from registration.protocols.alibaba_signature import check, sign, text_of
from registration.protocols.base import BadSignature, Malformed
from registration.protocols.connecting import DeviceCredentials, Presented, bad_device_signature
from registration.protocols.wire import plain_text

DEFAULT_METHOD: Final = "hmacmd5"
ISSUED: Final = re.compile(r"[A-Za-z0-9]{1,64}")
SDK_TIMESTAMP: Final = "2524608000000"
"""The constant of the C SDKs."""


@dataclass(frozen=True, slots=True)
class SecretClaim:
    """`base`: the client identifier without its parameters; `timestamp`: empty where there is none."""

    product_key: str
    device_name: str
    base: str
    timestamp: str
    method: str
    signature: str = field(repr=False)
    scheme: ClassVar[str] = "alibaba"
    client_id: ClassVar[str] = ""
    token: ClassVar[str] = ""

    def signed_texts(self) -> list[str]:
        """What may have been signed, the text that all SDKs sign first."""
        names = {"deviceName": self.device_name, "productKey": self.product_key}
        times = [{"timestamp": self.timestamp}, {}] if self.timestamp else [{}]
        return [text_of(names | base | time) for base in ({"clientId": self.base}, {}) for time in times]

    def verify(self, device_secret: str, at: datetime) -> tuple[str, ...]:
        """`at` is not used."""
        try:
            return check(device_secret, self.signed_texts(), self.method, self.signature, method_field="signmethod")
        except BadSignature:
            raise bad_device_signature(self.signed_texts()[0]) from None


@dataclass(frozen=True, slots=True)
class TokenClaim:
    """`client_id`: as issued; `token`: the DeviceToken, nothing is signed."""

    product_key: str
    device_name: str
    client_id: str
    token: str = field(repr=False)
    scheme: ClassVar[str] = "alibaba-connwl"

    def verify(self, device_secret: str, at: datetime) -> tuple[str, ...]:
        """Nothing here is made with a DeviceSecret. Raises BadSignature."""
        raise BadSignature("A DeviceToken is not checked by a DeviceSecret.")


def names_in(username: str) -> tuple[str, str]:
    """ProductKey and DeviceName. Raises Malformed."""
    device_name, product_key = read_username(username)
    return plain_text(product_key, "productKey"), plain_text(device_name, "deviceName")


def read(presented: Presented) -> SecretClaim | TokenClaim:
    """Raises Malformed."""
    product_key, device_name = names_in(presented.username)
    identifier = read_client_id(presented.client_id)
    if identifier.auth_type == CONNWL:
        if not ISSUED.fullmatch(identifier.base):
            raise Malformed("The ClientID is not one that was issued.", field="clientId")
        return TokenClaim(product_key, device_name, identifier.base, presented.password)
    if identifier.auth_type:
        raise Malformed("The client identifier's authType is not that of a connection.", field="authType")
    method = identifier.sign_method or DEFAULT_METHOD
    return SecretClaim(product_key, device_name, identifier.base, identifier.timestamp, method, presented.password)


def compose(device: DeviceCredentials, at: datetime, nonce: int) -> Presented:
    """The device's side: by DeviceToken if it has one, else as the C SDK 4.x does it. `at` and `nonce` are not used."""
    username = f"{device.device_name}&{device.product_key}"
    if device.device_token:
        client_id = write_client_id(device.client_id, authType=CONNWL, securemode="-2")
        return Presented(client_id, username, device.device_token)
    base = f"{device.product_key}.{device.device_name}"
    claim = SecretClaim(device.product_key, device.device_name, base, SDK_TIMESTAMP, "hmacsha256", "")
    client_id = write_client_id(base, timestamp=SDK_TIMESTAMP, securemode="2", signmethod=claim.method)
    return Presented(client_id, username, sign(device.device_secret, claim.signed_texts()[0], claim.method))
