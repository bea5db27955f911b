"""Products: the list, the form that makes one, and the product page. Everything is written by services."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import display

from console import verification
from console.shared.add_page import AddPage
from console.shared.admin import SmallListAdmin, badge, mono
from console.shared.page_actions import Occasion, PageActions
from products.admin import certificate_policy, issuing
from products.admin.actions import PRODUCT_ACTIONS
from products.admin.forms import NewProductForm
from products.admin.limits import OfChosenProducts, latest_changes
from products.models import Product
from products.services import access, products, switches


@admin.register(Product)
class ProductAdmin(OfChosenProducts, AddPage, PageActions, SmallListAdmin):
    product_field = "pk"
    list_display = ("name", "product_key", "status_badge", "wire_protocol", "registration", "devices", "codes")
    list_display_links = ("name",)
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("wire_protocol", ChoicesDropdownFilter),
        ("network_protocol", ChoicesDropdownFilter),
        ("dynamic_registration", BooleanRadioFilter),
    )
    search_fields = ("name", "key")
    search_help_text = _("Name or ProductKey")
    ordering = ("name",)
    empty_list = {
        "icon": "category",
        "title": _("No product yet"),
        "text": _("A product is one model of device. Its ProductKey and ProductSecret go into the firmware of all its devices."),
        "label": _("Create a product"),
        "url_name": "admin:products_product_add",
        "permission": "products.add_product",
    }

    page_actions = (*PRODUCT_ACTIONS, certificate_policy.POLICY_ACTION, *issuing.ISSUING_ACTIONS)
    page_template = "products/product.html"

    add_form_class = NewProductForm
    add_template = "products/add.html"
    add_title = _("Create a product")
    add_sub = _("A new product is in development and all its switches are off. You publish it when it is ready.")
    add_done = _("The product was created.")
    error_fields = {"ProductKey": "key", "ProductSecret": "secret"}

    def add_row(self, occasion: Occasion) -> Product:
        return products.create(products.NewProduct(**occasion.data), by=occasion.by, at=occasion.at)

    def page_context(self, request: HttpRequest, target: Product) -> dict[str, Any]:
        user: Any = request.user
        context: dict[str, Any] = {
            "title": target.name,
            "code_pending": verification.is_pending(user=user, purpose=switches.purpose_of(target), at=timezone.now()),
            "quota_percent": 100 * target.devices_taken // target.device_quota,
            "codes_percent": 100 * target.codes_used // target.codes_granted if target.codes_granted else 0,
        }
        if user.has_perm("products.view_codegrant"):
            context["grants"] = list(target.grants.select_related("granted_by")[:5])
        return context | certificate_policy.context(request, target) | issuing.context(request, target) | latest_changes(request, target)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever works with chosen products would not see the one just made."""
        return access.sees_every_product(request.user) and super().has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:
        return False

    @display(description=_("ProductKey"), ordering="key")
    def product_key(self, product: Product) -> str:
        return mono(product.key)

    @display(description=_("Status"), ordering="status")
    def status_badge(self, product: Product) -> str:
        return badge(product.status, product.get_status_display())

    @display(description=_("Dynamic registration"))
    def registration(self, product: Product) -> str:
        return badge("green", _("On")) if product.dynamic_registration else badge("grey", _("Off"))

    @display(description=_("Devices of the quota"), ordering="devices_taken")
    def devices(self, product: Product) -> str:
        return f"{product.devices_taken:,} / {product.device_quota:,}"

    @display(description=_("Activation codes left"))
    def codes(self, product: Product) -> str:
        return f"{product.codes_left:,}"
