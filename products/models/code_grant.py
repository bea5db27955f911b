"""Activation codes that were bought or allotted for a product."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from products.models.product import Product


class CodeGrant(models.Model):
    """`quantity` more activation codes for a product; never changed afterwards."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="grants", verbose_name=_("product"))
    quantity = models.PositiveIntegerField(_("activation codes"))
    note = models.CharField(_("note"), max_length=200, blank=True)
    granted_at = models.DateTimeField(_("granted"))
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("granted by")
    )

    class Meta:
        verbose_name = _("activation code grant")
        verbose_name_plural = _("activation code grants")
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=Q(quantity__gt=0), name="code_grant_positive")]

    def __str__(self) -> str:
        return f"{self.quantity} for {self.product_id}"
