"""Keys of programs that use the management API."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

REQUESTS_PER_MINUTE = 600
SOON = timedelta(days=14)


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def live(self, at: datetime) -> Self:
        """Neither revoked nor expired."""
        return self.filter(revoked_at=None, expires_at__gt=at)

    def expiring(self, at: datetime) -> Self:
        """Live ones that are over within two weeks."""
        return self.live(at).filter(expires_at__lte=at + SOON)


class ApiKey(models.Model):
    """A program's key: shown once, stored as a digest (SHA-256, hex).

    `beginning`: its first characters, so that a person finds the key that a program uses. `actions`: names of permissions
    ("devices.view_batch"); the key can do no more than these, and no more than its owner may do at that moment. `every_product`: of all
    products that its owner sees; else of those in products.ProductAccess alone. `requests_in_minute`: how many came in the `minute` that
    began then, counted by one conditional update for each request, so that all processes share the count.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("owner"))
    name = models.CharField(_("name"), max_length=64)
    beginning = models.CharField(_("key"), max_length=16)
    digest = models.CharField(max_length=64, editable=False)
    actions = models.JSONField(_("actions"), default=list)
    every_product = models.BooleanField(_("every product"), default=False)
    requests_per_minute = models.PositiveIntegerField(_("requests a minute"), default=REQUESTS_PER_MINUTE)
    created_at = models.DateTimeField(_("made"))
    expires_at = models.DateTimeField(_("valid until"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    last_used_address = models.CharField(_("last used from"), max_length=45, blank=True)
    minute = models.DateTimeField(null=True, editable=False)
    requests_in_minute = models.PositiveIntegerField(default=0, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-id"]
        default_permissions = ("add", "view", "delete")
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="api_key_digest_unique"),
            models.CheckConstraint(condition=Q(expires_at__gt=models.F("created_at")), name="api_key_expires_after_it_was_made"),
        ]

    def __str__(self) -> str:
        return self.name

    def expires_soon(self, at: datetime) -> bool:
        """Still live, and over within two weeks."""
        return self.revoked_at is None and at < self.expires_at <= at + SOON
