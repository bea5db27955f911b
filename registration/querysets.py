"""The vocabulary of the device log and of used nonces."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models

from products.models import DataCenter

if TYPE_CHECKING:
    from registration.models import CertificateTicket, DeviceLogEntry, UsedNonce  # noqa: F401


class DeviceLogEntryQuerySet(models.QuerySet["DeviceLogEntry"]):
    def at(self, data_center: DataCenter) -> Self:
        """The log of one data center: its database and its rows."""
        return self.using(data_center.database).filter(data_center_id=data_center.pk)

    def of_product(self, product_key: str) -> Self:
        """By the ProductKey as devices sent it, so that attempts for unknown products can be found too."""
        return self.filter(product_key=product_key)

    def of_products(self, product_keys: Collection[str] | None) -> Self:
        """None: of all, and of requests that name no product."""
        return self if product_keys is None else self.filter(product_key__in=product_keys)

    def of_device(self, product_key: str, device_name: str) -> Self:
        return self.filter(product_key=product_key, device_name=device_name)

    def refused(self) -> Self:
        return self.filter(accepted=False)

    def accepted(self) -> Self:
        """Let in; the end of a connection is neither."""
        return self.filter(accepted=True, code="accepted")

    def older_than(self, moment: datetime) -> Self:
        return self.filter(at__lt=moment)


class UsedNonceQuerySet(models.QuerySet["UsedNonce"]):
    def expired(self, at: datetime) -> Self:
        """Nonces whose timestamp has left the window: a replay of them is refused by the clock alone."""
        return self.filter(expires_at__lt=at)


class CertificateTicketQuerySet(models.QuerySet["CertificateTicket"]):
    def expired(self, at: datetime) -> Self:
        """Tickets that nobody redeemed in time: the broker was away, or refused by itself."""
        return self.filter(expires_at__lt=at)
