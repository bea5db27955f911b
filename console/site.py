"""The operators' console: the admin site that the whole house registers on."""

from typing import Any, cast

from django.contrib import admin
from django.core.checks import CheckMessage
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from console import audit
from console.shared import confirmation
from console.shared.actors import actor_of
from console.shared.panels import panels_of


class ConsoleSite(UnfoldAdminSite):
    enable_nav_sidebar = True
    final_catch_all_view = True
    index_title = _("Home")

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # Django's bulk delete writes past the services and their audit.
        self.disable_action("delete_selected")

    def get_urls(self) -> list[Any]:
        admin.autodiscover()
        return list(super().get_urls())

    def check(self, app_configs: Any) -> list[CheckMessage]:
        admin.autodiscover()
        return list(super().check(app_configs))

    def extra_urls(self) -> list[URLPattern]:
        from console import list_views, views, work
        from console.people import sign_in_pages

        return [
            path("lists/<str:page>/columns/", self.admin_view(list_views.choose_columns), name="list_columns"),
            path("lists/<str:page>/filters/", self.admin_view(list_views.save), name="list_save_filter"),
            path("lists/<str:page>/filters/<int:pk>/delete/", self.admin_view(list_views.forget), name="list_forget_filter"),
            path("jobs/", self.admin_view(work.page), name="jobs"),
            path("jobs/progress/", self.admin_view(work.progress), name="jobs_progress"),
            path("jobs/<slug:kind>/<int:pk>/cancel/", self.admin_view(work.cancel), name="jobs_cancel"),
            path("account/", self.admin_view(views.account), name="account"),
            path("account/authenticator/", self.admin_view(views.add_authenticator), name="account_authenticator"),
            path("account/authenticator/remove/", self.admin_view(views.remove_authenticator), name="account_authenticator_remove"),
            path("account/authenticator/codes/", self.admin_view(views.renew_recovery_codes), name="account_authenticator_codes"),
            path("account/sessions/<int:session_id>/end/", self.admin_view(views.end_session), name="account_session_end"),
            path("account/sessions/end-others/", self.admin_view(views.end_other_sessions), name="account_sessions_end"),
            path("account/confirm/", self.admin_view(sign_in_pages.confirm), name="confirm"),
            path("login/code/", sign_in_pages.code_step, name="login_code"),
        ]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        from console.people import sign_in_pages

        answer: HttpResponse = sign_in_pages.password_step(request)
        return answer

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from console.people import signing_in

        if request.method == "POST":
            signing_in.leave(request, at=timezone.now())
        return super().logout(request, extra_context)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        from console.people import sign_ins

        now = timezone.now()
        if not confirmation.is_fresh(request, now):
            return confirmation.ask(request.path)
        answer: HttpResponse = super().password_change(request, extra_context)
        if request.method == "POST" and answer.status_code == 302:
            audit.record("account.password_change", cast("Model", request.user), by=actor_of(request), at=now)
            sign_ins.end_all(request.user, but=request.session.session_key or "", by=actor_of(request), at=now)
        return answer

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """By indexes and permissions of ours; nothing is kept: what a person may see can change at any moment."""
        from console import search

        found = search.find(request, request.GET.get("s", ""))
        return TemplateResponse(request, "unfold/helpers/command_results.html", {"results": found})

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from console import dashboard

        notices = panels_of("console.home.notice", request, None)
        return super().index(request, {**dashboard.figures(request), "notices": notices, **(extra_context or {})})
