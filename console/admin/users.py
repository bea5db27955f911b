"""People: the list, the form that adds one, and a page with what they may do."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_email.models import EmailDevice
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from console.admin.user_actions import USER_ACTIONS
from console.admin.user_forms import NewPersonForm
from console.people import accounts, authority, permissions, roles
from console.shared.add_page import AddPage
from console.shared.admin import NOTHING, SmallListAdmin, badge, moment
from console.shared.page_actions import Occasion, PageAction, PageActions
from products.admin.limits import OfEveryProduct, latest_changes
from products.services import access

for _model in (User, TOTPDevice, StaticDevice, EmailDevice):
    # People get pages in the console's look; keys of one-time codes belong to their owner's account page alone.
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


class RoleFilter(DropdownFilter):
    title = _("role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(role, role) for role in roles.ROLES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(groups__name=self.value()) if self.value() in roles.ROLES else queryset


@admin.register(User)
class UserAdmin(OfEveryProduct, AddPage, PageActions, SmallListAdmin):
    list_display = ("username", "full_name", "email", "role", "active", "signed_in")
    list_display_links = ("username",)
    list_filter = (RoleFilter, "is_active")
    list_filter_submit = False
    search_fields = ("username", "first_name", "last_name", "email")
    sortable_by = ("username",)
    ordering = ("username",)

    page_actions = USER_ACTIONS
    page_template = "people/user.html"
    add_form_class = NewPersonForm
    add_title = _("Add a person")
    add_sub = _("A first password is made and shown once, to you. They change it on their account page.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        found: QuerySet[User] = super().get_queryset(request).prefetch_related("groups")
        return found

    def add_row(self, occasion: Occasion) -> tuple[User, str]:
        products, groups = list(occasion.data["products"]), list(occasion.data["groups"])
        rights = accounts.Rights(role=occasion.data["role"], groups=groups, products=products)
        names = {name: occasion.data[name] for name in ("username", "first_name", "last_name", "email")}
        return accounts.add(accounts.NewPerson(**names, rights=rights), by=occasion.by, at=occasion.at)

    def added(self, request: HttpRequest, row: tuple[User, str]) -> HttpResponse:
        """The person's page, with the first password on it this once."""
        person, password = row
        return self.render_page(request, person, shown={"password": password})

    def page_context(self, request: HttpRequest, target: User) -> dict[str, Any]:
        return {
            "title": target.get_username(),
            "role": _role(target),
            "groups": [group for group in target.groups.all() if group.name not in roles.ROLES],
            "sees_all": target.is_superuser or access.EVERY_PRODUCT in authority.rights_of(target),
            "products": accounts.chosen_products(target),
            "second_factor": accounts.has_second_factor(target),
            "may": _may(target),
            "is_oneself": target.pk == request.user.pk,
            "beyond": not authority.may_touch(request.user, target),
            **latest_changes(request, target),
        }

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody is deleted: the audit and the batches name them."""
        return False

    def _may(self, request: HttpRequest, action: PageAction, target: User) -> bool:
        """Nothing on the page of somebody who may do more; on one's own, only name and mail address."""
        theirs = authority.may_touch(request.user, target) and (target.pk != request.user.pk or action.name == "edit")
        return theirs and super()._may(request, action, target)

    def _view_of(self, action: PageAction) -> Callable[..., HttpResponse]:
        do = super()._view_of(action)

        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            if request.user.has_perm(action.permission):
                target = self._find(request, object_id)
                if not authority.may_touch(request.user, target):
                    raise PermissionDenied
            return do(request, object_id)

        view.__name__ = do.__name__
        return view

    @display(description=_("Name"))
    def full_name(self, user: User) -> str:
        return user.get_full_name() or NOTHING

    @display(description=_("Role"))
    def role(self, user: User) -> str:
        return badge(*_role(user))

    @display(description=_("State"))
    def active(self, user: User) -> str:
        return badge("green", _("Active")) if user.is_active and user.is_staff else badge("red", _("Disabled"))

    @display(description=_("Last sign-in"))
    def signed_in(self, user: User) -> str:
        return moment(user.last_login)


def _role(user: User) -> tuple[str, Any]:
    """Kind of badge and words."""
    if user.is_superuser:
        return "red", _("Superuser")
    role = accounts.role_of(user)
    return ("blue", role) if role else ("grey", _("No role"))


def _may(user: User) -> list[Any]:
    """The names of all permissions of the person, as the group page has them."""
    if user.is_superuser:
        return []
    held = authority.rights_of(user)
    return [permissions.words_of(permission) for permission in permissions.grantable() if permissions.name_of(permission) in held]
