"""Tencent's two dynamic registration interfaces over HTTP: `POST /device/register` (new) and `POST /register/dev` (old).

Sources: "Dynamic registration API" of IoT Hub and IoT Explorer; the wire as the SDKs for C, Python, Java and Node send it, and real
answers of the cloud (tests/registration/vectors/tencent.json). What no source tells is in docs/divergences.md.

New: ProductId, DeviceName and the five X-TC headers are checked; EncryptionType is ignored on purpose; ClientCert (or clientCert, as C
writes it) is the certificate that a device of a private CA will connect with, and is passed over where the product hands out keys and has
no active CA certificate.
Old: productId, deviceName, nonce, timestamp and signature are checked; anything else is ignored on purpose, and so is the content type.
Neither nonce is remembered, since the newest C SDK cannot be told from a replay: its timestamp is a constant.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import product
from typing import ClassVar, Final

from console.errors import DomainError
from console.words import Sentence, say
from registration.protocols.base import (
    Answer,
    Asked,
    BadSignature,
    Credentials,
    Grant,
    Malformed,
    OutsideWindow,
    Reply,
    Request,
    UnknownAlgorithm,
    VerifiedClaim,
)
from registration.protocols.tencent_payload import check_key_length as _check_key_length
from registration.protocols.tencent_payload import plain_text_of, seal, unseal
from registration.protocols.wire import compact_json, json_object, plain_text, same, whole_number

NEW_PATH: Final = "/device/register"
OLD_PATH: Final = "/register/dev"
DIGESTS: Final = {"hmacsha1": "sha1", "hmacsha256": "sha256"}
SDK_CONSTANT_TIMESTAMP: Final = 1609430400
VENDOR_HOSTS: Final = (
    "ap-guangzhou.gateway.tencentdevices.com",
    "us-east.gateway.tencentdevices.com",
    "europe.gateway.tencentdevices.com",
    "ap-bangkok.gateway.tencentdevices.com",
    "gateway.tencentdevices.com",
)
"""A proxy may have rewritten the Host header; the device signed one of these."""

LONGEST_CERTIFICATE: Final = 6 * 1024
"""Characters of PEM."""
SKEW_WORTH_A_NOTE: Final = timedelta(minutes=5)

SIGNATURE_FAILED: Final = (1010, "AuthFailure.SignatureFailure", "Check signature failed")
SWITCHED_OFF: Final = (1020, "UnsupportedOperation", "Not support dynamic device register, please check setting first")
ACTIVATED: Final = (1021, "FailedOperation.DeviceAlreadyActivated", "Device has been activated")
INTERNAL: Final = (1000, "InternalError", "Internal error")
CERTIFICATE: Final = (1027, "InvalidParameterValue.ClientCert", "Client certificate error")
OF_CERTIFICATE: Final = "certificate_"
REFUSALS: Final[dict[str, tuple[int, str, str]]] = {
    "malformed": (1001, "InvalidParameter", "Request parameter error"),
    "bad_signature": SIGNATURE_FAILED,
    "product_unknown": SIGNATURE_FAILED,
    "product_not_published": SIGNATURE_FAILED,
    "unknown_algorithm": (1001, "InvalidParameterValue", "X-Tc-Algorithm error"),
    "outside_window": (1001, "InvalidParameterValue", "X-Tc-Timestamp error"),
    "dynamic_registration_off": SWITCHED_OFF,
    "per_product_secret_off": SWITCHED_OFF,
    "already_activated": ACTIVATED,
    "already_registered": ACTIVATED,
    "not_imported": (1022, "ResourceNotFound.DeviceNotExist", "Pre create mode: device not exists"),
    "auto_create_limit": (1023, "LimitExceeded.DeviceExceedLimit", "Device number exceeds limit"),
    "bad_device_name": (1024, "InvalidParameterValue.DeviceNameInvalid", "Device name invalid"),
    "device_disabled": (1025, "UnauthorizedOperation.DeviceIsNotEnabled", "Device is not enabled"),
    "wrong_authentication": (1026, "UnsupportedOperation.WrongProductAuthType", "Wrong authentication type"),
    "issuing_failed": INTERNAL,
    "no_issuing_ca": (1026, "UnsupportedOperation.WrongProductAuthType", "Wrong authentication type"),
    "too_many_certificates": CERTIFICATE,
    "revocation_list_old": CERTIFICATE,
    "device_certificate_revoked": CERTIFICATE,
}
"""Code of the old interface, code of the new one, text of both. Every code that begins with OF_CERTIFICATE has CERTIFICATE's."""


