"""The audit."""

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from console.shared import audit_actions


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """Append-only: nothing changes or goes."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("Audit entries are never changed.")

    def delete(self) -> NoReturn:
        raise TypeError("Audit entries are never deleted.")


class AuditEntry(models.Model):
    """Who did what to what, from where. `before` and `after` hold the changed facts, never a secret.

    Bulk work is one entry with a count.
    """

    at = models.DateTimeField(_("time"), db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    actor_name = models.CharField(_("who"), max_length=150)
    address = models.CharField(_("address"), max_length=45, blank=True)
    action = models.CharField(_("action"), max_length=64)
    target_type = models.CharField(_("kind"), max_length=64)
    target_id = models.CharField(max_length=64, blank=True)
    target_label = models.CharField(_("what"), max_length=200, blank=True)
    before = models.JSONField(_("before"), default=dict, blank=True)
    after = models.JSONField(_("after"), default=dict, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    count = models.PositiveIntegerField(_("count"), default=1)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["target_type", "target_id", "-id"], name="audit_target"),
            models.Index(fields=["action", "-id"], name="audit_action"),
            models.Index(fields=["actor_name", "-id"], name="audit_actor"),
            models.Index(fields=["address", "-id"], name="audit_address"),
            models.Index(fields=["target_id", "-id"], name="audit_target_number"),
            models.Index(fields=["target_label", "-id"], name="audit_label", opclasses=["varchar_pattern_ops", "int8_ops"]),
        ]

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> str:
        """What was done, in words."""
        return str(audit_actions.words_of(self.action))

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("Audit entries are never deleted.")
