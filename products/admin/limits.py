"""Pages keep to the products that a person works with: what belongs to another product is not there."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from console.models import AuditEntry
from products.models import Product
from products.services import access

CHANGES_SHOWN = 8


class OfChosenProducts:
    """For a ModelAdmin whose rows belong to products; goes first. Another product's row answers 404."""

    product_field = "product_id"

    def get_queryset(self, request: HttpRequest) -> Any:
        rows: QuerySet[Any] = super().get_queryset(request)
        return access.only(rows, request.user, field=self.product_field)


class OfEveryProduct:
    """For a ModelAdmin of what all products share (data centers, brokers, MAC pools, people): not for a person with chosen products."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return access.sees_every_product(request.user) and super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.sees_every_product(request.user) and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access.sees_every_product(request.user) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.sees_every_product(request.user) and super().has_change_permission(request, obj)


class ProductFilter(DropdownFilter):
    """Of the products that the person works with: the names of others do not stand in the choice."""

    title = _("product")
    parameter_name = "product"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in seen_products(request).values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return queryset.filter(product_id=int(chosen)) if chosen and chosen.isdecimal() else queryset


def seen_products(request: HttpRequest) -> QuerySet[Product]:
    """Those that the person works with, by name."""
    return access.only(Product.objects.order_by("name"), request.user, field="pk")


def seen_product(request: HttpRequest, product_id: int) -> Product:
    """Raises Http404 for one that is not there for this person."""
    product = seen_products(request).filter(pk=product_id).first()
    if product is None:
        raise Http404
    return product


def may_read_audit(user: Any) -> bool:
    """The audit is of everything, so a person with chosen products reads none of it."""
    return bool(user.has_perm("console.view_auditentry")) and access.sees_every_product(user)


def latest_changes(request: HttpRequest, target: Any, **conditions: Any) -> dict[str, list[AuditEntry]]:
    """What console/changes.html shows of a row: its latest audit lines, for those who may read them."""
    if not may_read_audit(request.user):
        return {}
    lines = AuditEntry.objects.filter(target_type=target._meta.label_lower, target_id=str(target.pk), **conditions)
    return {"changes": list(lines[:CHANGES_SHOWN])}
