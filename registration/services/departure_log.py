"""The entries of the device log for connections that ended."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import uuid4

from console.words import say
from devices.models import Connection, ConnectionEnd
from products.models import DataCenter, Product
from registration.decision_codes import DecisionCode
from registration.models import DeviceEvent, DeviceLogEntry
from registration.services import device_log

SENTENCES: Final[dict[str, str]] = {
    ConnectionEnd.LEFT: say("The device left, or its connection broke."),
    ConnectionEnd.TAKEN_OVER: say("A newer connection took its place."),
    ConnectionEnd.CUT: say("It was cut off."),
    ConnectionEnd.LOST: say("It was found gone."),
}
PROTOCOL: Final = "mqtt"
MAX_REASON: Final = 100


def write(ended: Sequence[Connection], *, database: str, reasons: Mapping[tuple[int, str], str] | None = None) -> None:
    """One entry for each connection, with its device and its end on it, at data centers of one database.

    `reasons`: the broker's own words, by the broker's number and MQTT client id. Raises the database's errors.
    """
    if not ended:
        return
    keys = Product.objects.in_bulk({connection.device.product_id for connection in ended})
    reasons = reasons or {}
    entries = [_entry(one, keys.get(one.device.product_id), reasons.get((one.broker_id, one.mqtt_client_id), "")) for one in ended]
    DeviceLogEntry.objects.using(database).bulk_create(entries)
    centers = DataCenter.objects.in_bulk({entry.data_center_id for entry in entries})
    for entry in entries:
        device_log.count(centers[entry.data_center_id].code, entry.event, entry.protocol, entry.code)


def _entry(connection: Connection, product: Product | None, reason: str) -> DeviceLogEntry:
    facts: dict[str, object] = {"mqtt_client_id": connection.mqtt_client_id, "connected_at": connection.connected_at.isoformat()}
    if reason.strip():
        facts["reason"] = "".join(character for character in reason[:MAX_REASON] if character.isprintable())
    return DeviceLogEntry(
        at=connection.disconnected_at or connection.connected_at,
        data_center_id=connection.device.data_center_id,
        product_id=connection.device.product_id,
        product_key=product.key if product else "",
        device_name=connection.device.device_name,
        client_id=connection.identity.client_id if connection.identity else "",
        event=DeviceEvent.DISCONNECTION,
        protocol=PROTOCOL,
        address=connection.address,
        code=DecisionCode.ENDED,
        accepted=True,
        path=[SENTENCES.get(connection.ended, SENTENCES[ConnectionEnd.LEFT])],
        facts=facts,
        request_id=uuid4(),
    )
