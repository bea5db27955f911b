"""The golden vectors of MQTT: the CONNECT packets of real SDKs, and what they carry where only that is known."""

from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from registration.mqtt import packets
from registration.mqtt.packets import Connect
from registration.protocols.base import Request
from registration.protocols.connecting import Presented
from tests.registration.golden import load

CAPTURED_ON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class GoldenRegistration:
    """`packet`: a whole CONNECT, byte for byte."""

    id: str
    packet: bytes
    product_key: str
    device_name: str
    product_secret: str
    signed_text: str
    regnwl: bool

    @property
    def request(self) -> Request:
        return Request("CONNECT", "", "", {}, self.packet)


@dataclass(frozen=True)
class GoldenConnection:
    """`packet`: as captured where there is a capture, else made of what it carried. `device_secret` or `token` is its key."""

    id: str
    scheme: str
    packet: bytes
    presented: Presented
    product_key: str
    device_name: str
    device_secret: str
    token: str
    signed_text: str
    at: datetime
    declared_honestly: bool = True
    subscribes: tuple[str, ...] = ()


def _registration(vector: dict[str, Any]) -> GoldenRegistration:
    inputs = vector["inputs"]
    return GoldenRegistration(
        id=vector["id"],
        packet=b64decode(vector["raw_connect_b64"]),
        product_key=inputs["productKey"],
        device_name=inputs["deviceName"],
        product_secret=inputs["productSecret"],
        signed_text=vector["sign_content"],
        regnwl=vector["flow"] == "mqtt_regnwl",
    )


def _packet(level: int, presented: Presented, keepalive: int = 60) -> bytes:
    return packets.connect(Connect(level, presented.client_id, presented.username, presented.password.encode(), True, keepalive))


def _alibaba(vector: dict[str, Any]) -> GoldenConnection:
    inputs, connect = vector["inputs"], vector["connect"]
    presented = Presented(connect["clientId"], connect["username"], connect["password"])
    device_name, product_key = presented.username.split("&")
    return GoldenConnection(
        id=vector["id"],
        scheme="alibaba-connwl" if vector["flow"] == "mqtt_connwl" else "alibaba",
        packet=b64decode(vector["raw_connect_b64"]) if "raw_connect_b64" in vector else _packet(4, presented),
        presented=presented,
        product_key=product_key,
        device_name=device_name,
        device_secret=inputs.get("deviceSecret", ""),
        token=inputs.get("deviceToken", ""),
        signed_text=vector.get("sign_content", ""),
        at=CAPTURED_ON,
        declared_honestly=vector["matches_declared_method"],
        subscribes=tuple(
            name for seen in vector.get("after_connack", []) if seen["packet"] == "SUBSCRIBE" for name, _qos in seen["filters"]
        ),
    )


def _tencent(vector: dict[str, Any]) -> GoldenConnection:
    presented = Presented(vector["client_id"], vector["username"], vector["password"])
    return GoldenConnection(
        id=vector["id"],
        scheme="tencent",
        packet=_packet(vector["protocol_level"], presented, vector["keepalive"]),
        presented=presented,
        product_key="L4WG9V9M2M",
        device_name=vector["client_id"].removeprefix("L4WG9V9M2M"),
        device_secret=vector["device_secret"],
        token="",
        signed_text=vector["username"],
        at=CAPTURED_ON,
    )


def _native(vector: dict[str, Any]) -> GoldenConnection:
    presented = Presented(vector["client_id"], vector["username"], vector["password"])
    return GoldenConnection(
        id=vector["id"],
        scheme="native",
        packet=_packet(4, presented),
        presented=presented,
        product_key=vector["product_key"],
        device_name=vector["device_name"],
        device_secret=vector["device_secret"],
        token="",
        signed_text=vector["signed_text"],
        at=datetime.fromtimestamp(vector["timestamp"], UTC),
    )


_ALIBABA = load("alibaba")
REGISTRATIONS = [_registration(vector) for vector in _ALIBABA if vector["flow"] in ("mqtt_register", "mqtt_regnwl")]
CONNECTIONS = [
    *(_alibaba(vector) for vector in _ALIBABA if vector["flow"] in ("mqtt_connect", "mqtt_connwl")),
    *(_tencent(vector) for vector in load("tencent") if vector["kind"] == "mqtt"),
    *(_native(vector) for vector in load("native") if vector.get("kind") == "mqtt"),
]
BY_SECRET = [golden for golden in CONNECTIONS if golden.device_secret]
BY_TOKEN = [golden for golden in CONNECTIONS if golden.token]
PACKETS = [golden.packet for golden in (*REGISTRATIONS, *CONNECTIONS)]
