"""A product, its switches and its secrets."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from console.shared.fields import SealedField
from products.querysets import ProductQuerySet, ProductSecretQuerySet

DEVICE_QUOTA = 500_000


class ProductStatus(models.TextChoices):
    DEVELOPING = "developing", _("Developing")
    PUBLISHED = "published", _("Published")


class WireProtocol(models.TextChoices):
    NATIVE = "native", _("Nameplate (native)")
    ALIBABA = "alibaba", _("Alibaba Link SDK")
    TENCENT = "tencent", _("Tencent IoT SDK")


class NetworkProtocol(models.TextChoices):
    MQTT = "mqtt", _("MQTT")
    LWM2M = "lwm2m", _("LwM2M")
    COAP = "coap", _("CoAP")
    HTTP = "http", _("HTTP")
    BLUETOOTH = "bluetooth", _("Bluetooth")


class DeviceNameKind(models.TextChoices):
    MAC = "mac", _("MAC address")
    IMEI = "imei", _("IMEI")
    SN = "sn", _("Serial number")
    FREE = "free", _("Free text")


class FlashingMethod(models.TextChoices):
    PER_DEVICE = "per_device", _("Per-device secret")
    PER_PRODUCT = "per_product", _("Per-product secret")


class Reregistration(models.TextChoices):
    UNTIL_ACTIVATED = "until_activated", _("Until the device is activated")
    ONCE = "once", _("Once")


class Product(models.Model):
    """One model of device. The counters are moved by conditional updates alone (products.services.supply)."""

    name = models.CharField(_("name"), max_length=64)
    key = models.CharField(_("ProductKey"), max_length=20)
    status = models.CharField(_("status"), max_length=12, choices=ProductStatus.choices, default=ProductStatus.DEVELOPING)
    wire_protocol = models.CharField(_("wire protocol"), max_length=12, choices=WireProtocol.choices, default=WireProtocol.NATIVE)
    network_protocol = models.CharField(_("network protocol"), max_length=12, choices=NetworkProtocol.choices, default=NetworkProtocol.MQTT)
    device_name_kind = models.CharField(_("DeviceNames are"), max_length=8, choices=DeviceNameKind.choices, default=DeviceNameKind.MAC)

    per_product_secret = models.BooleanField(_("per-product secret"), default=False)
    dynamic_registration = models.BooleanField(_("dynamic registration"), default=False)
    auto_create = models.BooleanField(_("automatic creation"), default=False)
    auto_create_limit = models.PositiveIntegerField(_("automatic creation limit"), default=0)
    preregistration_free = models.BooleanField(_("preregistration-free"), default=False)
    reregistration = models.CharField(
        _("re-registration"), max_length=16, choices=Reregistration.choices, default=Reregistration.UNTIL_ACTIVATED
    )
    new_secret_each_time = models.BooleanField(_("new DeviceSecret at each registration"), default=False)

    device_quota = models.PositiveIntegerField(_("device quota"), default=DEVICE_QUOTA)
    devices_taken = models.PositiveIntegerField(_("devices of the quota"), default=0, editable=False)
    codes_granted = models.PositiveIntegerField(_("activation codes granted"), default=0, editable=False)
    codes_used = models.PositiveIntegerField(_("activation codes used"), default=0, editable=False)
    created_at = models.DateTimeField(_("created"))

    objects = ProductQuerySet.as_manager()

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["name"]
        permissions = [("see_every_product", _("Can see every product"))]
        constraints = [
            models.UniqueConstraint(fields=["key"], name="product_key_unique"),
            models.UniqueConstraint(fields=["name"], name="product_name_unique"),
            models.CheckConstraint(condition=Q(device_quota__lte=DEVICE_QUOTA), name="product_quota_at_most_500000"),
            models.CheckConstraint(condition=Q(devices_taken__lte=F("device_quota")), name="product_devices_within_quota"),
            models.CheckConstraint(condition=Q(codes_used__lte=F("codes_granted")), name="product_codes_within_grant"),
            models.CheckConstraint(condition=Q(auto_create_limit__lte=DEVICE_QUOTA), name="product_auto_create_limit_at_most_500000"),
            models.CheckConstraint(condition=Q(auto_create=False) | Q(auto_create_limit__gt=0), name="product_auto_create_has_limit"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.key})"

    @property
    def codes_left(self) -> int:
        return self.codes_granted - self.codes_used

    @property
    def devices_left(self) -> int:
        return self.device_quota - self.devices_taken

    @property
    def is_published(self) -> bool:
        return self.status == ProductStatus.PUBLISHED

    @property
    def allows_static(self) -> bool:
        """Only MQTT and LwM2M products hold static devices (Q5)."""
        return self.network_protocol in (NetworkProtocol.MQTT, NetworkProtocol.LWM2M)


class ProductSecret(models.Model):
    """A ProductSecret, live until `valid_until` (for ever where that is empty)."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="secrets", verbose_name=_("product"))
    sealed = SealedField(owner="owner")
    made_at = models.DateTimeField(_("made"))
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)

    objects = ProductSecretQuerySet.as_manager()

    class Meta:
        verbose_name = _("ProductSecret")
        verbose_name_plural = _("ProductSecrets")

    def __str__(self) -> str:
        return f"ProductSecret {self.pk} of product {self.product_id}"

    def owner(self) -> bytes:
        return b"product secret|%d" % self.product_id
