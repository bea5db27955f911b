"""The vocabulary of devices."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q

from products.models import DataCenter, Product

if TYPE_CHECKING:
    from devices.models import Device, PreImportedDevice  # noqa: F401


class PreImportedDeviceQuerySet(models.QuerySet["PreImportedDevice"]):
    def of(self, product: Product) -> Self:
        return self.filter(product_id=product.pk)

    def named(self, product_id: int, device_name: str) -> "PreImportedDevice | None":
        return self.filter(product_id=product_id, device_name=device_name).first()


class DeviceQuerySet(models.QuerySet["Device"]):
    def at(self, data_center: DataCenter) -> Self:
        """The device list of one data center: its database and its rows."""
        return self.using(data_center.database).filter(data_center_id=data_center.pk)

    def of(self, product: Product) -> Self:
        return self.filter(product_id=product.pk)

    def disabled(self) -> Self:
        return self.filter(enabled=False)

    def inactive(self) -> Self:
        return self.filter(enabled=True, activated_at=None)

    def online(self) -> Self:
        return self.filter(enabled=True, activated_at__isnull=False, last_online_at__isnull=False).filter(
            Q(last_offline_at=None) | Q(last_offline_at__lt=F("last_online_at"))
        )

    def offline(self) -> Self:
        return self.filter(enabled=True, activated_at__isnull=False).filter(
            Q(last_online_at=None) | Q(last_offline_at__gte=F("last_online_at"))
        )

    def in_state(self, state: str) -> Self:
        """`state`: one of devices.rules.lifecycle's four words."""
        words = {"disabled": self.disabled, "inactive": self.inactive, "online": self.online, "offline": self.offline}
        return words[state]()
