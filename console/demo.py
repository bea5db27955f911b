"""Demo data: a small fleet with a past, made through the same services as a real one, so that every page has something to show."""

import random
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import NamedTuple
from uuid import uuid4

from django.utils import timezone

from console.shared import keyring
from console.shared.actors import Actor
from devices.models import ClientIdentity, Device, DisconnectOrder, MacBlockKind
from devices.rules import production as rules
from devices.services import batches, client_ids, disconnecting, lifecycle, mac_pools, pre_import, production
from products.models import Broker, DataCenter, DeviceNameKind, NetworkProtocol, Product
from products.services import brokers, data_centers, lookup, products, supply
from products.services.brokers import HookedBroker
from registration.decision_codes import DecisionCode
from registration.protocols.base import Credentials
from registration.protocols.connecting import DeviceCredentials, Presented
from registration.protocols.connection_schemes import COMPOSERS
from registration.services import broker_auth, device_log, enrolment, recorder
from registration.services.device_log import Attempt
from registration.services.schemes import schemes

DEMO = Actor("demo")
PLACES = (("cn-shanghai", "Shanghai", "shanghai.devices.example"), ("eu-frankfurt", "Frankfurt", "frankfurt.devices.example"))
BROKERS = (
    ("cn-shanghai", "EMQX Shanghai", "emqx", "http://emqx.shanghai.devices.example:18083"),
    ("eu-frankfurt", "Mosquitto Frankfurt", "mosquitto", ""),
)
DAYS = 14
AT_ONCE = 100
"""Connections that wait to be recorded."""


class Model(NamedTuple):
    """A product of the demo. `scheme`: how its devices register; `rows`: pre-imported by hand; `produced`: by a batch."""

    name: str
    wire: str
    scheme: str
    network: NetworkProtocol
    kind: DeviceNameKind
    key: str
    rows: int
    produced: int


MODELS = (
    Model("Kettle K2", "alibaba", "alibaba", NetworkProtocol.MQTT, DeviceNameKind.MAC, "a1KettleK2x", 120, 2_000),
    Model("Door sensor", "tencent", "tencent-new", NetworkProtocol.MQTT, DeviceNameKind.FREE, "DOORSENS01", 160, 500),
    Model("Water meter", "native", "native", NetworkProtocol.LWM2M, DeviceNameKind.SN, "a1WaterMtr7", 60, 0),
    Model("Bulb mini", "alibaba", "alibaba", NetworkProtocol.BLUETOOTH, DeviceNameKind.MAC, "a1BulbMini9", 0, 0),
)


class Knock(NamedTuple):
    """One registration to be: when, by which product's scheme, with what."""

    at: datetime
    model: Model
    credentials: Credentials


def is_there() -> bool:
    return Product.objects.filter(key=MODELS[0].key).exists()


def load(*, seed: int = 7) -> None:
    """Made once; the same fleet each time but for the secrets. Takes some seconds."""
    now = timezone.now()
    chance = random.Random(seed)
    start = now - timedelta(days=DAYS)
    hosts = _places(start)
    pool = mac_pools.create(mac_pools.NewPool("Own block", MacBlockKind.MA_L, prefix="A4-C1-38"), by=DEMO, at=start)
    knocks: list[Knock] = []
    for model in MODELS:
        product = _product(model, at=start)
        names = _rows(model, product, at=start + timedelta(hours=1))
        if model.produced:
            _produce(model, product, pool_id=pool.pk if model.kind == DeviceNameKind.MAC else None, at=start + timedelta(hours=2))
        if model.rows:
            knocks += _knocks(model, product, names, chance, now)
    _register(knocks, hosts, chance)
    _live(chance, now)


def _places(at: datetime) -> Sequence[str]:
    for code, name, host in PLACES:
        if not DataCenter.objects.filter(code=code).exists():
            data_centers.save(DataCenter(), code=code, name=name, database="default", hosts=[host], by=DEMO, at=at)
    return [host for _code, _name, host in PLACES]


