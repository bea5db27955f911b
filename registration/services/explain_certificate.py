"""What would happen if a device came with this certificate now (N2): the way of such a connection, gone without leaving a trace.

That it holds the private key, which the TLS handshake shows, is taken to be so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from products.models import DataCenter, Product
from products.services import authorities, lookup
from registration.models import DeviceEvent
from registration.protocols import connection_schemes
from registration.protocols.connecting import DeviceCredentials, Presented
from registration.services import broker_auth
from registration.services.certificate_auth import SCHEME
from registration.services.device_log import Attempt
from registration.services.explain import Foreseen

ANY_PASSWORD = "AAAA"  # noqa: S105
"""For the composer of a user name, which makes a password as well; base64 too, as Tencent's must be."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one data center would answer. `device_name`: in its stored form, empty where nothing says it; `facts`: as the log would have
    them, such as the fingerprints that were expected and seen."""

    data_center: DataCenter
    device_name: str
    answer: Foreseen
    facts: Mapping[str, object] = field(default_factory=dict)


def what_if(*, product: Product, data_center: DataCenter, device_name: str, chain: Sequence[bytes], at: datetime) -> Explanation:
    """`device_name` in any spelling, empty for whatever the certificate says; `chain`: DER, the device's certificate first. Reads what is
    stored now, not what a door has kept for a moment. Raises nothing for a bad name: it is refused as a device's would be."""
    lookup.forget()
    authorities.forget()
    attempt = Attempt(at, uuid4(), SCHEME, "", data_center, event=DeviceEvent.CONNECTION)
    username = _username(product, device_name, at) if device_name else ""
    presented = Presented("", username, "", tuple(chain), product_key=product.key)
    code = broker_auth.foresee_certificate(attempt, data_center, presented)
    return Explanation(data_center, attempt.device_name, Foreseen(code, tuple(attempt.path)), attempt.facts)


def _username(product: Product, device_name: str, at: datetime) -> str:
    """As the product's devices write it."""
    device = DeviceCredentials(product.key, device_name, ANY_PASSWORD)
    return connection_schemes.COMPOSERS[product.wire_protocol](device, at, 1).username
