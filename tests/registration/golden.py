"""The golden vectors as requests: what real SDKs sent, byte for byte."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from registration.protocols.base import Request

VECTORS = Path(__file__).parent / "vectors"


@dataclass(frozen=True)
class Golden:
    """One request of a real client. `headers` as sent, with their letter case; `at`: the time that it was made, where it says one."""

    id: str
    protocol: str
    product_key: str
    device_name: str
    product_secret: str
    path: str
    host: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    signed_text: str
    at: datetime

    @property
    def request(self) -> Request:
        return Request("POST", self.path, self.host, {name.lower(): value for name, value in self.headers}, self.body)


def load(name: str) -> list[dict[str, Any]]:
    vectors: list[dict[str, Any]] = json.loads((VECTORS / f"{name}.json").read_text())["vectors"]
    return vectors


def _headers(lines: list[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, _, value in (line.partition(": ") for line in lines))


def _alibaba(vector: dict[str, Any]) -> Golden:
    inputs = vector["inputs"]
    made_up = (
        f"productKey={inputs['productKey']}&deviceName={inputs['deviceName']}&random={inputs['random']}"
        f"&sign={vector['sign_on_wire']}&signMethod={inputs['signMethod']}"
    )
    wire = vector.get("wire", {"headers": ["Host: 127.0.0.1"], "body": made_up})
    headers = _headers(wire["headers"])
    return Golden(
        id=vector["id"],
        protocol="alibaba",
        product_key=inputs["productKey"],
        device_name=inputs["deviceName"],
        product_secret=inputs["productSecret"],
        path="/auth/register/device",
        host=dict(headers)["Host"].partition(":")[0],
        headers=headers,
        body=wire["body"].encode(),
        signed_text=vector["sign_content"],
        at=datetime(2026, 11, 20, tzinfo=UTC),
    )


def _tencent_new(vector: dict[str, Any]) -> Golden:
    body = json.loads(vector["body"])
    made_up = [
        f"Host: {vector['host']}",
        f"X-TC-Algorithm: {vector['algorithm']}",
        f"X-TC-Timestamp: {vector['timestamp']}",
        f"X-TC-Nonce: {vector['nonce']}",
        f"X-TC-Signature: {vector['signature']}",
    ]
    return _tencent(vector, "tencent-new", body["ProductId"], body["DeviceName"], vector["body"], made_up)


def _tencent_old(vector: dict[str, Any], signature: str) -> Golden:
    members = {name: vector[key] for name, key in (("deviceName", "device_name"), ("nonce", "nonce"), ("productId", "product_id"))}
    made_up = json.dumps(members | {"timestamp": vector["timestamp"], "signature": signature})
    body = vector.get("body", made_up)
    return _tencent(vector, "tencent-old", vector["product_id"], vector["device_name"], body, ["Host: gateway.tencentdevices.com"])


def _tencent(vector: dict[str, Any], protocol: str, product_key: str, device_name: str, body: str, made_up: list[str]) -> Golden:
    headers = _headers(vector.get("request_headers", made_up))
    return Golden(
        id=vector["id"],
        protocol=protocol,
        product_key=product_key,
        device_name=device_name,
        product_secret=vector["product_secret"],
        path="/device/register" if protocol == "tencent-new" else "/register/dev",
        host=dict(headers)["Host"].partition(":")[0],
        headers=headers,
        body=body.encode(),
        signed_text=vector.get("string_to_sign", ""),
        at=datetime.fromtimestamp(vector["timestamp"], UTC),
    )


def _native(vector: dict[str, Any]) -> Golden:
    members = json.loads(vector["body"])
    return Golden(
        id=vector["id"],
        protocol="native",
        product_key=members["productKey"],
        device_name=members["deviceName"],
        product_secret=vector["product_secret"],
        path="/api/v1/register",
        host="127.0.0.1",
        headers=(("Host", "127.0.0.1"), ("Content-Type", "application/json")),
        body=vector["body"].encode(),
        signed_text=vector["signed_text"],
        at=datetime.fromtimestamp(members["timestamp"], UTC),
    )


_TENCENT = load("tencent")
ACCEPTED: list[Golden] = [
    *(_alibaba(vector) for vector in load("alibaba") if vector["flow"] == "http_register"),
    *(_tencent_new(vector) for vector in _TENCENT if vector["kind"] == "new_sign"),
    *(_tencent_old(vector, vector["signature"]) for vector in _TENCENT if vector["kind"] == "old_sign"),
    *(_native(vector) for vector in load("native") if "body" in vector),
]
REFUSED: list[Golden] = [_tencent_old(vector, vector["rejected_signature"]) for vector in _TENCENT if vector["kind"] == "old_sign_negative"]
PAYLOADS = [vector for vector in _TENCENT if vector["kind"] == "payload"]
"""Real answers of Tencent's cloud: product_secret, len, payload, plaintext."""

CAPTURED_ANSWERS = [vector for vector in _TENCENT if 'encryptionType":2' in vector.get("response_plaintext", "")]
"""Answers that real SDKs accepted: product_secret, response_body, response_plaintext."""