def _product(model: Model, *, at: datetime) -> Product:
    new = products.NewProduct(model.name, model.wire, model.network, model.kind, key=model.key)
    product = products.create(new, by=DEMO, at=at)
    supply.grant_codes(product, quantity=5_000, note="Order 2026-117", by=DEMO, at=at)
    if model.rows:
        products.publish(product.pk, by=DEMO, at=at)
        # Nobody is here to be sent the code that the service asks for.
        Product.objects.filter(pk=product.pk).update(
            dynamic_registration=True, per_product_secret=True, preregistration_free=model.scheme == "alibaba"
        )
        lookup.forget()
    return Product.objects.get(pk=product.pk)


def _rows(model: Model, product: Product, *, at: datetime) -> list[str]:
    spellings = {DeviceNameKind.MAC: "F0FE6B{:06X}", DeviceNameKind.FREE: "hall-{:04d}", DeviceNameKind.SN: "WM2611{:06d}"}
    names = [spellings[model.kind].format(number * 7 + 1) for number in range(model.rows)]
    for number, name in enumerate(names):
        new = pre_import.NewRow(name, nickname=f"{model.name} {number + 1}", sn=f"{model.key[2:5].upper()}{number:07d}")
        pre_import.add(product, new, by=DEMO, at=at)
    return names


def _produce(model: Model, product: Product, *, pool_id: int | None, at: datetime) -> None:
    new = batches.NewBatch(rules.AUTOMATIC, quantity=model.produced, mac_pool_id=pool_id, note="Line 3, first run")
    batch = batches.request(product.pk, new, by=DEMO, at=at)
    seconds = count(3)
    production.fill(batch.pk, clock=lambda: at + timedelta(seconds=next(seconds)))


def _knocks(model: Model, product: Product, names: Sequence[str], chance: random.Random, now: datetime) -> Iterator[Knock]:
    """Most devices register, some twice; forgers and strangers knock too."""
    secret = products.reveal_secret(product, by=DEMO, at=now)
    heard = [name for name in names for _again in range(chance.choice((0, 1, 1, 1, 1, 2)))]
    strangers = [f"F0FE6C{number:06X}" for number in range(3)]
    for name in [*heard, *strangers]:
        shown = secret[::-1] if chance.random() < 0.04 else secret
        at = now - timedelta(seconds=60 + int((DAYS * 86_400 - 4 * 3600) * chance.random() ** 2))
        yield Knock(at, model, Credentials(product.key, shown, name))


def _register(knocks: Sequence[Knock], hosts: Sequence[str], chance: random.Random) -> None:
    """In the order of their times. A device always calls the same place."""
    for knock in sorted(knocks, key=lambda knock: knock.at):
        scheme = schemes()[knock.model.scheme]
        host = hosts[zlib.crc32(knock.credentials.device_name.encode()) % len(hosts)]
        request = scheme.compose(knock.credentials, host=host, at=knock.at, nonce=chance.randrange(2**31))
        enrolment.register(protocol=scheme, request=request, peer_address=f"198.51.100.{chance.randrange(1, 255)}", at=knock.at)


class Event(NamedTuple):
    """A device comes from an `address`, or leaves (no address)."""

    at: datetime
    broker: HookedBroker
    presented: Presented
    address: str = ""


def _brokers(at: datetime) -> dict[int, HookedBroker]:
    """One that tells who leaves and can drop a client, and one that does neither; by the data center's number."""
    found = {}
    for code, name, kind, url in BROKERS:
        center = DataCenter.objects.get(code=code)
        row = brokers.save(Broker(), data_center=center, name=name, kind=kind, management_url=url, by=DEMO, at=at)
        found[center.pk] = brokers.hooked(row)
    return found


def _live(chance: random.Random, now: datetime) -> None:
    """Devices connect, leave and come back; some names have clones; one was put out of service."""
    by_center = _brokers(now - timedelta(days=DAYS))
    events: list[Event] = []
    for place in DataCenter.objects.filter(pk__in=by_center):
        devices = list(Device.objects.at(place).order_by("pk"))
        for device in devices[1:]:
            events += _days_of(device, by_center[place.pk], chance, now)
        events += _quarrel(devices[1], by_center[place.pk], now)
        for number in (1, 2):
            events += _clones(place, by_center[place.pk], number, chance, now)
    _play(events)
    for place in DataCenter.objects.filter(pk__in=by_center):
        lifecycle.disable(Device.objects.at(place).order_by("pk")[0], reason="Returned by the customer", by=DEMO, at=now)
    _decide(now)


