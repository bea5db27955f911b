"""The device log of each data center (A14), the figures kept of it, and the nonces that may not come back.

All of them live in the data center's own database, so no foreign key is checked there.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from products.models import Broker, DataCenter, Product
from registration.decision_codes import DecisionCode
from registration.protocols.wire import MAX_TEXT
from registration.querysets import CertificateTicketQuerySet, DeviceLogEntryQuerySet, UsedNonceQuerySet


class DeviceEvent(models.TextChoices):
    REGISTRATION = "registration", _("Registration")
    CONNECTION = "connection", _("Connection")
    DISCONNECTION = "disconnection", _("Disconnection")


class DeviceLogEntry(models.Model):
    """One attempt of a device, accepted or refused.

    `client_id`: the issued ClientID of a preregistration-free device. `product_key` and `device_name` are as the device sent them
    (empty where the request could not be read); `device_name` is in its stored form where the product has a rule for it.
    `path`: the decision in whole sentences, in order. `facts`: what belongs to it and differs each time (the text that should have
    been signed, the clock's skew); never a secret or a signature.
    """

    lives_in_data_center = True

    at = models.DateTimeField(_("time"))
    data_center = models.ForeignKey(
        DataCenter, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+", verbose_name=_("data center")
    )
    product = models.ForeignKey(
        Product, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+", verbose_name=_("product")
    )
    product_key = models.CharField(_("ProductKey"), max_length=MAX_TEXT, blank=True)
    device_name = models.CharField(_("DeviceName"), max_length=MAX_TEXT, blank=True)
    client_id = models.CharField(_("ClientID"), max_length=32, blank=True)
    event = models.CharField(_("event"), max_length=16, choices=DeviceEvent.choices, default=DeviceEvent.REGISTRATION)
    protocol = models.CharField(_("protocol"), max_length=16)
    address = models.GenericIPAddressField(_("address"), null=True)
    code = models.CharField(_("decision"), max_length=32, choices=DecisionCode.choices)
    accepted = models.BooleanField(_("accepted"))
    path = models.JSONField(_("path of the decision"), default=list)
    facts = models.JSONField(_("facts"), default=dict)
    request_id = models.UUIDField(_("request"))

    objects = DeviceLogEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("device log entry")
        verbose_name_plural = _("device log")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["data_center", "id"], name="device_log_center"),
            models.Index(fields=["data_center", "product_key", "id"], name="device_log_product"),
            models.Index(
                fields=["data_center", "device_name", "id"],
                name="device_log_name",
                opclasses=["int8_ops", "varchar_pattern_ops", "int8_ops"],
            ),
            models.Index(fields=["data_center", "client_id", "id"], condition=~models.Q(client_id=""), name="device_log_client_id"),
            models.Index(fields=["data_center", "address", "id"], condition=models.Q(address__isnull=False), name="device_log_address"),
            models.Index(fields=["data_center", "id"], condition=models.Q(accepted=False), name="device_log_refused"),
            models.Index(fields=["at"], name="device_log_at"),
            models.Index(fields=["request_id"], name="device_log_request"),
        ]

    def __str__(self) -> str:
        return self.device_name or self.product_key or str(self.request_id)


class UsedNonce(models.Model):
    """A nonce that verified once. `expires_at`: from then on its timestamp is outside the window anyway."""

    lives_in_data_center = True

    product = models.ForeignKey(Product, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    nonce = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    objects = UsedNonceQuerySet.as_manager()

    class Meta:
        verbose_name = _("used nonce")
        verbose_name_plural = _("used nonces")
        constraints = [models.UniqueConstraint(fields=["product", "nonce"], name="used_nonce_once")]
        indexes = [models.Index(fields=["expires_at"], name="used_nonce_expiry")]

    def __str__(self) -> str:
        return self.nonce


class CertificateTicket(models.Model):
    """Certificates that the registrar keeps for a broker's question (registration/services/certificate_tickets.py).

    `digest`: SHA-256 of the ticket in hex; `chain`: DER in base64, the device's own first. In the center's database.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    chain = models.JSONField()
    expires_at = models.DateTimeField()

    objects = CertificateTicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("certificate ticket")
        verbose_name_plural = _("certificate tickets")
        default_permissions = ()
        indexes = [models.Index(fields=["expires_at"], name="certificate_ticket_expiry")]

    def __str__(self) -> str:
        return self.digest[:8]


class BrokerState(models.Model):
    """How the link to a broker stands: when it last answered, and what went wrong since. Written by the link alone."""

    lives_in_data_center = True

    broker = models.OneToOneField(Broker, on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="+")
    ok_at = models.DateTimeField(_("last answer"), null=True)
    error = models.CharField(_("error"), max_length=300, blank=True)
    error_at = models.DateTimeField(_("error since"), null=True)

    class Meta:
        verbose_name = _("state of a broker")
        verbose_name_plural = _("states of brokers")

    def __str__(self) -> str:
        return str(self.broker_id)


class HourlyFigure(models.Model):
    """How many log entries there were in the hour that begins at `hour` (whole hours of UTC). `product_id` is 0 where no product was
    recognised: a plain number, since what is NULL is never the same twice. Written by registration.services.figure_keeping alone."""

    lives_in_data_center = True

    hour = models.DateTimeField(_("hour"))
    data_center = models.ForeignKey(DataCenter, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    product_id = models.BigIntegerField(_("product"), default=0)
    event = models.CharField(_("event"), max_length=16, choices=DeviceEvent.choices)
    code = models.CharField(_("decision"), max_length=32, choices=DecisionCode.choices)
    count = models.PositiveBigIntegerField(_("entries"), default=0)

    class Meta:
        verbose_name = _("hourly figure")
        verbose_name_plural = _("hourly figures")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["data_center", "hour", "product_id", "event", "code"], name="hourly_figure_once")]
        indexes = [models.Index(fields=["hour"], name="hourly_figure_hour")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.event} {self.code}: {self.count}"


