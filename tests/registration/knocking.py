"""A device in a test: it composes a request of its scheme, knocks at the service, and reads the answer."""

from dataclasses import dataclass
from datetime import datetime
from itertools import count

from products.models import DataCenter, Product
from registration.models import DeviceLogEntry
from registration.protocols.base import Answer, Credentials, Reply, Request
from registration.services.enrolment import register
from registration.services.schemes import schemes
from tests import cast

ADDRESS = "198.51.100.23"
SECRETS = {
    "a1ExpAkj9Hi": "h1nQFYPZS0mW1234",
    "L4WG9V9M2M": "hzvf5LF9S0isvBhDSauWMaIk",
    "a1MeterKey9": "MeterSecret12345",
    "a1LampKey01": "LampSecret123456",
}
NATURAL = {"alibaba": "alibaba", "tencent": "tencent-new", "native": "native"}
_nonces = count(706384600)


@dataclass(frozen=True)
class Knock:
    """What came of it: the reply, how the device reads it, and the entry in the log."""

    reply: Reply
    answer: Answer
    entry: DeviceLogEntry

    @property
    def code(self) -> str:
        return self.entry.code


def request_of(protocol: str, credentials: Credentials, *, host: str = "shanghai.devices.test", at: datetime = cast.NOON) -> Request:
    return schemes()[protocol].compose(credentials, host=host, at=at, nonce=next(_nonces))


def send(protocol: str, request: Request, *, product_secret: str = "", at: datetime = cast.NOON, database: str = "default") -> Knock:
    log = DeviceLogEntry.objects.using(database)
    before = log.count()
    reply = register(protocol=schemes()[protocol], request=request, peer_address=ADDRESS, at=at)
    assert log.count() == before + 1, "every attempt writes one entry"
    entry = log.latest("id")
    return Knock(reply, schemes()[protocol].read(reply, product_secret or "no secret of any product"), entry)


def knock(
    product: Product,
    device_name: str,
    *,
    protocol: str = "",
    secret: str = "",
    host: str = "shanghai.devices.test",
    at: datetime = cast.NOON,
    database: str = "default",
) -> Knock:
    """`protocol` and `secret`: the product's own unless given."""
    protocol = protocol or NATURAL[product.wire_protocol]
    product_secret = secret or SECRETS[product.key]
    request = request_of(protocol, Credentials(product.key, product_secret, device_name), host=host, at=at)
    return send(protocol, request, product_secret=product_secret, at=at, database=database)


def log_of(center: DataCenter) -> list[str]:
    return [entry.code for entry in DeviceLogEntry.objects.at(center).order_by("id")]
