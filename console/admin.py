"""Who may use the console, and what was done in it."""

import json
from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_email.models import EmailDevice
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from console import audit
from console.models import AuditEntry
from console.shared.actors import actor_of
from console.shared.admin import NOTHING, ReadOnlyModelAdmin, SmallListAdmin, badge, moment, mono
from console.shared.filters import MomentRangeFilter

for _model in (User, Group, TOTPDevice, StaticDevice, EmailDevice):
    # The first two get pages in the console's look; keys of one-time codes belong to their owner's account page alone.
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


class Audited(SmallListAdmin):
    """Django's own forms, whose writes the audit hears of: what was changed, never a value."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Without the links to other rows around a choice of several."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        self._record(request, "add", obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        self._record(request, "change", obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        for obj in queryset:
            self._record(request, "delete", obj, "")

    def _record(self, request: HttpRequest, verb: str, obj: Any, message: Any) -> None:
        action = f"{self.opts.model_name}.{verb}"
        audit.record(action, obj, by=actor_of(request), at=timezone.now(), after={"what": message} if message else {})


@admin.register(User)
class UserAdmin(DjangoUserAdmin, Audited):
    """Only an administrator touches administrators, or hands out rights."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "email", "role", "active", "signed_in")
    list_filter = ("is_active", "is_superuser", "groups")
    list_filter_submit = False
    sortable_by = ("username",)
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        (_("Access"), {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        (_("Dates"), {"fields": ("signed_in", "joined")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fixed = ("signed_in", "joined")
        return fixed if request.user.is_superuser else (*fixed, "is_superuser", "is_staff", "groups")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, widget=UnfoldAdminCheckboxSelectMultipleWidget, **kwargs)

    @display(description=_("Name"))
    def full_name(self, user: User) -> str:
        return user.get_full_name() or NOTHING

    @display(description=_("Role"))
    def role(self, user: User) -> str:
        return badge("blue", _("Administrator")) if user.is_superuser else badge("grey", _("Staff") if user.is_staff else _("No access"))

    @display(description=_("Active"))
    def active(self, user: User) -> str:
        return badge("green", _("Active")) if user.is_active else badge("red", _("Inactive"))

    @display(description=_("Last sign-in"))
    def signed_in(self, user: User) -> str:
        return moment(user.last_login)

    @display(description=_("Added"))
    def joined(self, user: User) -> str:
        return moment(user.date_joined)


def _may_touch(request: HttpRequest, user: User | None) -> bool:
    return user is None or not user.is_superuser or bool(request.user.is_superuser)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, Audited):
    list_display = ("name",)
    filter_horizontal = ()
    empty_list = {
        "icon": "shield_person",
        "title": _("No group yet"),
        "text": _("A group is a set of permissions for people who do the same work: operators, production, support."),
        "label": _("Add a group"),
        "url_name": "admin:auth_group_add",
        "permission": "auth.add_group",
    }

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The permissions that some page asks for, as checkboxes."""
        field: Any = super().formfield_for_manytomany(db_field, request, widget=UnfoldAdminCheckboxSelectMultipleWidget, **kwargs)
        field.queryset = grantable_permissions()
        field.label_from_instance = lambda permission: permission.name
        return field


NOBODY_CAN = (
    *("delete_product", "delete_datacenter", "add_productsecret", "change_productsecret", "delete_productsecret"),
    *("change_codegrant", "delete_codegrant", "add_device", "change_upload", "delete_upload"),
    *("add_devicelogentry", "change_devicelogentry", "delete_devicelogentry"),
)
"""Permissions that Django makes for every model and that no page of the console asks for."""
HIDDEN_MODELS = (
    *("autocreation", "datacenterhost", "usednonce", "batchfile"),
    *("clientidentity", "connection", "disconnectorder", "brokerstate"),
)


def grantable_permissions() -> QuerySet[Permission]:
    """Those that some page of the console asks for."""
    ours = Q(content_type__app_label__in=("products", "devices", "registration")) & ~Q(content_type__model__in=HIDDEN_MODELS)
    people = Q(content_type__app_label="auth", content_type__model__in=("user", "group")) | Q(codename="view_auditentry")
    found = Permission.objects.filter(ours | people).exclude(codename__in=NOBODY_CAN).select_related("content_type")
    return found.order_by("-content_type__app_label", "content_type__model", "id")


class SubjectFilter(DropdownFilter):
    """By the noun of an action: product.publish is about products."""

    title = _("subject")
    parameter_name = "subject"
    NOUNS = {
        "product": _("Products"),
        "pre_import": _("Pre-import list"),
        "upload": _("Uploaded workbooks"),
        "batch": _("Production batches"),
        "mac_pool": _("MAC pools"),
        "device": _("Devices"),
        "device_log": _("Device log"),
        "data_center": _("Data centers"),
        "broker": _("Brokers"),
        "user": _("Users"),
        "group": _("Groups"),
        "account": _("Own accounts"),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.NOUNS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        noun = self.value()
        return queryset.filter(action__startswith=f"{noun}.") if noun in self.NOUNS else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyModelAdmin):
    list_display = ("time", "actor_name", "action_text", "what", "address", "how_many")
    list_display_links = ("time",)
    list_filter = (SubjectFilter, ("at", MomentRangeFilter))
    search_fields = ("actor_name", "action", "target_label", "target_id", "address")
    search_help_text = _("Who, action from its beginning, or what exactly")
    sortable_by = ()
    ordering = ("-id",)
    fieldsets = (
        (_("What happened"), {"fields": ("time", "action_text", "what", "how_many", "reason")}),
        (_("Who did it"), {"fields": ("actor_name", "address")}),
        (_("Facts"), {"fields": ("facts_before", "facts_after")}),
    )
    readonly_fields = ("time", "action_text", "what", "how_many", "facts_before", "facts_after")
    empty_list = {
        "icon": "fact_check",
        "title": _("Nothing has happened yet"),
        "text": _("Every change made in the console and every secret read leaves a line here."),
    }

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup in ("target_type", "target_id", "action") or super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """Beginnings and exact values: the log only grows."""
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(
            Q(action__startswith=term) | Q(actor_name=term) | Q(target_label__startswith=term) | Q(target_id=term) | Q(address=term)
        ), False

    @display(description=_("Time"))
    def time(self, entry: AuditEntry) -> str:
        return moment(entry.at)

    @display(description=_("Action"))
    def action_text(self, entry: AuditEntry) -> str:
        return mono(entry.action)

    @display(description=_("What"))
    def what(self, entry: AuditEntry) -> str:
        return entry.target_label or NOTHING

    @display(description=_("Rows"))
    def how_many(self, entry: AuditEntry) -> str:
        return f"{entry.count:,}"

    @display(description=_("Before"))
    def facts_before(self, entry: AuditEntry) -> SafeString | str:
        return _facts(entry.before)

    @display(description=_("After"))
    def facts_after(self, entry: AuditEntry) -> SafeString | str:
        return _facts(entry.after)


def _facts(facts: dict[str, Any]) -> SafeString | str:
    if not facts:
        return NOTHING
    rows = ((name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)) for name, value in facts.items())
    return format_html('<span class="np-mono">{}</span>', format_html_join(SafeString("<br>"), "{}: {}", rows))
