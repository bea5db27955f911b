"""A broker in a test: its row with its hook secret, and its questions as it sends them."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from console.shared import keyring
from devices.models import Authentication, ClientIdentity, Device, DeviceOrigin
from devices.models.client_identity import token_owner
from devices.services.connections import digest_of
from products.models import GATEWAYS, Broker, BrokerKind, DataCenter, Product
from products.services import brokers, lookup, products
from products.services.brokers import HookedBroker
from registration.protocols.connecting import Presented
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.registration.golden_mqtt import GoldenConnection

HOOKED = [kind.value for kind in BrokerKind if kind != BrokerKind.EMBEDDED and kind not in GATEWAYS]
PROXIES = sorted(kind.value for kind in GATEWAYS)
ADDRESS = "198.51.100.23"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
CONNECT_CALLS = {"rabbitmq": "user", "emqx": "authenticate", "vernemq": "", "mosquitto": "user", "nanomq": "authenticate"}
DENIALS: dict[str, tuple[int, bytes]] = {
    "rabbitmq": (200, b"deny"),
    "emqx": (200, b'{"result":"deny"}'),
    "vernemq": (200, b'{"result":{"error":"not_allowed"}}'),
    "mosquitto": (403, b'{"ok":false,"error":"denied"}'),
    "nanomq": (403, b"deny"),
}
"""How each kind hears no, whatever it asked."""


@dataclass(frozen=True)
class Asked:
    """A question: `call` is empty where a header tells it."""

    call: str
    body: bytes
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hooking:
    """A broker with its secret."""

    row: Broker
    secret: str

    @property
    def kind(self) -> str:
        return str(self.row.kind)

    @property
    def hooked(self) -> HookedBroker:
        return brokers.hooked(self.row)

    def path(self, call: str, secret: str | None = None) -> str:
        parts = ["", "hooks", self.kind, self.secret if secret is None else secret, call]
        return "/".join(part for place, part in enumerate(parts) if part or not place)

    def send(self, asked: Asked, *, secret: str | None = None) -> Any:
        path = self.path(asked.call, secret)
        return Client(headers=asked.headers).post(path, asked.body, content_type=asked.content_type)

    def ask(self, call: str, **fields: object) -> Any:
        """In JSON, or as a form where the broker knows nothing else; VerneMQ's call goes into the header."""
        if self.kind == "rabbitmq":
            return self.send(Asked(call, urlencode(fields).encode(), FORM))
        body = json.dumps(fields).encode()
        return self.send(Asked("", body, JSON, {"vernemq-hook": call}) if self.kind == "vernemq" else Asked(call, body, JSON))

    def connect(self, presented: Presented) -> Any:
        return self.send(connect_question(self.kind, presented))

    def allows(self, answer: Any) -> bool:
        """As the broker itself reads the answer; RabbitMQ, EMQX and VerneMQ must never see another status than 200."""
        said = (answer.status_code, answer.content)
        if self.kind == "rabbitmq":
            return bool(said == (200, b"allow"))
        if self.kind in ("emqx", "vernemq"):
            assert answer.status_code == 200 and answer.headers["Content-Type"] == JSON
            return json.loads(answer.content)["result"] in ("allow", "ok")
        return bool(answer.status_code == 200)

    def denies(self, answer: Any) -> bool:
        return (answer.status_code, answer.content) == DENIALS[self.kind]


def broker(kind: str, data_center: DataCenter | None = None, **facts: Any) -> Hooking:
    center = data_center or cast.home()
    row = brokers.save(Broker(), data_center=center, name=f"{kind} of {center.code}", kind=kind, by=OPERATOR, at=NOON, **facts)
    return Hooking(row, brokers.reveal_hook_secret(row, by=OPERATOR, at=NOON))


def connect_question(kind: str, presented: Presented) -> Asked:
    """As the broker asks about a CONNECT."""
    names = {"username": presented.username, "password": presented.password}
    if kind == "rabbitmq":
        return Asked("user", urlencode(names | {"vhost": "/", "client_id": presented.client_id}).encode(), FORM)
    if kind == "vernemq":
        peer = {"peer_addr": ADDRESS, "peer_port": 53412, "mountpoint": "", "clean_session": True}
        body = json.dumps(peer | names | {"client_id": presented.client_id}).encode()
        return Asked("", body, JSON, {"vernemq-hook": "auth_on_register"})
    fields = names | {"clientid": presented.client_id}
    fields |= {"emqx": {"peerhost": ADDRESS}, "nanomq": {"ipaddress": ADDRESS}}.get(kind, {})
    return Asked(CONNECT_CALLS[kind], json.dumps(fields).encode(), JSON)


def device_of(golden: GoldenConnection) -> None:
    """What a golden connection needs to be admitted: its product, and its row or its ClientID."""
    wire = {"alibaba-connwl": "alibaba"}.get(golden.scheme, golden.scheme)
    new = products.NewProduct(name="Golden", wire_protocol=wire, network_protocol="mqtt", device_name_kind="free", key="", secret="")
    product = products.create(new, by=OPERATOR, at=NOON)
    Product.objects.filter(pk=product.pk).update(key=golden.product_key, status="published", preregistration_free=True)
    product.refresh_from_db()
    lookup.forget()
    if golden.token:
        _identity(product, golden)
    else:
        _row(product, golden)


def _row(product: Product, golden: GoldenConnection) -> None:
    """The documentation's example secret is shorter than the rules for what people type allow: it is sealed past them."""
    row = cast.row(product, golden.device_name)
    row.sealed_secret = keyring.seal(golden.device_secret, owner=row.secret_owner())
    row.save(update_fields=["sealed_secret"])


def _identity(product: Product, golden: GoldenConnection) -> None:
    device = Device.objects.create(
        data_center=cast.home(),
        product=product,
        device_name=golden.device_name,
        authentication=Authentication.DYNAMIC,
        origin=DeviceOrigin.PREREGISTRATION_FREE,
        sealed_secret=b"",
        created_at=NOON,
    )
    client_id = golden.presented.client_id.partition("|")[0]
    digest = keyring.seal(digest_of(golden.token), owner=token_owner(client_id))
    ClientIdentity.objects.create(device=device, client_id=client_id, sealed_token_digest=digest, status_at=NOON, issued_at=NOON)
