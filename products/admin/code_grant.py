"""Activation codes that were granted: a list to read. Granting is on the product page."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from console.shared.admin import ReadOnlyModelAdmin, moment
from console.shared.filters import MomentRangeFilter
from products.admin.limits import OfChosenProducts, ProductFilter
from products.models import CodeGrant


@admin.register(CodeGrant)
class CodeGrantAdmin(OfChosenProducts, ReadOnlyModelAdmin):
    list_display = ("granted", "product", "codes", "note", "granted_by")
    list_display_links = None
    list_select_related = ("product", "granted_by")
    list_filter = (ProductFilter, ("granted_at", MomentRangeFilter))
    search_fields = ("product__name", "product__key", "note")
    search_help_text = _("Product, ProductKey or note")
    sortable_by = ()
    empty_list = {
        "icon": "confirmation_number",
        "title": _("No activation codes yet"),
        "text": _("Mass production uses one activation code for each device. Grant codes to a product on its page."),
        "label": _("Go to the products"),
        "url_name": "admin:products_product_changelist",
        "permission": "products.view_product",
    }

    @display(description=_("Granted"))
    def granted(self, grant: CodeGrant) -> str:
        return moment(grant.granted_at)

    @display(description=_("Activation codes"))
    def codes(self, grant: CodeGrant) -> str:
        return f"{grant.quantity:,}"
