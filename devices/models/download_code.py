"""Download codes: who holds one may have one file of one batch, without an account (Q8)."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from devices.models.batch import Batch, FileFormat


class DownloadCodeQuerySet(models.QuerySet["DownloadCode"]):
    def live(self, at: datetime) -> Self:
        """Neither revoked nor expired nor used up."""
        return self.filter(revoked_at=None, expires_at__gt=at, uses__lt=F("uses_allowed"))


class CodeState(models.TextChoices):
    LIVE = "live", _("Valid")
    USED_UP = "used_up", _("Used up")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")


class DownloadCode(models.Model):
    """The code itself is shown once; stored is its digest (SHA-256, hex). `beginning`: its first characters, by which people know it.

    `note`: for whom it was made. `uses` is moved by a conditional update whose condition is `uses_allowed`.
    """

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="download_codes", verbose_name=_("batch"))
    format = models.CharField(_("format"), max_length=16, choices=FileFormat.choices)
    digest = models.CharField(max_length=64, editable=False)
    beginning = models.CharField(_("begins with"), max_length=8)
    note = models.CharField(_("for whom"), max_length=200)
    made_at = models.DateTimeField(_("made"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("made by")
    )
    expires_at = models.DateTimeField(_("valid until"))
    uses_allowed = models.PositiveSmallIntegerField(_("times allowed"), default=1)
    uses = models.PositiveSmallIntegerField(_("times used"), default=0)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    last_used_address = models.CharField(_("last used from"), max_length=45, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    revoke_reason = models.CharField(_("reason of the revocation"), max_length=200, blank=True)

    objects = DownloadCodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("download code")
        verbose_name_plural = _("download codes")
        ordering = ["-id"]
        default_permissions = ("add", "view", "delete")
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="download_code_digest_unique"),
            models.CheckConstraint(condition=Q(uses_allowed__gte=1), name="download_code_allows_a_use"),
            models.CheckConstraint(condition=Q(uses__lte=F("uses_allowed")), name="download_code_uses_within_allowed"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("made_at")), name="download_code_expires_after_it_was_made"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """What it is called in lists and in the audit log."""
        return f"D{self.pk:06d}"

    @property
    def uses_left(self) -> int:
        return self.uses_allowed - self.uses

    def state(self, at: datetime) -> CodeState:
        if self.revoked_at is not None:
            return CodeState.REVOKED
        if not self.uses_left:
            return CodeState.USED_UP
        return CodeState.EXPIRED if self.expires_at <= at else CodeState.LIVE


class FailedRedemptionQuerySet(models.QuerySet["FailedRedemption"]):
    def recent(self, at: datetime, window: timedelta) -> Self:
        return self.filter(at__gt=at - window)


class FailedRedemption(models.Model):
    """Somebody at this address (of IPv6 its /64 network) presented a code that opens nothing: after a few, no code is looked at."""

    address = models.CharField(max_length=45)
    at = models.DateTimeField()

    objects = FailedRedemptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("failed redemption")
        verbose_name_plural = _("failed redemptions")
        default_permissions = ()
        indexes = [
            models.Index(fields=["address", "at"], name="failed_redemption_recent"),
            models.Index(fields=["at"], name="failed_redemption_at"),
        ]

    def __str__(self) -> str:
        return self.address
