"""Data centers: where devices call, by which host names, and which one takes the unknown ones."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from console.shared.add_page import AddPage
from console.shared.admin import NOTHING, SmallListAdmin, badge, mono
from console.shared.page_actions import Occasion, PageAction, PageActions
from products.admin.limits import OfEveryProduct
from products.models import DataCenter
from products.services import data_centers


class DataCenterForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=64)
    code = forms.SlugField(label=_("Code"), max_length=32, help_text=_("Letters, digits and hyphens: eu-frankfurt."))
    hosts = forms.CharField(
        label=_("Host names"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "class": "np-mono"}),
        help_text=_(
            "One a line, without port. The host name that a device calls decides the data center; unknown ones "
            "lead to the home data center."
        ),
    )
    database = forms.ChoiceField(
        label=_("Database"),
        choices=lambda: [(alias, alias) for alias in settings.DATABASES],
        help_text=_("Which one holds its device list."),
    )


def _facts(center: DataCenter) -> dict[str, Any]:
    hosts = "\n".join(center.hosts.values_list("host", flat=True))
    return {"name": center.name, "code": center.code, "database": center.database, "hosts": hosts}


def _save(center: DataCenter, occasion: Occasion) -> DataCenter:
    facts = {**occasion.data, "hosts": occasion.data["hosts"].splitlines()}
    return data_centers.save(center, **facts, by=occasion.by, at=occasion.at)


def _edit(occasion: Occasion) -> None:
    _save(occasion.target, occasion)


def _make_home(occasion: Occasion) -> None:
    data_centers.make_home(occasion.target, by=occasion.by, at=occasion.at)


@admin.register(DataCenter)
class DataCenterAdmin(OfEveryProduct, AddPage, PageActions, SmallListAdmin):
    list_display = ("name", "code_text", "home", "host_names", "database_text")
    list_display_links = ("name",)
    sortable_by = ()

    add_form_class = DataCenterForm
    add_title = _("Add a data center")
    add_sub = _("It has a device list of its own. Every pre-imported device can register there from the start.")
    add_done = _("The data center was added.")

    page_template = "products/data_center.html"
    page_actions = (
        PageAction(
            name="edit",
            permission="products.change_datacenter",
            label=_("Edit"),
            title=_("Edit the data center"),
            warnings=(
                _(
                    "Devices that call a host name you take away are served by the home data center from then on, as "
                    "devices that are new there."
                ),
            ),
            confirm=_("Save"),
            done=_("The data center was changed."),
            form=DataCenterForm,
            initial=_facts,
            run=_edit,
            icon="edit",
        ),
        PageAction(
            name="make_home",
            permission="products.change_datacenter",
            label=_("Make home"),
            title=_("Make this the home data center?"),
            words=(_("Devices that call an unknown host name, or an address without a name, are served here from now on."),),
            confirm=_("Make home"),
            done=_("This is the home data center now."),
            run=_make_home,
            offered=lambda center: not center.is_home,
        ),
    )

    def add_row(self, occasion: Occasion) -> DataCenter:
        return _save(DataCenter(), occasion)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DataCenter]:
        found: QuerySet[DataCenter] = super().get_queryset(request).prefetch_related("hosts")
        return found

    def has_delete_permission(self, request: HttpRequest, obj: DataCenter | None = None) -> bool:
        return False

    @display(description=_("Code"))
    def code_text(self, center: DataCenter) -> str:
        return mono(center.code)

    @display(description=_("Home"))
    def home(self, center: DataCenter) -> str:
        return badge("blue", _("Home")) if center.is_home else NOTHING

    @display(description=_("Host names"))
    def host_names(self, center: DataCenter) -> str:
        hosts = [host.host for host in center.hosts.all()]
        return ", ".join(hosts[:3]) + (f" … (+{len(hosts) - 3})" if len(hosts) > 3 else "") or NOTHING

    @display(description=_("Database"))
    def database_text(self, center: DataCenter) -> str:
        return mono(center.database)