def _days_of(device: Device, broker: HookedBroker, chance: random.Random, now: datetime) -> Iterator[Event]:
    """Two of three have connected since; some of these have left again."""
    came = device.created_at + timedelta(minutes=chance.randrange(1, 90))
    if chance.random() > 0.65 or came > now:
        return
    address = f"203.0.113.{chance.randrange(1, 255)}"
    for _again in range(chance.randrange(1, 4)):
        presented = _presented(device, came)
        yield Event(came, broker, presented, address)
        left = came + timedelta(hours=chance.randrange(1, 60))
        if left > now or chance.random() < 0.5:
            return
        yield Event(left, broker, presented)
        came = left + timedelta(minutes=chance.randrange(2, 600))
        if came > now:
            return


def _quarrel(device: Device, broker: HookedBroker, now: datetime) -> Iterator[Event]:
    """One DeviceSecret in two places: each connection pushes the other out."""
    for turn in range(9):
        at = now - timedelta(minutes=95 - 10 * turn)
        yield Event(at, broker, _presented(device, at), ("203.0.113.80", "198.51.100.23")[turn % 2])


def _clones(place: DataCenter, broker: HookedBroker, number: int, chance: random.Random, now: datetime) -> Iterator[Event]:
    """A name with three physical devices: the first one comes early, the others while it is there."""
    known = lookup.find_for_registration(MODELS[0].key, at=now)
    for copy in range(3):
        registered = now - timedelta(days=6 - 2 * copy, hours=number)
        name = cloned_name(place, number)
        issued = client_ids.issue(data_center=place, product=known, device_name=name, at=registered)
        _log_issued(place, known, name, issued, at=registered)
        device = DeviceCredentials(known.key, name, client_id=issued.client_id, device_token=issued.device_token)
        address, came = f"203.0.113.{20 * copy + number}", registered + timedelta(minutes=2)
        while came < now:
            presented = COMPOSERS["alibaba"](device, came, 0)
            yield Event(came, broker, presented, address)
            left = came + timedelta(hours=chance.randrange(6, 40))
            if left > now:
                break
            yield Event(left, broker, presented)
            came = left + timedelta(hours=chance.randrange(1, 12))


def cloned_name(place: DataCenter, number: int) -> str:
    """A MAC address that no other row of the demo has, whatever the place's number in its table."""
    return f"F0FE6D{zlib.crc32(place.code.encode()) % 256:02X}000{number}"


def _log_issued(place: DataCenter, product: lookup.RegistrationProduct, name: str, issued: client_ids.Issued, *, at: datetime) -> None:
    attempt = Attempt(
        at,
        uuid4(),
        "alibaba-mqtt",
        "203.0.113.9",
        place,
        product,
        product_key=product.key,
        device_name=name,
        client_id=issued.client_id,
        path=list(issued.path),
    )
    device_log.write(attempt, DecisionCode.ACCEPTED)


def _presented(device: Device, at: datetime) -> Presented:
    product = Product.objects.get(pk=device.product_id)
    secret = keyring.unseal(device.sealed_secret, owner=device.secret_owner())
    return COMPOSERS[product.wire_protocol](DeviceCredentials(product.key, device.device_name, secret), at, 0)


def _play(events: list[Event]) -> None:
    """In the order of their times, by the same doors as real devices."""
    for number, event in enumerate(sorted(events, key=lambda event: event.at)):
        if event.address:
            broker_auth.connect(broker=event.broker, presented=event.presented, address=event.address, at=event.at)
        elif event.broker.tells_departures:
            broker_auth.disconnected(broker=event.broker, mqtt_client_id=event.presented.client_id, at=event.at)
        if not number % AT_ONCE:
            recorder.flush(30)
    recorder.flush(30)


def _decide(now: datetime) -> None:
    """An operator has kept one of three, and the broker does not answer yet."""
    center = DataCenter.objects.get(code=PLACES[0][0])
    device = Device.objects.at(center).with_several_client_ids().order_by("-pk")[0]
    keep = ClientIdentity.objects.of(device)[0].client_id
    client_ids.switch(device, keep=keep, reason="The two others are copies from a grey market.", by=DEMO, at=now)
    for order in DisconnectOrder.objects.of(device).waiting():
        disconnecting.order_failed(order, "The broker did not answer: connection refused.", at=now)
