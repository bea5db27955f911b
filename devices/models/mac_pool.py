"""Blocks of MAC addresses from which batches take their ranges (G7)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class MacBlockKind(models.TextChoices):
    MA_L = "MA-L", _("MA-L (24-bit prefix)")
    MA_M = "MA-M", _("MA-M (28-bit prefix)")
    MA_S = "MA-S", _("MA-S (36-bit prefix)")
    PRIVATE = "private", _("Private (locally administered)")


class MacPool(models.Model):
    """Addresses from `first` to `last`, both included, as integers; `next` is the first one not yet handed out, `stride` the step."""

    name = models.CharField(_("name"), max_length=64)
    kind = models.CharField(_("block"), max_length=8, choices=MacBlockKind.choices)
    prefix = models.CharField(_("prefix"), max_length=9, blank=True)
    first = models.BigIntegerField(_("first address"))
    last = models.BigIntegerField(_("last address"))
    next = models.BigIntegerField(_("next address"))
    stride = models.PositiveSmallIntegerField(_("stride"), default=1)

    class Meta:
        verbose_name = _("MAC pool")
        verbose_name_plural = _("MAC pools")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["name"], name="mac_pool_name_unique"),
            models.CheckConstraint(condition=Q(first__gte=0, last__lt=1 << 48, first__lte=F("last")), name="mac_pool_range"),
            models.CheckConstraint(condition=Q(next__gte=F("first"), next__lte=F("last") + F("stride")), name="mac_pool_next_in_range"),
            models.CheckConstraint(condition=Q(stride__gte=1, stride__lte=16), name="mac_pool_stride"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def left(self) -> int:
        """Addresses that can still be handed out."""
        return max(0, (int(self.last) - int(self.next)) // int(self.stride) + 1)

    @property
    def size(self) -> int:
        return (int(self.last) - int(self.first)) // int(self.stride) + 1