class FleetFigure(models.Model):
    """How many devices of a product a data center's list held when they were last counted (FigureState.fleet_at)."""

    lives_in_data_center = True

    data_center = models.ForeignKey(DataCenter, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    product_id = models.BigIntegerField(_("product"))
    registered = models.PositiveIntegerField(_("registered"), default=0)
    activated = models.PositiveIntegerField(_("activated"), default=0)
    online = models.PositiveIntegerField(_("online"), default=0)
    disabled = models.PositiveIntegerField(_("disabled"), default=0)

    class Meta:
        verbose_name = _("figure of a device list")
        verbose_name_plural = _("figures of device lists")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["data_center", "product_id"], name="fleet_figure_once")]

    def __str__(self) -> str:
        return f"{self.product_id}: {self.registered}"


class FigureState(models.Model):
    """How far this database's figures are; one row. Every log entry up to the number `counted_to` is in the hourly figures, and every one
    that was written before `counted_at`. `seen_to` is how far the next count goes; it was read at `seen_at`, when the transactions of
    `writers` were writing to the log (in PostgreSQL's words; none on SQLite, which has one writer). `fleet_seconds`: how long the devices'
    last count took."""

    lives_in_data_center = True
    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    counted_to = models.BigIntegerField(default=0)
    counted_at = models.DateTimeField(null=True)
    seen_to = models.BigIntegerField(default=0)
    seen_at = models.DateTimeField(null=True)
    writers = models.JSONField(default=list)
    fleet_at = models.DateTimeField(null=True)
    fleet_seconds = models.FloatField(default=0)

    class Meta:
        verbose_name = _("state of the figures")
        verbose_name_plural = _("states of the figures")
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="figure_state_one_row")]

    def __str__(self) -> str:
        return f"counted to {self.counted_to}"
