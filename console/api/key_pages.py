"""API keys in the console: one's own for everybody who may make some, and those of others for administrators."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from console.api import keys
from console.api.key_forms import NewKeyForm, RevokeForm
from console.models import ApiKey
from console.people import permissions
from console.shared import confirmation
from console.shared.add_page import AddPage
from console.shared.admin import NOTHING, ConsoleModelAdmin, badge, moment, mono
from console.shared.page_actions import Occasion, PageAction, PageActions
from products.admin.limits import latest_changes, seen_products
from products.models import ProductAccess
from products.services import access

ADD, VIEW = "console.add_apikey", "console.view_apikey"
EVERYBODYS = "auth.change_user"
"""Who keeps the people keeps their keys."""


def _revoke(occasion: Occasion) -> None:
    keys.revoke(occasion.target.pk, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)


REVOKE = PageAction(
    name="revoke",
    permission="console.delete_apikey",
    label=_("Revoke"),
    title=_("Revoke this API key?"),
    words=(_("Programs that use it are refused from this moment on. A revoked key stays in the list and cannot be brought back."),),
    confirm=_("Revoke"),
    done=_("The API key was revoked."),
    form=RevokeForm,
    run=_revoke,
    offered=lambda key: key.revoked_at is None and key.expires_at > timezone.now(),
    danger=True,
)


@admin.register(ApiKey)
class ApiKeyAdmin(AddPage, PageActions, ConsoleModelAdmin):
    list_display = ("name", "key", "whose", "state", "until", "used", "used_from")
    list_display_links = ("name",)
    list_select_related = ("owner",)
    search_fields = ("name", "beginning")
    search_help_text = _("Name of the key from its beginning, or the first characters of the key")
    sortable_by = ()
    ordering = ("-id",)
    empty_list = {
        "icon": "key",
        "title": _("No API key yet"),
        "text": _("A program that uses the API has a key of its own: for chosen actions and products, until a day."),
        "label": _("Make an API key"),
        "url_name": "admin:console_apikey_add",
        "permission": ADD,
    }
    page_actions = (REVOKE,)
    page_template = "api/key.html"
    add_title = _("Make an API key")
    add_sub = _("For one program. It can do what you tick here and no more than you may do yourself, also later.")
    error_fields = {"expires_at": "expires_on", "actions": "actions_0"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        found: QuerySet[ApiKey] = super().get_queryset(request).select_related("owner")
        user: Any = request.user
        return found if user.has_perm(EVERYBODYS) and access.sees_every_product(user) else found.filter(owner_id=user.pk)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[ApiKey], search_term: str) -> tuple[QuerySet[ApiKey], bool]:
        term = search_term.strip()
        return (queryset.filter(name__startswith=term) | queryset.filter(beginning__startswith=term)) if term else queryset, False

    def has_view_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        user: Any = request.user
        return bool(user.has_perm(VIEW) or user.has_perm(ADD))

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """A key is revoked, and stays."""
        return False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if not confirmation.is_fresh(request, timezone.now()):
            return confirmation.ask(reverse("admin:console_apikey_add"))
        return super().add_view(request, form_url, extra_context)

    def add_form(self, request: HttpRequest) -> NewKeyForm:
        return NewKeyForm(request.POST or None, user=request.user, products=seen_products(request))

    def add_row(self, occasion: Occasion) -> keys.MadeKey:
        form = self.add_form(occasion.request)
        form.is_valid()
        return keys.make(form.wish(), owner=occasion.request.user, by=occasion.by, at=occasion.at)

    def added(self, request: HttpRequest, row: keys.MadeKey) -> HttpResponse:
        """The page of the key, which shows it this once."""
        return self.render_page(request, row.row, shown={"key": row.text})

    def page_context(self, request: HttpRequest, target: ApiKey) -> dict[str, Any]:
        names = {permissions.name_of(one): permissions.words_of(one) for one in permissions.grantable()}
        products = ProductAccess.objects.filter(api_key=target).select_related("product").order_by("product__name")
        return {
            "title": target.name,
            "state": _state(target),
            "actions": [(action, names.get(action, action)) for action in target.actions],
            "products": [access.product for access in products],
            **latest_changes(request, target),
        }

    @display(description=_("Key"))
    def key(self, key: ApiKey) -> str:
        return mono(f"{key.beginning}…")

    @display(description=_("Owner"))
    def whose(self, key: ApiKey) -> str:
        return key.owner.get_username()

    @display(description=_("State"))
    def state(self, key: ApiKey) -> str:
        return _state(key)

    @display(description=_("Valid until"))
    def until(self, key: ApiKey) -> SafeString | str:
        return moment(key.expires_at)

    @display(description=_("Last used"))
    def used(self, key: ApiKey) -> SafeString | str:
        return moment(key.last_used_at) if key.last_used_at else format_html('<span class="np-muted">{}</span>', _("Never"))

    @display(description=_("From"))
    def used_from(self, key: ApiKey) -> str:
        return mono(key.last_used_address) if key.last_used_address else NOTHING


def _state(key: ApiKey) -> SafeString:
    now = timezone.now()
    if key.revoked_at is not None:
        return badge("grey", _("Revoked"))
    if key.expires_at <= now:
        return badge("grey", _("Expired"))
    if key.expires_soon(now):
        return badge("amber", _("Expires soon"))
    return badge("green", _("Valid"))
