"""Orders to cut a client off at its broker. They survive a dead broker and the device itself."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from devices.querysets import DisconnectOrderQuerySet
from products.models import Broker, DataCenter, Product


class CutReason(models.TextChoices):
    SWITCH = "switch", _("Another ClientID was kept")
    CLEAR = "clear", _("All ClientIDs were cleared")
    DISABLE = "disable", _("The device was disabled")
    DELETE = "delete", _("The device was deleted")
    EVICT = "evict", _("A newer connection has the same credential")
    CERTIFICATE = "certificate", _("Its certificate was revoked")
    FORBIDDEN = "forbidden", _("It came in while it was being forbidden")


class OrderOutcome(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    CUT = "cut", _("Cut off")
    GONE = "gone", _("Was not connected any more")
    NEXT_CONNECT = "next_connect", _("Takes effect at its next connection")


class DisconnectOrder(models.Model):
    """Written in the transaction that forbids the device; carried out and stamped by the link to the broker, retried until it answers.

    No foreign key leads to the device: an order to cut a deleted one must outlive it.
    `client_id`: the issued ClientID, empty for a device with a DeviceSecret. `next_try_at`: not before; always set while it waits.
    """

    lives_in_data_center = True

    data_center = models.ForeignKey(DataCenter, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    device_name = models.CharField(_("DeviceName"), max_length=64)
    client_id = models.CharField(_("ClientID"), max_length=32, blank=True)
    broker = models.ForeignKey(
        Broker, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+", verbose_name=_("broker")
    )
    mqtt_client_id = models.CharField(_("MQTT client id"), max_length=512)
    session = models.CharField(_("session"), max_length=200, blank=True)
    address = models.GenericIPAddressField(_("address"), null=True)
    connected_at = models.DateTimeField(_("connected"))
    reason = models.CharField(_("reason"), max_length=12, choices=CutReason.choices)
    made_at = models.DateTimeField(_("ordered"))
    made_by = models.CharField(_("ordered by"), max_length=150, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_try_at = models.DateTimeField(_("next attempt"))
    last_error = models.CharField(_("last error"), max_length=300, blank=True)
    done_at = models.DateTimeField(_("done"), null=True)
    outcome = models.CharField(_("outcome"), max_length=12, choices=OrderOutcome.choices, default=OrderOutcome.WAITING)

    objects = DisconnectOrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("disconnect order")
        verbose_name_plural = _("disconnect orders")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["broker", "next_try_at"], condition=models.Q(done_at=None), name="order_waiting"),
            models.Index(fields=["data_center", "product", "device_name"], name="order_device"),
            models.Index(fields=["done_at"], name="order_done"),
        ]

    def __str__(self) -> str:
        return f"{self.device_name} {self.client_id or self.mqtt_client_id}"

    @property
    def state(self) -> str:
        """The outcome's word, or "unreachable" for one that waits because its broker did not answer."""
        return "unreachable" if self.outcome == OrderOutcome.WAITING and self.last_error else self.outcome
