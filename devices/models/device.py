"""The device lists: one for each data center, reached through Device.objects.at(data_center) alone."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from console.shared.fields import SealedField
from devices.models.pre_import import Authentication, device_secret_owner
from devices.querysets import DeviceQuerySet
from devices.rules import lifecycle
from devices.rules.client_ids import MAX_ACTIVE
from products.models import DataCenter, Product


class DeviceOrigin(models.TextChoices):
    PRE_IMPORT = "pre_import", _("Pre-import list")
    AUTO_CREATED = "auto_created", _("Created automatically")
    PREREGISTRATION_FREE = "prereg_free", _("Preregistration-free")


class Device(models.Model):
    """One device in one data center. It copied what it was imported with (Q2) and goes its own way from there (Q3).

    `registered_at`: when it was last handed its secret. `activated_at`: its first accepted connection with it.
    `certificate_fingerprint`: of the certificate that is expected of it, as it was typed, or SHA-256 of the one that was taken; what is
    known of that certificate is in its DeviceCertificate, which decides.
    `last_seen_at`: when it last connected through a broker that does not say when a device leaves.
    `client_ids_active`: how many physical devices are activated and allowed under the name (A9), moved by conditional updates alone.
    `switched_at`: since when one of them is the device and no further one may register, until Clear.
    No foreign key is checked by the database: the list may live in another one than the products.
    """

    lives_in_data_center = True

    data_center = models.ForeignKey(
        DataCenter, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+", verbose_name=_("data center")
    )
    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("product")
    )
    device_name = models.CharField(_("DeviceName"), max_length=64)
    nickname = models.CharField(_("device name"), max_length=64, blank=True)
    sn = models.CharField(_("SN"), max_length=64, blank=True)
    authentication = models.CharField(_("authentication"), max_length=8, choices=Authentication.choices)
    origin = models.CharField(_("origin"), max_length=12, choices=DeviceOrigin.choices, default=DeviceOrigin.PRE_IMPORT)
    sealed_secret = SealedField(owner="secret_owner")
    certificate_fingerprint = models.CharField(_("certificate fingerprint"), max_length=64, blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    created_at = models.DateTimeField(_("added"))
    registered_at = models.DateTimeField(_("registered"), null=True, blank=True)
    activated_at = models.DateTimeField(_("activated"), null=True, blank=True)
    last_online_at = models.DateTimeField(_("last online"), null=True, blank=True)
    last_offline_at = models.DateTimeField(_("last offline"), null=True, blank=True)
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    client_ids_active = models.PositiveSmallIntegerField(_("active ClientIDs"), default=0, editable=False)
    switched_at = models.DateTimeField(_("switched"), null=True, blank=True, editable=False)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        ordering = ["-id"]
        permissions = [
            ("reveal_device_secret", _("Can read DeviceSecrets")),
            ("switch_client_id", _("Can switch and clear ClientIDs")),
            ("reset_device", _("Can reset devices")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["data_center", "product", "device_name"], name="device_name_unique"),
            models.CheckConstraint(condition=Q(last_online_at=None) | Q(activated_at__isnull=False), name="device_online_only_activated"),
            models.CheckConstraint(condition=Q(client_ids_active__lte=MAX_ACTIVE), name="device_at_most_five_client_ids"),
        ]
        indexes = [
            models.Index(fields=["data_center", "product", "id"], name="device_product"),
            models.Index(fields=["data_center", "id"], name="device_center"),
            models.Index(fields=["data_center", "device_name"], name="device_by_name", opclasses=["int8_ops", "varchar_pattern_ops"]),
            models.Index(fields=["data_center", "sn"], condition=~Q(sn=""), name="device_by_sn"),
            models.Index(
                fields=["data_center", "certificate_fingerprint"], condition=~Q(certificate_fingerprint=""), name="device_by_fingerprint"
            ),
            models.Index(fields=["data_center", "activated_at"], condition=Q(activated_at__isnull=False), name="device_activated"),
            models.Index(fields=["data_center", "id"], condition=Q(enabled=False), name="device_disabled"),
            models.Index(fields=["data_center", "product", "id"], condition=Q(client_ids_active__gt=1), name="device_several_client_ids"),
            models.Index(fields=["data_center", "product", "id"], condition=Q(switched_at__isnull=False), name="device_switched"),
        ]

    def __str__(self) -> str:
        return self.device_name

    def secret_owner(self) -> bytes:
        return device_secret_owner(self.product_id, self.device_name)

    @property
    def state(self) -> str:
        """One of devices.rules.lifecycle's five words."""
        return lifecycle.state(
            enabled=self.enabled,
            activated_at=self.activated_at,
            last_online_at=self.last_online_at,
            last_offline_at=self.last_offline_at,
            last_seen_at=self.last_seen_at,
        )
