"""The physical devices behind one preregistration-free name (A4, A9)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from console.shared.fields import SealedField
from devices.models.device import Device
from devices.querysets import ClientIdentityQuerySet


class IdentityStatus(models.TextChoices):
    ALLOWED = "allowed", _("Allowed")
    SWITCHED_OFF = "switched_off", _("Forbidden by Switch")
    CLEARED = "cleared", _("Forbidden by Clear")


class ClientIdentity(models.Model):
    """One physical device: the ClientID that it was issued, and a sealed SHA-256 of its DeviceToken, which nobody can read again.

    `first_connected_at`: when it was activated; only then does it count among the five of its name (Device.client_ids_active).
    """

    lives_in_data_center = True

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="identities", verbose_name=_("device"))
    client_id = models.CharField(_("ClientID"), max_length=32)
    sealed_token_digest = SealedField(owner="token_owner")
    status = models.CharField(_("status"), max_length=12, choices=IdentityStatus.choices, default=IdentityStatus.ALLOWED)
    status_at = models.DateTimeField(_("status since"))
    issued_at = models.DateTimeField(_("issued"))
    first_connected_at = models.DateTimeField(_("first connection"), null=True)
    last_connected_at = models.DateTimeField(_("last connection"), null=True)
    last_disconnected_at = models.DateTimeField(_("last disconnection"), null=True)
    last_address = models.GenericIPAddressField(_("last address"), null=True)

    objects = ClientIdentityQuerySet.as_manager()

    class Meta:
        verbose_name = _("ClientID")
        verbose_name_plural = _("ClientIDs")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["client_id"], name="client_id_unique")]
        indexes = [
            models.Index(fields=["device", "first_connected_at"], name="client_id_device"),
            models.Index(fields=["issued_at"], condition=models.Q(first_connected_at=None), name="client_id_pending"),
        ]

    def __str__(self) -> str:
        return self.client_id

    def token_owner(self) -> bytes:
        return token_owner(self.client_id)

    @property
    def is_allowed(self) -> bool:
        return self.status == IdentityStatus.ALLOWED


def token_owner(client_id: str) -> bytes:
    return b"device token " + client_id.encode()
