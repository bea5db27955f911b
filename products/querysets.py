"""The vocabulary of products."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from products.models import DataCenter, Product, ProductSecret  # noqa: F401


class ProductQuerySet(models.QuerySet["Product"]):
    def published(self) -> Self:
        return self.filter(status="published")


class ProductSecretQuerySet(models.QuerySet["ProductSecret"]):
    def live(self, at: datetime) -> Self:
        """The newest first."""
        return self.filter(Q(valid_until=None) | Q(valid_until__gt=at)).order_by("-id")


class DataCenterQuerySet(models.QuerySet["DataCenter"]):
    def home(self) -> "DataCenter":
        return self.get(is_home=True)
