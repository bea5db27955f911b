"""Demo data: a small fleet with a past, made through the same services as a real one, so that every page has something to show."""

import random
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import NamedTuple

from django.utils import timezone

from console.shared.actors import Actor
from devices.models import Device, MacBlockKind
from devices.rules import production as rules
from devices.services import batches, lifecycle, mac_pools, pre_import, production
from products.models import DataCenter, DeviceNameKind, NetworkProtocol, Product
from products.services import data_centers, lookup, products, supply
from registration.protocols.base import Credentials
from registration.services import enrolment
from registration.services.schemes import schemes

DEMO = Actor("demo")
PLACES = (("cn-shanghai", "Shanghai", "shanghai.devices.example"), ("eu-frankfurt", "Frankfurt", "frankfurt.devices.example"))
DAYS = 14


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
        Product.objects.filter(pk=product.pk).update(dynamic_registration=True, per_product_secret=True)
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


def _live(chance: random.Random, now: datetime) -> None:
    """Some have connected since, and one was put out of service."""
    for place in DataCenter.objects.all():
        found = list(Device.objects.at(place).order_by("pk"))
        for device in found:
            if chance.random() < 0.6:
                lifecycle.activate(device, at=min(now, device.created_at + timedelta(minutes=chance.randrange(1, 90))))
        if found:
            lifecycle.disable(found[0], reason="Returned by the customer", by=DEMO, at=now)
