"""Clones: physical devices that share a name and come and go at the brokers of a data center, for the tests of pages and logs."""

from datetime import datetime, timedelta

from devices.models import ClientIdentity, Device
from devices.services import client_ids, connections, presence
from products.models import Broker, DataCenter, Product
from products.services import brokers, lookup
from tests import cast
from tests.cast import NOON

EMQX_URL = "http://127.0.0.1:18083"


def broker(center: DataCenter, kind: str = "emqx", *, url: str = EMQX_URL) -> Broker:
    """One of the kind in the data center, made where there is none yet. EMQX tells who leaves and can drop; Mosquitto does neither."""
    found = Broker.objects.filter(data_center=center, kind=kind).first()
    management = {"management_url": url} if kind == "emqx" else {}
    return found or brokers.save(Broker(), data_center=center, name=f"{kind}-1", kind=kind, by=cast.OPERATOR, at=NOON, **management)


def clone(product: Product, name: str, *, center: DataCenter | None = None, at: datetime = NOON) -> ClientIdentity:
    """One more physical device that was issued a ClientID under the name; it has not connected yet."""
    center = center or cast.home()
    known = lookup.find_for_registration(product.key, at=at)
    issued = client_ids.issue(data_center=center, product=known, device_name=name, at=at)
    identity = ClientIdentity.objects.using(center.database).get(client_id=issued.client_id)
    identity.device = device(product, name, center)
    return identity


def device(product: Product, name: str, center: DataCenter | None = None) -> Device:
    center = center or cast.home()
    found = Device.objects.at(center).get(product_id=product.pk, device_name=name)
    found.data_center = center
    return found


def connect(identity: ClientIdentity, address: str = "203.0.113.1", *, kind: str = "emqx", at: datetime = NOON) -> str:
    """The physical device connects; returns its MQTT client id."""
    here = identity.device
    where = {"data_center": here.data_center, "product_id": here.product_id, "device_name": here.device_name}
    on_file = connections.look_up(**where, client_id=identity.client_id)
    connections.admit(on_file, **where, by_token=True, at=at)
    mqtt_client_id = f"{identity.client_id}|securemode=-2,authType=connwl|"
    arrive(here, address, identity=identity, mqtt_client_id=mqtt_client_id, kind=kind, at=at)
    return mqtt_client_id


def arrive(
    here: Device,
    address: str,
    *,
    identity: ClientIdentity | None = None,
    mqtt_client_id: str = "mine",
    kind: str = "emqx",
    at: datetime = NOON,
) -> None:
    """A connection that was let in is recorded."""
    at_broker = broker(here.data_center, kind)
    arrival = presence.Arrival(
        data_center=here.data_center,
        device_id=here.pk,
        product_id=here.product_id,
        device_name=here.device_name,
        identity_id=identity.pk if identity else None,
        client_id=identity.client_id if identity else "",
        broker_id=at_broker.pk,
        tells_departures=at_broker.tells_departures,
        mqtt_client_id=mqtt_client_id,
        address=address,
        at=at,
    )
    presence.arrived([arrival])


def leave(here: Device, mqtt_client_id: str, *, kind: str = "emqx", at: datetime) -> None:
    presence.left([presence.Departure(here.data_center, broker(here.data_center, kind).pk, mqtt_client_id, at)])


def minutes(count: float) -> datetime:
    """So long after noon."""
    return NOON + timedelta(minutes=count)
