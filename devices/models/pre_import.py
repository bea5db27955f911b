"""The pre-import list: one for the account, valid in every data center (Q1)."""

from collections.abc import Iterable

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from console.shared.fields import SealedField
from devices.querysets import PreImportedDeviceQuerySet
from products.models import Product


class Authentication(models.TextChoices):
    DYNAMIC = "dynamic", _("Dynamic")
    STATIC = "static", _("Static")
    X509 = "x509", _("X.509")


def device_secret_owner(product_id: int, device_name: str) -> bytes:
    """Who a DeviceSecret belongs to.

    The same for the pre-import row and the device made from it, so that an envelope can be copied between them.
    """
    return f"device secret|{product_id}|{device_name}".encode()


def device_secret_owners(product_id: int, device_names: Iterable[str]) -> list[bytes]:
    """The same for many names, in their order."""
    start = device_secret_owner(product_id, "")
    return [start + name.encode() for name in device_names]


class PreImportedDevice(models.Model):
    """A device that may come. No foreign key is checked by the database here: half a million rows are stored at once, and
    neither products nor batches are ever deleted while rows name them (PROTECT)."""

    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("product")
    )
    device_name = models.CharField(_("DeviceName"), max_length=64)
    nickname = models.CharField(_("device name"), max_length=64, blank=True)
    sn = models.CharField(_("SN"), max_length=64, null=True, blank=True)  # noqa: DJ001 -- unique where given, so none is NULL
    authentication = models.CharField(_("authentication"), max_length=8, choices=Authentication.choices, default=Authentication.DYNAMIC)
    sealed_secret = SealedField(owner="secret_owner")
    certificate_fingerprint = models.CharField(_("certificate fingerprint"), max_length=64, blank=True)
    batch = models.ForeignKey(
        "devices.Batch",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("batch"),
    )
    created_at = models.DateTimeField(_("added"))

    objects = PreImportedDeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("pre-imported device")
        verbose_name_plural = _("pre-import list")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["product", "device_name"], name="pre_import_name_unique"),
            models.UniqueConstraint(fields=["sn"], condition=Q(sn__isnull=False), name="pre_import_sn_unique"),
            models.CheckConstraint(condition=~Q(sn=""), name="pre_import_sn_not_empty"),
        ]
        indexes = [
            models.Index(fields=["batch", "id"], condition=Q(batch__isnull=False), name="pre_import_batch"),
            models.Index(fields=["product", "id"], name="pre_import_product"),
            models.Index(fields=["device_name"], name="pre_import_name", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["certificate_fingerprint"], condition=~Q(certificate_fingerprint=""), name="pre_import_fingerprint"),
        ]

    def __str__(self) -> str:
        return self.device_name

    def secret_owner(self) -> bytes:
        return device_secret_owner(self.product_id, self.device_name)
