"""Who was connected, from where, from when to when: the evidence of a clone (N8), and what a cut has to find."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from devices.models.client_identity import ClientIdentity
from devices.models.device import Device
from devices.querysets import ConnectionQuerySet
from products.models import Broker


class ConnectionEnd(models.TextChoices):
    LEFT = "left", _("Left")
    TAKEN_OVER = "taken_over", _("Taken over by a newer connection")
    CUT = "cut", _("Cut off")
    LOST = "lost", _("Found gone")


class Connection(models.Model):
    """One accepted connection of a device at a broker. Open while `disconnected_at` is empty; at a broker that does not tell
    departures it stays so until the next one with the same MQTT client id, and says only that the device was there.

    `mqtt_client_id`: as the broker knows it, parameters included. `session`: the broker's own name for it, where it has told one.
    """

    lives_in_data_center = True

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="connections", verbose_name=_("device"))
    identity = models.ForeignKey(
        ClientIdentity, null=True, on_delete=models.CASCADE, related_name="connections", verbose_name=_("ClientID")
    )
    broker = models.ForeignKey(
        Broker, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+", verbose_name=_("broker")
    )
    mqtt_client_id = models.CharField(_("MQTT client id"), max_length=512)
    session = models.CharField(_("session"), max_length=200, blank=True)
    address = models.GenericIPAddressField(_("address"), null=True)
    connected_at = models.DateTimeField(_("connected"))
    disconnected_at = models.DateTimeField(_("disconnected"), null=True)
    ended = models.CharField(_("ended"), max_length=12, choices=ConnectionEnd.choices, blank=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["device", "connected_at"], name="connection_device"),
            models.Index(fields=["broker", "mqtt_client_id"], condition=models.Q(disconnected_at=None), name="connection_open"),
            models.Index(fields=["device"], condition=models.Q(disconnected_at=None), name="connection_open_device"),
            models.Index(fields=["disconnected_at"], name="connection_ended"),
        ]

    def __str__(self) -> str:
        return self.mqtt_client_id

    @property
    def is_open(self) -> bool:
        return self.disconnected_at is None
