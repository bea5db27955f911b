"""The operators' console: the admin site that the whole house registers on."""

from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite


class ConsoleSite(UnfoldAdminSite):
    enable_nav_sidebar = True
    final_catch_all_view = True
    index_title = _("Home")

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # Django's bulk delete writes past the services and their audit.
        self.disable_action("delete_selected")

    def extra_urls(self) -> list[URLPattern]:
        from console import views

        return [
            path("account/", self.admin_view(views.account), name="account"),
            path("account/authenticator/", self.admin_view(views.add_authenticator), name="account_authenticator"),
            path("account/authenticator/remove/", self.admin_view(views.remove_authenticator), name="account_authenticator_remove"),
        ]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from console import dashboard

        return super().index(request, {**dashboard.figures(request), **(extra_context or {})})