@dataclass(frozen=True, slots=True)
class NewClaim:
    """`places`: every (host, path) that the device may have signed."""

    preregistration_free: ClassVar[bool] = False
    product_key: str
    device_name: str
    algorithm: str
    timestamp: str
    nonce: str
    places: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    signature: str = field(repr=False)
    window: timedelta | None = None
    notes: tuple[str, ...] = ()
    asked: Asked = field(default=Asked(takes_key=True), repr=False)

    def verify(self, product_secret: str, at: datetime) -> VerifiedClaim:
        """Tries the candidate texts until one fits; each is keyed by the whole ProductSecret, so that more of them weaken nothing."""
        if self.algorithm.lower() not in DIGESTS:
            raise UnknownAlgorithm(
                say("X-TC-Algorithm {method} is not one of {known}.", method=self.algorithm, known=", ".join(DIGESTS)),
                field="X-TC-Algorithm",
            )
        notes = self.notes + _clock_notes(self.timestamp, at, self.window)
        digests = []
        for text in self.candidates():
            digests.append(_digest(product_secret, text, self.algorithm.lower()))
            if same(_base64(digests[-1]), self.signature):
                _check_key_length(product_secret)
                return VerifiedClaim(self.product_key, self.device_name, notes=notes)
        raise BadSignature(_mistake(digests, self.signature), facts={"signed_text": next(self.candidates())})

    def candidates(self) -> Iterator[str]:
        """The texts that may have been signed, the documented one first."""
        body_hash = hashlib.new(DIGESTS[self.algorithm.lower()], self.body).hexdigest()
        for (host, path), algorithm in product(self.places, dict.fromkeys((self.algorithm.lower(), self.algorithm))):
            yield f"POST\n{host}\n{path}\n\n{algorithm}\n{self.timestamp}\n{self.nonce}\n{body_hash}"


@dataclass(frozen=True, slots=True)
class OldClaim:
    """Numbers are kept as the text that they were sent as."""

    preregistration_free: ClassVar[bool] = False
    product_key: str
    device_name: str
    timestamp: str
    nonce: str
    signature: str = field(repr=False)
    window: timedelta | None = None
    asked: ClassVar[Asked] = Asked(takes_key=True)

    @property
    def signed_text(self) -> str:
        return f"deviceName={self.device_name}&nonce={self.nonce}&productId={self.product_key}&timestamp={self.timestamp}"

    def verify(self, product_secret: str, at: datetime) -> VerifiedClaim:
        """Base64 of the lower-case hexadecimal text of HMAC-SHA1. Names the frequent mistake: base64 of the digest itself."""
        notes = _clock_notes(self.timestamp, at, self.window)
        digest = _digest(product_secret, self.signed_text, "hmacsha1")
        if not same(_base64(digest.hex().encode()), self.signature):
            raise BadSignature(_mistake([digest], self.signature), facts={"signed_text": self.signed_text})
        _check_key_length(product_secret)
        return VerifiedClaim(self.product_key, self.device_name, notes=notes)


