"""Where somebody is signed in."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SignInQuerySet(models.QuerySet["SignIn"]):
    def open(self, at: datetime) -> Self:
        """Neither ended nor timed out: what a browser can go on with."""
        idle = timedelta(minutes=settings.NAMEPLATE_SESSION_IDLE_MINUTES)
        longest = timedelta(seconds=settings.SESSION_COOKIE_AGE)
        return self.filter(ended_at=None, seen_at__gt=at - idle, started_at__gt=at - longest)

    def of_session(self, session: str) -> Self:
        return self.filter(session=session, ended_at=None)

    def older_than(self, at: datetime) -> Self:
        return self.filter(started_at__lt=at)


class SignIn(models.Model):
    """A session as its person sees it. `session`: the name under which the session's row is stored, a digest of what the browser holds.

    `seen_at` is written once a minute at most. `second_factor`: passed with a code, not with the password alone.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("user"))
    session = models.CharField(max_length=40, editable=False)
    started_at = models.DateTimeField(_("signed in"), db_index=True)
    seen_at = models.DateTimeField(_("last seen"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    address = models.CharField(_("address"), max_length=45, blank=True)
    browser = models.CharField(_("browser"), max_length=64, blank=True)
    second_factor = models.BooleanField(_("second factor"), default=False)

    objects = SignInQuerySet.as_manager()

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering = ["-id"]
        default_permissions = ()
        indexes = [models.Index(fields=["user", "-id"], name="sign_in_of_user")]
        constraints = [models.UniqueConstraint(fields=["session"], name="sign_in_session_unique")]

    def __str__(self) -> str:
        return f"{self.browser}, {self.address}" if self.address else self.browser
