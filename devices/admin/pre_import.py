"""The pre-import list: one for the account (Q1). Rows by hand, workbooks in, files out; everything is written by services."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from import_export.admin import ImportExportMixin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import action, display

from console.shared.add_page import AddPage
from console.shared.admin import ConsoleModelAdmin, badge, moment, mono
from console.shared.page_actions import Occasion, PageAction, PageActions
from devices.admin import pre_import_deletion, pre_import_export, pre_import_import
from devices.admin.device_filters import SEARCH_HELP
from devices.admin.drift import DriftPages, beside_context
from devices.admin.pre_import_actions import ROW_ACTIONS
from devices.admin.pre_import_forms import FIELD_NAMES, AddForm
from devices.models import Authentication, Batch, PreImportedDevice
from devices.resources import FORMATS, PreImportedDeviceResource
from devices.services import pre_import
from products.admin.limits import OfChosenProducts, ProductFilter, latest_changes, seen_products

COLOURS = {Authentication.DYNAMIC: "blue", Authentication.STATIC: "amber", Authentication.X509: "green"}


@admin.register(PreImportedDevice)
class PreImportedDeviceAdmin(OfChosenProducts, DriftPages, AddPage, PageActions, ImportExportMixin, ConsoleModelAdmin):
    list_display = ("name", "nickname_text", "sn_text", "product_name", "authentication_badge", "batch_number", "added_when")
    list_display_links = ("name",)
    list_select_related = ("product",)
    list_filter = (ProductFilter, ("authentication", ChoicesDropdownFilter), ("batch", AutocompleteSelectFilter))
    search_fields = ("device_name",)
    search_help_text = SEARCH_HELP
    sortable_by = ()
    ordering = ("-id",)
    actions = ("delete_rows",)
    empty_list = {
        "icon": "playlist_add_check",
        "title": _("Nothing is pre-imported yet"),
        "text": _("A row here is a device that may come, in every data center. Import an Excel or CSV file, or add rows by hand."),
        "label": _("Import a workbook"),
        "url_name": "admin:devices_preimporteddevice_import",
        "permission": "devices.add_preimporteddevice",
    }

    resource_classes = (PreImportedDeviceResource,)
    formats = FORMATS
    page_actions = ROW_ACTIONS
    page_template = "devices/pre_import.html"
    add_form_class = AddForm
    add_title = _("Add a device to the pre-import list")
    add_sub = _("The row is valid in every data center. Its DeviceSecret is issued now.")
    add_done = _("The row was added.")
    error_fields = FIELD_NAMES

    def get_urls(self) -> list[URLPattern]:
        template = self.admin_site.admin_view(pre_import_import.template_view)
        return [path("import/template.<slug:form>", template, name="devices_preimporteddevice_template"), *super().get_urls()]

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The library's door takes the file; the check and the import are jobs of our own (upload_check, upload_commit)."""
        return pre_import_import.view(self, request)

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The library's second step, which would import in the request: nothing leads here."""
        return pre_import_import.view(self, request)

    def export_action(self, request: HttpRequest) -> Any:
        return pre_import_export.view(self, request)

    def add_form(self, request: HttpRequest) -> AddForm:
        form = AddForm(request.POST or None, initial=request.GET.dict())
        form.offer(seen_products(request))
        return form

    def add_row(self, occasion: Occasion) -> PreImportedDevice:
        facts = dict(occasion.data)
        product = facts.pop("product")
        return pre_import.add(product, pre_import.NewRow(**facts), by=occasion.by, at=occasion.at)

    def after_url(self, action: PageAction, target: PreImportedDevice) -> str:
        return reverse("admin:devices_preimporteddevice_changelist") if action.name == "remove" else super().after_url(action, target)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PreImportedDevice]:
        return super().get_queryset(request).defer("sealed_secret")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return queryset.matching(search_term), False

    def page_context(self, request: HttpRequest, target: PreImportedDevice) -> dict[str, Any]:
        context: dict[str, Any] = {"title": target.device_name}
        if request.user.has_perm("devices.view_device"):
            context |= beside_context(target)
        return context | latest_changes(request, target)

    def has_delete_permission(self, request: HttpRequest, obj: PreImportedDevice | None = None) -> bool:
        """Django's own delete page would write past the service; ours asks for the permission itself."""
        return False

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("devices.delete_preimporteddevice"))

    @action(description=_("Delete the selected rows"), permissions=["remove"])
    def delete_rows(self, request: HttpRequest, queryset: QuerySet[PreImportedDevice]) -> HttpResponse | None:
        return pre_import_deletion.ask_or_delete(self, request, queryset)

    @display(description=_("DeviceName"))
    def name(self, row: PreImportedDevice) -> str:
        return mono(row.device_name)

    @display(description=_("Nickname"))
    def nickname_text(self, row: PreImportedDevice) -> str:
        return row.nickname or self.empty_value_display

    @display(description=_("SN"))
    def sn_text(self, row: PreImportedDevice) -> str:
        return mono(row.sn)

    @display(description=_("Product"))
    def product_name(self, row: PreImportedDevice) -> str:
        return row.product.name

    @display(description=_("Authentication"))
    def authentication_badge(self, row: PreImportedDevice) -> str:
        return badge(COLOURS[Authentication(row.authentication)], row.get_authentication_display())

    @display(description=_("Batch"))
    def batch_number(self, row: PreImportedDevice) -> str:
        if row.batch_id is None:
            return self.empty_value_display
        return format_html(
            '<a class="np-link np-mono" href="{}">{}</a>',
            reverse("admin:devices_batch_change", args=[row.batch_id]),
            Batch(pk=row.batch_id).number,
        )

    @display(description=_("Added"))
    def added_when(self, row: PreImportedDevice) -> str:
        return moment(row.created_at)
