"""Groups: the list, the form that adds one, and a page with its permissions and its people. The five roles are among them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from console.admin.user_forms import PLAIN, NeededReasonForm
from console.people import groups, permissions, roles
from console.shared.add_page import AddPage
from console.shared.admin import SmallListAdmin, badge
from console.shared.page_actions import Occasion, PageAction, PageActions
from products.admin.limits import OfEveryProduct, latest_changes

if admin.site.is_registered(Group):
    admin.site.unregister(Group)


class PermissionsField(forms.ModelMultipleChoiceField):
    """Those that some page asks for; counted anew for each form."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Permission.objects.none(), widget=forms.CheckboxSelectMultiple, **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        return permissions.words_of(obj)


class GroupForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=150, widget=forms.TextInput(attrs=PLAIN))
    permissions = PermissionsField(label=_("Permissions"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["permissions"].queryset = permissions.grantable()  # type: ignore[attr-defined]


def _facts(group: Group) -> dict[str, Any]:
    return {"name": group.name, "permissions": list(group.permissions.values_list("pk", flat=True))}


def _change(occasion: Occasion) -> None:
    data = occasion.data
    groups.change(occasion.target.pk, data["name"], list(data["permissions"]), by=occasion.by, at=occasion.at)


def _remove(occasion: Occasion) -> None:
    groups.remove(occasion.target.pk, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)


GROUP_ACTIONS = (
    PageAction(
        name="edit",
        permission="auth.change_group",
        label=_("Edit"),
        title=_("What may its people do?"),
        words=(_("It counts from their next click on. You can only hand out what you may do yourself."),),
        confirm=_("Save"),
        done=_("The group was changed."),
        form=GroupForm,
        initial=_facts,
        run=_change,
        icon="edit",
    ),
    PageAction(
        name="remove",
        permission="auth.delete_group",
        label=_("Delete"),
        title=_("Delete this group?"),
        words=(_("Its people lose what they may do by this group alone."),),
        confirm=_("Delete"),
        done=_("The group was deleted."),
        form=NeededReasonForm,
        run=_remove,
        offered=lambda group: group.name not in roles.ROLES,
        danger=True,
    ),
)


if admin.site.is_registered(Group):
    admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(OfEveryProduct, AddPage, PageActions, SmallListAdmin):
    list_display = ("name", "kind")
    list_display_links = ("name",)
    search_fields = ("name",)
    sortable_by = ("name",)
    ordering = ("name",)
    page_actions = GROUP_ACTIONS
    page_template = "people/group.html"
    add_form_class = GroupForm
    add_title = _("Add a group")
    add_sub = _("A set of permissions for people who do the same work, beside the five roles.")
    add_done = _("The group was added.")
    empty_list = {
        "icon": "shield_person",
        "title": _("No group yet"),
        "text": _("A group is a set of permissions for people who do the same work: operators, production, support."),
        "label": _("Add a group"),
        "url_name": "admin:auth_group_add",
        "permission": "auth.add_group",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """With its permissions: the list says whether a role is as it came."""
        found: QuerySet[Group] = super().get_queryset(request).prefetch_related("permissions__content_type")
        return found

    def add_row(self, occasion: Occasion) -> Group:
        return groups.add(occasion.data["name"], list(occasion.data["permissions"]), by=occasion.by, at=occasion.at)

    def after_url(self, action: PageAction, target: Group) -> str:
        return reverse("admin:auth_group_changelist") if action.name == "remove" else super().after_url(action, target)

    def page_context(self, request: HttpRequest, target: Group) -> dict[str, Any]:
        held = {permission.pk for permission in target.permissions.all()}
        return {
            "title": target.name,
            "kind": _kind(target),
            "may": [permissions.words_of(permission) for permission in permissions.grantable() if permission.pk in held],
            "people": list(target.user_set.order_by("username")),
            "is_own": groups.is_own(target, request.user.pk),
            **latest_changes(request, target),
        }

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """By the page's own action alone."""
        return False

    @display(description=_("Kind"))
    def kind(self, group: Group) -> str:
        return badge(*_kind(group))


def _kind(group: Group) -> tuple[str, Any]:
    """Kind of badge and words."""
    if group.name not in roles.ROLES:
        return "grey", _("Group")
    held = {permissions.name_of(permission) for permission in group.permissions.all()}
    return ("blue", _("Role")) if held == roles.permissions_of(group.name) else ("amber", _("Role, changed here"))