@dataclass(frozen=True, slots=True)
class TencentNew:
    """POST /device/register. `window`: how far a timestamp may be from our clock, None for any distance; the C SDK's constant passes."""

    window: timedelta | None = None
    public_hosts: tuple[str, ...] = ()
    name: str = "tencent-new"
    path: str = NEW_PATH

    def parse(self, request: Request) -> NewClaim:
        """Hashes nothing yet, but keeps the raw body: the order of its members differs from SDK to SDK. Raises Malformed."""
        members = json_object(request.body)
        header = {name: request.headers.get(name) for name in ("x-tc-algorithm", "x-tc-timestamp", "x-tc-nonce", "x-tc-signature")}
        hosts = dict.fromkeys((request.host, request.headers.get("host", request.host), *self.public_hosts, *VENDOR_HOSTS))
        return NewClaim(
            product_key=plain_text(members.get("ProductId"), "ProductId"),
            device_name=plain_text(members.get("DeviceName"), "DeviceName"),
            algorithm=plain_text(header["x-tc-algorithm"], "X-TC-Algorithm", 32),
            timestamp=whole_number(header["x-tc-timestamp"], "X-TC-Timestamp"),
            nonce=whole_number(header["x-tc-nonce"], "X-TC-Nonce"),
            places=tuple(product(hosts, dict.fromkeys((request.path, NEW_PATH)))),
            body=request.body,
            signature=plain_text(header["x-tc-signature"], "X-TC-Signature"),
            window=self.window,
            notes=_certificate_notes(members),
            asked=Asked(own_certificate=_own_certificate(members), takes_key=True),
        )

    def accept(self, grant: Grant) -> Reply:
        """With a key at most 255 bytes, with a certificate 5 KiB: C's buffers. `State`: 0 for a new device, 1 for one that existed."""
        length, payload = seal(plain_text_of(grant), grant.product_secret)
        inner = {"Len": length, "Payload": payload, "RequestId": grant.request_id, "State": 0 if grant.is_new else 1}
        return Reply(compact_json({"Response": inner}))

    def refuse(self, error: DomainError, request_id: str) -> Reply:
        """HTTP status 200 for everything: Java and Python read no other."""
        _, code, message = _told(error.code)
        return Reply(compact_json({"Response": {"Error": {"Code": code, "Message": message}, "RequestId": request_id}}))

    def compose(self, credentials: Credentials, *, host: str, at: datetime, nonce: int) -> Request:
        body = compact_json({"ProductId": credentials.product_key, "DeviceName": credentials.device_name})
        stamp = str(int(at.timestamp()))
        claim = NewClaim("", "", "hmacsha256", stamp, str(nonce), ((host, NEW_PATH),), body, "")
        headers = {
            "content-type": "application/json; charset=utf-8",
            "x-tc-algorithm": "hmacsha256",
            "x-tc-timestamp": stamp,
            "x-tc-nonce": str(nonce),
            "x-tc-signature": _base64(_digest(credentials.product_secret, next(claim.candidates()), "hmacsha256")),
        }
        return Request("POST", NEW_PATH, host, headers, body)

    def read(self, reply: Reply, product_secret: str) -> Answer:
        response = json_object(reply.body).get("Response")
        if not isinstance(response, dict):
            raise Malformed("The reply has no Response.", field="Response")
        error = response.get("Error")
        if isinstance(error, dict):
            return Answer(str(error.get("Code")), str(error.get("Message")))
        return _answer("success", response.get("Len"), response.get("Payload"), product_secret)


@dataclass(frozen=True, slots=True)
class TencentOld:
    """POST /register/dev. `window` as with the new interface."""

    window: timedelta | None = None
    name: str = "tencent-old"
    path: str = OLD_PATH

    def parse(self, request: Request) -> OldClaim:
        """The body is JSON whatever the Content-Type says. Raises Malformed."""
        members = json_object(request.body)
        return OldClaim(
            product_key=plain_text(members.get("productId"), "productId"),
            device_name=plain_text(members.get("deviceName"), "deviceName"),
            timestamp=whole_number(members.get("timestamp"), "timestamp"),
            nonce=whole_number(members.get("nonce"), "nonce"),
            signature=plain_text(members.get("signature"), "signature"),
            window=self.window,
        )

    def accept(self, grant: Grant) -> Reply:
        length, payload = seal(plain_text_of(grant), grant.product_secret)
        members = {"code": 0, "message": "success", "len": length, "payload": payload, "requestId": grant.request_id}
        return Reply(compact_json(members))

    def refuse(self, error: DomainError, request_id: str) -> Reply:
        """`code` is a number: C reads it as one."""
        code, _, message = _told(error.code)
        return Reply(compact_json({"code": code, "message": message, "requestId": request_id}))

    def compose(self, credentials: Credentials, *, host: str, at: datetime, nonce: int) -> Request:
        stamp = int(at.timestamp())
        claim = OldClaim(credentials.product_key, credentials.device_name, str(stamp), str(nonce), "")
        digest = _digest(credentials.product_secret, claim.signed_text, "hmacsha1")
        members = {
            "deviceName": credentials.device_name,
            "nonce": nonce,
            "productId": credentials.product_key,
            "timestamp": stamp,
            "signature": _base64(digest.hex().encode()),
        }
        return Request("POST", OLD_PATH, host, {"content-type": "application/x-www-form-urlencoded"}, compact_json(members))

    def read(self, reply: Reply, product_secret: str) -> Answer:
        members = json_object(reply.body)
        if members.get("code") != 0:
            return Answer(str(members.get("code")), str(members.get("message")))
        return _answer(str(members.get("message")), members.get("len"), members.get("payload"), product_secret)


