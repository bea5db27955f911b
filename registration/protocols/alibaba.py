"""Alibaba's dynamic registration over HTTP, unique-certificate-per-product with pre-registration.

Sources: "Device identity registration" and "Error codes for devices" of the IoT Platform; the wire as the Link SDKs for C 2.3 to 4.2,
Python 1.2.13 and Node 1.2.8 send it (tests/registration/vectors/alibaba.json).

Fields of a request: productKey, deviceName, random, sign, signMethod are checked; any other field is part of the signed text, as the
documents have it. `random` is not a nonce: the SDKs for C 3.x send one compile-time constant, so a repetition is ordinary.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final
from urllib.parse import unquote_to_bytes, urlencode

from console.errors import DomainError
from console.words import say
from registration.protocols.alibaba_signature import check, sign, text_of
from registration.protocols.base import Answer, Credentials, Grant, Malformed, Reply, Request, VerifiedClaim
from registration.protocols.wire import compact_json, json_object, plain_text

PATH: Final = "/auth/register/device"
UNSIGNED: Final = {"sign", "signMethod"}
MAX_FIELDS: Final = 16
HEX_PAIR: Final = re.compile(rb"[0-9A-Fa-f]{2}")

SIGNATURE_FAILED: Final = (6600, "signature check failed")
REFUSALS: Final[dict[str, tuple[int, str]]] = {
    "malformed": (460, "request parameter error"),
    "bad_signature": SIGNATURE_FAILED,
    "product_unknown": SIGNATURE_FAILED,
    "product_not_published": SIGNATURE_FAILED,
    "unknown_algorithm": (6292, "sign method not supported"),
    "dynamic_registration_off": (6288, "dynamic register not allowed"),
    "per_product_secret_off": (6288, "dynamic register not allowed"),
    "wrong_authentication": (6288, "dynamic register not allowed"),
    "already_activated": (6289, "device is already activated"),
    "already_registered": (6289, "device is already activated"),
    "not_imported": (6100, "device not found"),
    "auto_create_limit": (6100, "device not found"),
    "bad_device_name": (460, "request parameter error"),
    "device_disabled": (6204, "device disabled"),
    "unavailable": (500, "system error"),
    "internal": (500, "system error"),
}


@dataclass(frozen=True, slots=True)
class AlibabaClaim:
    """`fields`: every decoded form field but the two that carry the proof."""

    preregistration_free: ClassVar[bool] = False
    product_key: str
    device_name: str
    method: str
    fields: tuple[tuple[str, str], ...]
    sign: str = field(repr=False)

    @property
    def signed_text(self) -> str:
        return text_of(dict(self.fields))

    def verify(self, product_secret: str, at: datetime) -> VerifiedClaim:
        """`at` is not used: the scheme has no time in it."""
        notes = check(product_secret, [self.signed_text], self.method, self.sign, method_field="signMethod")
        return VerifiedClaim(self.product_key, self.device_name, notes=notes)


@dataclass(frozen=True, slots=True)
class Alibaba:
    """POST /auth/register/device."""

    name: str = "alibaba"
    path: str = PATH

    def parse(self, request: Request) -> AlibabaClaim:
        """Every one of the five fields must be there, once. Raises Malformed."""
        form = read_form(request.body)
        proof = {name: plain_text(form.get(name), name) for name in ("productKey", "deviceName", "random", "sign", "signMethod")}
        signed = tuple((name, value) for name, value in form.items() if name not in UNSIGNED)
        return AlibabaClaim(proof["productKey"], proof["deviceName"], proof["signMethod"], signed, proof["sign"])

    def accept(self, grant: Grant) -> Reply:
        """The member order is that of the real service: SDKs for C 3.x need `code` first."""
        data = {"deviceName": grant.device_name, "deviceSecret": grant.device_secret, "productKey": grant.product_key}
        return Reply(compact_json({"code": 200, "data": data, "message": "success"}))

    def refuse(self, error: DomainError, request_id: str) -> Reply:
        """HTTP status 200 for everything: the Python SDK dies of any other."""
        code, message = REFUSALS.get(error.code, REFUSALS["internal"])
        return Reply(compact_json({"code": code, "message": message, "requestId": request_id}))

    def compose(self, credentials: Credentials, *, host: str, at: datetime, nonce: int) -> Request:
        fields = {"productKey": credentials.product_key, "deviceName": credentials.device_name, "random": str(nonce)}
        signature = sign(credentials.product_secret, text_of(fields), "hmacsha256")
        body = urlencode(fields | {"sign": signature, "signMethod": "hmacsha256"}).encode()
        return Request("POST", PATH, host, {"content-type": "application/x-www-form-urlencoded"}, body)

    def read(self, reply: Reply, product_secret: str) -> Answer:
        members = json_object(reply.body)
        if compact_json(members) != reply.body or next(iter(members), "") != "code":
            raise Malformed("The reply is not compact JSON with the code first.")
        data = members.get("data")
        secret = data.get("deviceSecret", "") if members["code"] == 200 and isinstance(data, dict) else ""
        return Answer(str(members["code"]), str(members.get("message", "")), str(secret))


def read_form(body: bytes) -> dict[str, str]:
    """The fields of an urlencoded form, decoded; characters that should have been escaped are taken as they are. Raises Malformed.

    A field given twice, an escape that is none, and bytes that are not UTF-8 are refused.
    """
    pieces = [piece for piece in body.split(b"&") if piece]
    if len(pieces) > MAX_FIELDS:
        raise Malformed(say("The form has more than {most} fields.", most=MAX_FIELDS), field="body")
    fields: dict[str, str] = {}
    for piece in pieces:
        raw_name, equals, raw_value = piece.partition(b"=")
        name = plain_text(_decoded(raw_name), "body")
        if not equals or name in fields:
            raise Malformed("The form has a field without a value or a field given twice.", field="body")
        value = _decoded(raw_value)
        fields[name] = plain_text(value, name) if value else ""
    return fields


def _decoded(raw: bytes) -> str:
    if b"%" not in raw and b"+" not in raw and raw.isascii():
        return raw.decode()
    raw = raw.replace(b"+", b" ")
    if not all(HEX_PAIR.match(escape) for escape in raw.split(b"%")[1:]):
        raise Malformed("The form holds a percent sign that begins no escape.", field="body")
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise Malformed("The form is not UTF-8.", field="body") from None
