"""One-time codes that were sent."""

from django.db import models
from django_otp.models import SideChannelDevice


class VerificationCode(SideChannelDevice):
    """A one-time code asked for by one person for one purpose; void after five minutes or three wrong tries (console.verification)."""

    purpose = models.CharField(max_length=64)
    failures = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "purpose"], name="verification_one_code_for_a_purpose")]