def seal_psk(device_secret: str, product_secret: str) -> tuple[int, str]:
    """Length of the plaintext in bytes and the encrypted payload in base64. Raises ValueError for a secret that would break firmware."""
    return seal(plain_text_of(Grant("", "", device_secret, product_secret)), product_secret)


def open_psk(length: object, payload: object, product_secret: str) -> str:
    """What a device finds in the payload. Raises Malformed."""
    return _answer("", length, payload, product_secret).device_secret


def _told(code: str) -> tuple[int, str, str]:
    """Of a refusal."""
    return REFUSALS.get(code, CERTIFICATE if code.startswith(OF_CERTIFICATE) else INTERNAL)


def _answer(message: str, length: object, payload: object, product_secret: str) -> Answer:
    """As a device understands it. Raises Malformed."""
    members = unseal(length, payload, product_secret)
    pair = {name: str(members.get(member, "")) for name, member in (("certificate", "clientCert"), ("private_key", "clientKey"))}
    own = members.get("encryptionType") == 1 and not any(pair.values())
    found = Answer("0", message, str(members.get("psk", "")), **pair, own_certificate=own)
    if not found.accepted:
        raise Malformed("The payload cannot be decrypted.", field="payload")
    return found


def _clock_notes(timestamp: str, at: datetime, window: timedelta | None) -> tuple[str, ...]:
    """Raises OutsideWindow."""
    ours = int(at.timestamp())
    ahead = int(timestamp) - ours
    if int(timestamp) == SDK_CONSTANT_TIMESTAMP:
        return ("The timestamp is the constant that Tencent's C SDK sends; it says nothing about the device's clock.",)
    if window is not None and abs(ahead) > window.total_seconds():
        raise OutsideWindow(_skew(ahead), field="timestamp", facts={"server_time": ours})
    return (_skew(ahead),) if abs(ahead) > SKEW_WORTH_A_NOTE.total_seconds() else ()


def _skew(ahead: int) -> Sentence:
    if ahead > 0:
        return say("The device's clock is {seconds} seconds ahead of ours.", seconds=ahead)
    return say("The device's clock is {seconds} seconds behind ours.", seconds=-ahead)


def _own_certificate(members: dict[str, object]) -> bytes:
    """PEM as it came; empty for none, and for what no reader would take."""
    text = members.get("ClientCert", members.get("clientCert", ""))
    return text.encode() if isinstance(text, str) and text.isascii() and len(text) <= LONGEST_CERTIFICATE else b""


def _certificate_notes(members: dict[str, object]) -> tuple[str, ...]:
    if "ClientCert" in members or "clientCert" in members:
        return (say("The device sent a certificate of its own with its request."),)
    return ()


def _mistake(digests: list[bytes], signature: str) -> str:
    """The frequent mistake, if it is the one at hand: the two interfaces encode the digest differently. Else empty."""
    if any(same(_base64(digest), signature) for digest in digests):
        return say("The signature is the base64 of the digest's bytes; this interface wants the base64 of its lower-case hexadecimal text.")
    if any(same(_base64(digest.hex().encode()), signature) for digest in digests):
        return say("The signature is the base64 of the digest's hexadecimal text; this interface wants the base64 of its bytes.")
    return ""


def _digest(secret: str, text: str, algorithm: str) -> bytes:
    return hmac.digest(secret.encode(), text.encode(), DIGESTS[algorithm])


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
