"""How many devices were created automatically, counted where they are created."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from products.models import Product


class AutoCreation(models.Model):
    """The count of a product's automatically created devices in this database. Moved by a conditional update below the limit (T3)."""

    lives_in_data_center = True

    product = models.OneToOneField(Product, on_delete=models.PROTECT, db_constraint=False, related_name="+", primary_key=True)
    created = models.PositiveIntegerField(_("created automatically"), default=0)

    class Meta:
        verbose_name = _("automatic creation")
        verbose_name_plural = _("automatic creations")

    def __str__(self) -> str:
        return f"{self.created} of product {self.product_id}"
