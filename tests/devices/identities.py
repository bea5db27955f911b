"""Physical devices behind one preregistration-free name, as the tests of their life need them."""

from datetime import datetime

from devices.models import ClientIdentity, Device
from devices.services import client_ids, connections, presence
from devices.services.client_ids import Issued
from products.models import Broker, BrokerKind, DataCenter, Product
from products.services import brokers, lookup
from tests.cast import NOON, OPERATOR

NAME = "A4C138000001"


def broker(data_center: DataCenter, kind: str = BrokerKind.RABBITMQ) -> Broker:
    return brokers.save(Broker(), data_center=data_center, name=f"{kind} of {data_center.code}", kind=kind, by=OPERATOR, at=NOON)


def issue(data_center: DataCenter, product: Product, name: str = NAME, at: datetime = NOON) -> Issued:
    """What a device of the name is handed. Raises a Refused."""
    known = lookup.find_for_registration(product.key, at=at)
    return client_ids.issue(data_center=data_center, product=known, device_name=name, at=at)


def connect(data_center: DataCenter, product: Product, issued: Issued, name: str = NAME, at: datetime = NOON) -> connections.Admitted:
    """It connects with its ClientID; the token is checked too. Raises a Refused."""
    where = {"data_center": data_center, "product_id": product.pk, "device_name": name}
    on_file = connections.look_up(**where, client_id=issued.client_id)
    assert on_file.token_matches(issued.device_token)
    return connections.admit(on_file, **where, by_token=True, at=at)


def arrive(where: Broker, product: Product, admitted: connections.Admitted, issued: Issued | None, at: datetime, mqtt: str = "") -> None:
    """Its connection is recorded."""
    presence.arrived([arrival(where, product, admitted, issued, at, mqtt)])


def arrival(
    where: Broker, product: Product, admitted: connections.Admitted, issued: Issued | None, at: datetime, mqtt: str = ""
) -> presence.Arrival:
    client_id = issued.client_id if issued else ""
    return presence.Arrival(
        data_center=where.data_center,
        device_id=admitted.device_id,
        product_id=product.pk,
        device_name=NAME,
        identity_id=admitted.identity_id,
        client_id=client_id,
        broker_id=where.pk,
        tells_departures=where.tells_departures,
        mqtt_client_id=mqtt or f"{client_id}|securemode=-2,authType=connwl|",
        address="192.0.2.7",
        at=at,
    )


def device(data_center: DataCenter, name: str = NAME) -> Device:
    return Device.objects.at(data_center).select_related("data_center").get(device_name=name)


def statuses(data_center: DataCenter) -> dict[str, str]:
    """By ClientID."""
    return dict(ClientIdentity.objects.of(device(data_center)).values_list("client_id", "status"))
