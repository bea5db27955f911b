"""Which products a person or a key sees, where it is not all of them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from products.models.product import Product


class ProductAccess(models.Model):
    """One product that a person without the permission "see every product", or an API key made for some products, works with."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+", verbose_name=_("product"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="product_access", verbose_name=_("user")
    )
    api_key = models.ForeignKey("console.ApiKey", null=True, on_delete=models.CASCADE, related_name="product_access")

    class Meta:
        verbose_name = _("access to a product")
        verbose_name_plural = _("access to products")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user", "product"], name="product_access_user_once"),
            models.UniqueConstraint(fields=["api_key", "product"], name="product_access_api_key_once"),
            models.CheckConstraint(
                condition=Q(user__isnull=False, api_key=None) | Q(user=None, api_key__isnull=False), name="product_access_of_one"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id or self.api_key_id}: {self.product_id}"
