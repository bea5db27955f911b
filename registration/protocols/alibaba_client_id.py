"""What Alibaba's devices write into MQTT's client identifier and user name.

Source: "MQTT-based dynamic registration" and "Establish MQTT connections" of the IoT Platform; the SDKs as in
tests/registration/vectors/alibaba.json. Of the parameters, authType, random, signmethod and timestamp are looked at; securemode is
ignored on purpose, since documents and SDKs contradict each other about it, and so are all others.
"""

from dataclasses import dataclass
from typing import Final

from registration.protocols.base import Malformed

LOOKED_AT: Final = ("authType", "random", "signmethod", "timestamp")
REGISTER: Final = "register"
REGNWL: Final = "regnwl"
"""Register with no white list: preregistration-free."""
CONNWL: Final = "connwl"


@dataclass(frozen=True, slots=True)
class ClientIdentifier:
    """`base`: what comes before the first bar; the device says who it is in its user name, not here."""

    base: str
    auth_type: str = ""
    random: str = ""
    sign_method: str = ""
    timestamp: str = ""


def pieces(client_id: str) -> tuple[str, list[tuple[str, str]]]:
    """The base and every name=value after it. A value may hold bars, equal signs and blanks; pieces that are no pairs are left out."""
    base, _, rest = client_id.partition("|")
    pairs = (piece.partition("=") for piece in rest.removesuffix("|").split(","))
    return base, [(name, value) for name, equals, value in pairs if equals]


def read_client_id(client_id: str) -> ClientIdentifier:
    """Raises Malformed when a parameter that matters is given twice: two readers could disagree about it."""
    base, pairs = pieces(client_id)
    known = [(name, value) for name, value in pairs if name in LOOKED_AT]
    found = dict(known)
    if len(found) != len(known):
        raise Malformed("The client identifier gives a parameter twice.", field="clientId")
    return ClientIdentifier(base, *(found.get(name, "") for name in LOOKED_AT))


def write_client_id(base: str, **parameters: str) -> str:
    return f"{base}|{','.join(f'{name}={value}' for name, value in parameters.items())}|"


def read_username(username: str) -> tuple[str, str]:
    """DeviceName and ProductKey. Raises Malformed."""
    device_name, _, product_key = username.partition("&")
    if not device_name or not product_key or "&" in product_key:
        raise Malformed("The user name is not of the form DeviceName&ProductKey.", field="username")
    return device_name, product_key
