"""The operators' console: the admin site that the whole house registers on."""

from typing import Any, cast

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from console import audit
from console.shared.actors import actor_of


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

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        answer: HttpResponse = super().password_change(request, extra_context)
        if request.method == "POST" and answer.status_code == 302:
            audit.record("account.password_change", cast("Model", request.user), by=actor_of(request), at=timezone.now())
        return answer

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from console import dashboard

        return super().index(request, {**dashboard.figures(request), **(extra_context or {})})
