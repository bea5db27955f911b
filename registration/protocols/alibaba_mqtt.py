"""Alibaba's dynamic registration over MQTT: with pre-registration (`register`) and without (`regnwl`).

Sources: "MQTT-based dynamic registration" of the IoT Platform; the wire as the Link SDKs for C 3.2 and 4.2 and for Python 1.2.13 send it
(tests/registration/vectors/alibaba.json). `Request.body` is the whole CONNECT packet; the answer's body is a CONNACK and, when the
device is let in, the PUBLISH that it never subscribed to. Of the CONNECT, keepalive and clean session are ignored on purpose;
`random` is not a nonce, as in the registration over HTTP.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from console.errors import DomainError
from console.words import say
from registration.mqtt import packets
from registration.mqtt.packets import BadPacket, Connect
from registration.protocols.alibaba_client_id import REGISTER, REGNWL, pieces, read_client_id, read_username, write_client_id
from registration.protocols.alibaba_signature import check, sign, text_of
from registration.protocols.base import Answer, Credentials, Grant, Malformed, Reply, Request, VerifiedClaim
from registration.protocols.connecting import presented
from registration.protocols.wire import compact_json, json_object, plain_text

CONTENT_TYPE: Final = "application/mqtt"
TOPICS: Final = {REGISTER: "/ext/register", REGNWL: "/ext/regnwl"}
KEEPALIVE: Final = 1200
NOT_OF_THE_FORM: Final = ("malformed", "unknown_algorithm")
NOT_LET_IN: Final = (
    "bad_signature", "product_unknown", "product_not_published", "dynamic_registration_off", "per_product_secret_off",
    "wrong_authentication", "already_activated", "already_registered", "not_imported", "auto_create_limit", "bad_device_name",
    "device_disabled", "preregistration_free_off", "client_limit", "client_id_switched",
)  # fmt: skip
RETURN_CODES: Final = dict.fromkeys(NOT_OF_THE_FORM, packets.WRONG_CLIENT_ID) | dict.fromkeys(NOT_LET_IN, packets.WRONG_CREDENTIALS)
"""By the code of the refusal; any other is 3, the server's own failure. Why a device is not let in, it does not learn."""


@dataclass(frozen=True, slots=True)
class MqttClaim:
    """`random` as it was signed; `method` as it was written."""

    product_key: str
    device_name: str
    random: str
    method: str
    sign: str = field(repr=False)
    preregistration_free: bool = False

    @property
    def signed_text(self) -> str:
        return text_of({"deviceName": self.device_name, "productKey": self.product_key, "random": self.random})

    def verify(self, product_secret: str, at: datetime) -> VerifiedClaim:
        """`at` is not used: the scheme has no time in it."""
        notes = check(product_secret, [self.signed_text], self.method, self.sign, method_field="signmethod")
        return VerifiedClaim(self.product_key, self.device_name, notes=notes)


def is_registration(connect: Connect) -> bool:
    """Whether the CONNECT asks to register, well or badly; all others want to connect."""
    return any(name == "authType" and value in TOPICS for name, value in pieces(connect.client_id)[1])


@dataclass(frozen=True, slots=True)
class AlibabaMqtt:
    """A CONNECT with authType=register or regnwl. `level`: MQTT's protocol level of whom it answers; `auth_type`: what it composes."""

    level: int = 4
    auth_type: str = REGISTER
    name: str = "alibaba-mqtt"
    path: str = ""

    def parse(self, request: Request) -> MqttClaim:
        """Raises Malformed."""
        try:
            shown = presented(packets.read_connect(request.body)).checked()
        except BadPacket as error:
            raise Malformed(error.message, field="body") from None
        identifier = read_client_id(shown.client_id)
        if identifier.auth_type not in TOPICS:
            raise Malformed("The client identifier's authType is neither register nor regnwl.", field="authType")
        device_name, product_key = read_username(shown.username)
        return MqttClaim(
            product_key=plain_text(product_key, "productKey"),
            device_name=plain_text(device_name, "deviceName"),
            random=plain_text(identifier.random, "random"),
            method=plain_text(identifier.sign_method, "signmethod"),
            sign=shown.password,
            preregistration_free=identifier.auth_type == REGNWL,
        )

    def accept(self, grant: Grant) -> Reply:
        """CONNACK 0 and the PUBLISH at once, QoS 0: the Python SDK loses one of QoS 1, and the C SDK gives up after five seconds."""
        names = {"productKey": grant.product_key, "deviceName": grant.device_name}
        if grant.client_id:
            topic = TOPICS[REGNWL]
            payload = compact_json({"clientId": grant.client_id, **names, "deviceToken": grant.device_token})
        else:
            topic = TOPICS[REGISTER]
            payload = compact_json({"deviceSecret": grant.device_secret, **names})
        accepted = packets.connack(self.level, packets.ACCEPTED)
        return Reply(accepted + packets.publish(self.level, topic, payload), CONTENT_TYPE)

    def refuse(self, error: DomainError, request_id: str) -> Reply:
        return Reply(packets.connack(self.level, RETURN_CODES.get(error.code, packets.UNAVAILABLE)), CONTENT_TYPE)

    def compose(self, credentials: Credentials, *, host: str, at: datetime, nonce: int) -> Request:
        claim = MqttClaim(credentials.product_key, credentials.device_name, str(nonce), "hmacsha256", "")
        base = f"{claim.device_name}.{claim.product_key}"
        client_id = write_client_id(base, random=claim.random, authType=self.auth_type, securemode="2", signmethod=claim.method)
        password = sign(credentials.product_secret, claim.signed_text, claim.method)
        username = f"{claim.device_name}&{claim.product_key}"
        packet = Connect(self.level, client_id, username, password.encode(), clean=True, keepalive=KEEPALIVE)
        return Request("CONNECT", "", host, {}, packets.connect(packet))

    def read(self, reply: Reply, product_secret: str) -> Answer:
        try:
            code, rest = _first(reply.body)
            if code != packets.ACCEPTED:
                return Answer(str(code))
            topic, payload = packets.read_publish(self.level, rest)
        except BadPacket as error:
            raise Malformed(error.message) from None
        if topic not in TOPICS.values():
            raise Malformed(say("The server published to {topic}, of which a device that registers knows nothing.", topic=topic))
        return _answer(payload)


def _first(received: bytes) -> tuple[int, bytes]:
    found = packets.first_packet(received)
    if found is None:
        raise BadPacket("The server's answer is not complete.")
    return packets.read_connack(found[0]), found[1]


def _answer(payload: bytes) -> Answer:
    members = json_object(payload)
    if compact_json(members) != payload:
        raise Malformed("The payload is not compact JSON.")
    secret, client_id, token = (str(members.get(name, "")) for name in ("deviceSecret", "clientId", "deviceToken"))
    return Answer("0", "", secret, client_id, token)
