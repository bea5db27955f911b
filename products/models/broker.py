"""The MQTT brokers of the data centers: who may ask about a device, and how one of its clients is dropped."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from console.shared.fields import SealedField
from products.models.data_center import DataCenter


class BrokerKind(models.TextChoices):
    RABBITMQ = "rabbitmq", _("RabbitMQ")
    EMQX = "emqx", _("EMQX")
    VERNEMQ = "vernemq", _("VerneMQ")
    MOSQUITTO = "mosquitto", _("Mosquitto with go-auth")
    NANOMQ = "nanomq", _("NanoMQ")
    EMBEDDED = "embedded", _("Embedded")
    NGINX = "nginx", _("nginx, for devices with certificates")
    HAPROXY = "haproxy", _("HAProxy, for devices with certificates")
    ENVOY = "envoy", _("Envoy, for devices with certificates")


GATEWAYS = frozenset({BrokerKind.NGINX, BrokerKind.HAPROXY, BrokerKind.ENVOY})
"""No brokers: proxies that end a device's mutual TLS and ask over HTTP whether it may come in. Nothing stays connected there."""


DROPPING = frozenset({BrokerKind.RABBITMQ, BrokerKind.EMQX, BrokerKind.VERNEMQ, BrokerKind.EMBEDDED})
TELLING = frozenset({BrokerKind.RABBITMQ, BrokerKind.EMQX, BrokerKind.VERNEMQ, BrokerKind.NANOMQ, BrokerKind.EMBEDDED})


class Broker(models.Model):
    """One broker of one data center. It proves itself with its hook secret, of which `hook_digest` is the SHA-256 as 64 hex digits.

    `management_url` with user and secret is where clients are dropped (RabbitMQ: management plugin; EMQX, VerneMQ: HTTP API);
    the events' URL (amqp://user:secret@host/vhost, RabbitMQ alone) is where it tells who came and left.
    """

    data_center = models.ForeignKey(DataCenter, on_delete=models.PROTECT, related_name="brokers", verbose_name=_("data center"))
    name = models.CharField(_("name"), max_length=64)
    kind = models.CharField(_("kind"), max_length=12, choices=BrokerKind.choices)
    enabled = models.BooleanField(_("enabled"), default=True)
    hook_digest = models.CharField(max_length=64, editable=False)
    sealed_hook_secret = SealedField(owner="owner")
    management_url = models.CharField(_("management URL"), max_length=200, blank=True)
    management_user = models.CharField(_("management user"), max_length=64, blank=True)
    sealed_management_secret = SealedField(owner="owner")
    sealed_events_url = SealedField(owner="owner")
    vhost = models.CharField(_("virtual host"), max_length=64, blank=True, default="/")

    class Meta:
        verbose_name = _("broker")
        verbose_name_plural = _("brokers")
        ordering = ["data_center", "name"]
        permissions = [("reveal_hook_secret", _("Can read hook secrets"))]
        constraints = [
            models.UniqueConstraint(fields=["data_center", "name"], name="broker_name_unique"),
            models.UniqueConstraint(fields=["hook_digest"], name="broker_hook_unique"),
            models.UniqueConstraint(fields=["data_center"], condition=models.Q(kind="embedded"), name="broker_one_embedded"),
        ]

    def __str__(self) -> str:
        return self.name

    def owner(self) -> bytes:
        return f"broker {self.pk}".encode()

    @property
    def is_gateway(self) -> bool:
        """Whether it is a proxy, where nothing stays connected."""
        return self.kind in GATEWAYS

    @property
    def can_drop(self) -> bool:
        """Whether a connected client can be cut off there, or only refused the next time."""
        return self.kind in DROPPING

    @property
    def tells_departures(self) -> bool:
        """Whether it says when a client leaves: without that, nobody knows that a device is offline."""
        return self.kind in TELLING
