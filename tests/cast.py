"""The cast of the tests: the same few products, devices and data centers everywhere, made through the services."""

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import get_user_model

from console.shared.actors import Actor
from devices.models import Authentication, Device, PreImportedDevice
from devices.services import connections, pre_import
from products.models import DataCenter, Product
from products.services import data_centers, lookup, products, supply

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OPERATOR = Actor("olga", None, "192.0.2.7")
PASSWORD = "correct horse battery staple"


def home() -> DataCenter:
    """The home data center, Shanghai."""
    found = DataCenter.objects.filter(is_home=True).first()
    return found or _center("cn-shanghai", "Shanghai", ["shanghai.devices.test"], is_home=True)


def frankfurt() -> DataCenter:
    found = DataCenter.objects.filter(code="eu-frankfurt").first()
    return found or _center("eu-frankfurt", "Frankfurt", ["frankfurt.devices.test"])


def _center(code: str, name: str, hosts: list[str], *, is_home: bool = False) -> DataCenter:
    center = DataCenter(is_home=is_home)
    return data_centers.save(center, code=code, name=name, database="default", hosts=hosts, by=OPERATOR, at=NOON)


def kettle(**switches: object) -> Product:
    """An Alibaba product whose DeviceNames are MAC addresses: published, its door open, 1,000 activation codes."""
    return _product("Kettle", "alibaba", "mqtt", "mac", "a1ExpAkj9Hi", "h1nQFYPZS0mW1234", switches)


def lamp(**switches: object) -> Product:
    """An Alibaba product with free DeviceNames: published, its door open."""
    return _product("Lamp", "alibaba", "mqtt", "free", "a1LampKey01", "LampSecret123456", switches)


def tracker(**switches: object) -> Product:
    """A Tencent product with free DeviceNames: published, its door open."""
    return _product("Tracker", "tencent", "mqtt", "free", "L4WG9V9M2M", "hzvf5LF9S0isvBhDSauWMaIk", switches)


def meter(**switches: object) -> Product:
    """A native product whose DeviceNames are IMEIs: published, its door open."""
    return _product("Meter", "native", "lwm2m", "imei", "a1MeterKey9", "MeterSecret12345", switches)


def _product(name: str, wire: str, network: str, kind: str, key: str, secret: str, switches: dict[str, object]) -> Product:
    new = products.NewProduct(name=name, wire_protocol=wire, network_protocol=network, device_name_kind=kind, key=key, secret=secret)
    product = products.create(new, by=OPERATOR, at=NOON)
    supply.grant_codes(product, quantity=1000, by=OPERATOR, at=NOON)
    facts = {"status": "published", "dynamic_registration": True, "per_product_secret": True} | switches
    Product.objects.filter(pk=product.pk).update(**facts)
    lookup.forget()
    product.refresh_from_db()
    return product


def row(product: Product, device_name: str, authentication: str = Authentication.DYNAMIC, **facts: str) -> PreImportedDevice:
    """A pre-imported device."""
    new = pre_import.NewRow(device_name=device_name, authentication=authentication, **facts)
    return pre_import.add(product, new, by=OPERATOR, at=NOON)


def administrator(name: str = "admin") -> Any:
    return get_user_model().objects.create_superuser(name, f"{name}@example.com", PASSWORD)


def activate(device: Device, *, at: datetime = NOON) -> bool:
    """The device connects with its own secret; True for the connection that activates it. Raises a Refused."""
    where = {"data_center": device.data_center, "product_id": device.product_id, "device_name": device.device_name}
    return connections.admit(connections.look_up(**where), **where, by_token=False, at=at).first
