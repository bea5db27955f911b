"""The MQTT brokers of the data centers: where they ask, whether we reach them, and the lines to paste into their configuration."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from console.shared.add_page import AddPage
from console.shared.admin import SmallListAdmin, badge
from console.shared.page_actions import Occasion, PageAction, PageActions
from products.admin.limits import OfEveryProduct, latest_changes
from products.models import Broker
from registration.admin.broker_actions import BROKER_ACTIONS, stored
from registration.admin.broker_forms import NewBrokerForm
from registration.admin.broker_lines import lines_of
from registration.models import BrokerState


@admin.register(Broker)
class BrokerAdmin(OfEveryProduct, AddPage, PageActions, SmallListAdmin):
    list_display = ("name", "kind_text", "center", "state", "drops", "tells")
    list_display_links = ("name",)
    list_filter = (("kind", ChoicesDropdownFilter),)
    list_select_related = ("data_center",)
    sortable_by = ()
    empty_list = {
        "icon": "hub",
        "title": _("No broker yet"),
        "text": _(
            "A broker asks here whether a device may connect. The one of `make run` is listed when it has started for the first time."
        ),
        "label": _("Add a broker"),
        "url_name": "admin:products_broker_add",
        "permission": "products.add_broker",
    }

    page_actions = BROKER_ACTIONS
    page_template = "brokers/broker.html"

    add_form_class = NewBrokerForm
    add_title = _("Add a broker")
    add_sub = _("It gets a hook secret of its own; its page then shows the lines to paste into its configuration.")
    add_done = _("The broker was added.")

    def add_row(self, occasion: Occasion) -> Broker:
        return stored(Broker(), occasion)

    def after_url(self, action: PageAction, target: Broker) -> str:
        return reverse("admin:products_broker_changelist") if action.name == "remove" else super().after_url(action, target)

    def render_page(
        self, request: HttpRequest, target: Any, *, bound: Any = None, shown: Mapping[str, Any] | None = None
    ) -> TemplateResponse:
        """A secret that is shown stands in the lines to paste as well."""
        response = super().render_page(request, target, bound=bound, shown=shown)
        base = request.build_absolute_uri("/").rstrip("/")
        context: dict[str, Any] = response.context_data or {}
        context["lines"] = lines_of(target.kind, base, (shown or {}).get("hook_secret", ""), target.vhost)
        context["base"] = base
        return response

    def page_context(self, request: HttpRequest, target: Broker) -> dict[str, Any]:
        states = BrokerState.objects.using(target.data_center.database)
        context: dict[str, Any] = {"link": states.filter(broker_id=target.pk).first() if target.can_drop else None}
        return context | latest_changes(request, target)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Broker]:
        found: QuerySet[Broker] = super().get_queryset(request).select_related("data_center")
        return found

    def has_delete_permission(self, request: HttpRequest, obj: Broker | None = None) -> bool:
        """By the page's own action alone, which the audit log knows."""
        return False

    @display(description=_("Kind"))
    def kind_text(self, broker: Broker) -> str:
        return str(broker.get_kind_display())

    @display(description=_("Data center"))
    def center(self, broker: Broker) -> str:
        return broker.data_center.name

    @display(description=_("State"))
    def state(self, broker: Broker) -> str:
        return badge("green", _("Enabled")) if broker.enabled else badge("grey", _("Disabled"))

    @display(description=_("Cuts off"))
    def drops(self, broker: Broker) -> str:
        return badge("green", _("At once")) if broker.can_drop or broker.is_gateway else badge("amber", _("At the next connection"))

    @display(description=_("Knows who is online"))
    def tells(self, broker: Broker) -> str:
        return badge("green", _("Yes")) if broker.tells_departures else badge("amber", _("Last seen"))
