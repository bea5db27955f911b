"""Who appears in the tests with a real RabbitMQ."""

from collections.abc import Callable

from console.shared import keyring
from devices.models import Device, PreImportedDevice
from registration.models import BrokerState
from registration.protocols import alibaba_connect
from registration.protocols.connecting import DeviceCredentials, Presented
from tests import cast
from tests.registration.paho_device import PahoDevice

NAME = "0015A3B4C5D6"
Start = Callable[..., PahoDevice]


def credentials(row: PreImportedDevice) -> DeviceCredentials:
    return DeviceCredentials(row.product.key, row.device_name, keyring.unseal(row.sealed_secret, owner=row.secret_owner()))


def alibaba(row: PreImportedDevice, client_id: str = "") -> Presented:
    """`client_id`: another one than the SDK's; it is not what was signed."""
    made = alibaba_connect.compose(credentials(row), cast.NOON, 1)
    return Presented(client_id or made.client_id, made.username, made.password)


def device_of(row: PreImportedDevice) -> Device:
    return Device.objects.at(cast.home()).get(product_id=row.product_id, device_name=row.device_name)


def is_online() -> bool:
    return Device.objects.at(cast.home()).online().exists()


def link_is_ready() -> bool:
    """It hears the broker's events, and the broker answers it."""
    return BrokerState.objects.filter(ok_at__isnull=False, error="").exists()
