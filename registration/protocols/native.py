"""Our own registration: JSON, HMAC-SHA256 by the ProductSecret, a clock window of five minutes and a nonce that is good for once.

The canonical text and two clients are in docs/native-registration.md. Every member of a request is checked; any other is refused.
`csr` may be left out: a certificate request (PKCS #10 in PEM), whose hash is then signed as an eighth line, so that nobody on the way puts
his own key in.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Final

from console.errors import DomainError
from console.words import say
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
    VerifiedClaim,
)
from registration.protocols.wire import compact_json, json_object, plain_text, same, whole_number

PATH: Final = "/api/v1/register"
FIRST_LINE: Final = "nameplate-register-v1"
MEMBERS: Final = ("productKey", "deviceName", "timestamp", "nonce", "signature")
WINDOW: Final = timedelta(minutes=5)
OPTIONAL: Final = ("csr",)
LONGEST_CSR: Final = 6 * 1024
"""Characters; one for RSA-4096 has some 1,800."""
NONCE: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
SIGNATURE: Final = re.compile(r"[0-9A-Fa-f]{64}")
PROBLEM_TYPE: Final = "application/problem+json"

UNAUTHENTICATED: Final = (401, "bad_signature", "The signature was not made with this product's secret.")
INTERNAL: Final = (500, "internal", "The registration failed on the server's side.")
PROBLEMS: Final[dict[str, tuple[int, str, str]]] = {
    "malformed": (400, "malformed", "The request is not of the documented form."),
    "bad_signature": UNAUTHENTICATED,
    "product_unknown": UNAUTHENTICATED,
    "product_not_published": UNAUTHENTICATED,
    "outside_window": (401, "outside_window", "The timestamp is more than five minutes from the server's clock."),
    "nonce_used": (409, "nonce_used", "The nonce was used before."),
    "dynamic_registration_off": (403, "dynamic_registration_off", "Dynamic registration is switched off for the product."),
    "per_product_secret_off": (403, "per_product_secret_off", "The product does not register devices by its product secret."),
    "wrong_authentication": (403, "wrong_authentication", "The device authenticates in another way."),
    "device_disabled": (403, "device_disabled", "The device is disabled."),
    "not_imported": (404, "not_imported", "The device name is not on the pre-import list."),
    "already_activated": (409, "already_activated", "The device is activated."),
    "already_registered": (409, "already_registered", "The device is registered."),
    "auto_create_limit": (409, "auto_create_limit", "No more devices are created for the product."),
    "bad_device_name": (422, "bad_device_name", "The device name does not follow the product's rule."),
    "bad_csr": (422, "bad_csr", "The certificate request cannot be signed."),
    "csr_missing": (422, "csr_missing", "The product's devices send a certificate request."),
    "csr_not_taken": (422, "csr_not_taken", "The product's devices are not handed certificates."),
    "device_certificate_revoked": (403, "device_disabled", "The device is disabled."),
    "certificate_not_pinned": (403, "wrong_authentication", "The device authenticates in another way."),
    "no_issuing_ca": (503, "unavailable", "The registration cannot be carried out at the moment."),
    "issuing_failed": (503, "unavailable", "The registration cannot be carried out at the moment."),
    "unavailable": (503, "unavailable", "The registration cannot be carried out at the moment."),
}
"""HTTP status, the code that is told, and the title, by the code of the refusal."""


@dataclass(frozen=True, slots=True)
class NativeClaim:
    """`timestamp`: seconds since 1970 as text, as it was signed."""

    preregistration_free: ClassVar[bool] = False
    product_key: str
    device_name: str
    timestamp: str
    nonce: str
    signature: str = field(repr=False)
    csr: str = field(default="", repr=False)

    @property
    def signed_text(self) -> str:
        """Seven lines joined by line feeds, none at the end; with a CSR the SHA-256 of its text in lower-case hexadecimal as the eighth."""
        text = f"{FIRST_LINE}\nPOST\n{PATH}\n{self.product_key}\n{self.device_name}\n{self.timestamp}\n{self.nonce}"
        return f"{text}\n{hashlib.sha256(self.csr.encode()).hexdigest()}" if self.csr else text

    @property
    def asked(self) -> Asked:
        return Asked(csr=self.csr.encode())

    def verify(self, product_secret: str, at: datetime) -> VerifiedClaim:
        ours = int(at.timestamp())
        ahead = int(self.timestamp) - ours
        if abs(ahead) > WINDOW.total_seconds():
            raise OutsideWindow(
                say("The device's clock differs from ours by {seconds} seconds.", seconds=ahead), facts={"server_time": ours}
            )
        if not same(_sign(product_secret, self.signed_text), self.signature.lower()):
            raise BadSignature(facts={"signed_text": self.signed_text})
        until = at + timedelta(seconds=ahead) + WINDOW + timedelta(seconds=1)
        return VerifiedClaim(self.product_key, self.device_name, self.nonce, until)


@dataclass(frozen=True, slots=True)
class Native:
    """POST /api/v1/register."""

    name: str = "native"
    path: str = PATH

    def parse(self, request: Request) -> NativeClaim:
        members = json_object(request.body)
        unknown = sorted(set(members) - {*MEMBERS, *OPTIONAL})
        if unknown:
            raise Malformed(say("The request has {members} members that are not known.", members=len(unknown)), field="body")
        return NativeClaim(
            product_key=plain_text(members.get("productKey"), "productKey"),
            device_name=plain_text(members.get("deviceName"), "deviceName"),
            timestamp=whole_number(members.get("timestamp"), "timestamp"),
            nonce=_of_form(NONCE, members.get("nonce"), "nonce"),
            signature=_of_form(SIGNATURE, members.get("signature"), "signature"),
            csr=_pem(members["csr"]) if "csr" in members else "",
        )

    def accept(self, grant: Grant) -> Reply:
        """A certificate stands in the place of the secret: with it the device connects."""
        members = {"productKey": grant.product_key, "deviceName": grant.device_name}
        if grant.certificate:
            members |= {"certificate": grant.certificate, "certificateChain": grant.certificate_chain}
        else:
            members["deviceSecret"] = grant.device_secret
        return Reply(compact_json(members | {"isNew": grant.is_new, "requestId": grant.request_id}))

    def refuse(self, error: DomainError, request_id: str) -> Reply:
        """A problem document of RFC 9457."""
        status, code, title = PROBLEMS.get(error.code, INTERNAL)
        problem: dict[str, object] = {"type": f"urn:nameplate:problem:{code}", "title": title, "status": status, "code": code}
        problem["requestId"] = request_id
        if code == "malformed" and error.field:
            problem["field"] = error.field
        if code == "outside_window":
            problem["serverTime"] = error.facts.get("server_time")
        return Reply(compact_json(problem), PROBLEM_TYPE, status)

    def compose(self, credentials: Credentials, *, host: str, at: datetime, nonce: int, csr: str = "") -> Request:
        """`csr`: PEM, of a device that asks for a certificate."""
        stamp = int(at.timestamp())
        claim = NativeClaim(credentials.product_key, credentials.device_name, str(stamp), f"{nonce:010d}", "", csr)
        members = {"productKey": claim.product_key, "deviceName": claim.device_name, "timestamp": stamp, "nonce": claim.nonce}
        members["signature"] = _sign(credentials.product_secret, claim.signed_text)
        if csr:
            members["csr"] = csr
        return Request("POST", PATH, host, {"content-type": "application/json"}, compact_json(members))

    def read(self, reply: Reply, product_secret: str) -> Answer:
        members = json_object(reply.body)
        if reply.status == 200:
            secret, certificate = (str(members.get(name, "")) for name in ("deviceSecret", "certificate"))
            return Answer("200", "success", secret, certificate=certificate)
        return Answer(str(members.get("code", reply.status)), str(members.get("title", "")))


def _pem(value: object) -> str:
    """What is in it, its own reader says. Raises Malformed."""
    if not isinstance(value, str) or not value.isascii() or not 1 <= len(value) <= LONGEST_CSR or "-----BEGIN" not in value:
        raise Malformed("The certificate request (csr) is not a text in PEM.", field="csr")
    return value


def _of_form(pattern: re.Pattern[str], value: object, field_name: str) -> str:
    text = plain_text(value, field_name)
    if not pattern.fullmatch(text):
        raise Malformed(say("The field {name} is not of the form {form}.", name=field_name, form=pattern.pattern), field=field_name)
    return text


def _sign(secret: str, text: str) -> str:
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex()
