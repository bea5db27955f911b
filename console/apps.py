from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.core.checks import register


class ConsoleConfig(AppConfig):
    name = "console"
    verbose_name = "Console"

    def ready(self) -> None:
        """Bind Celery here and not in the package, so that pure modules can be imported without Django."""
        from console.celery import app
        from console.refusals import check_production

        app.set_default()
        register(check_production)


class ConsoleAdminConfig(admin_apps.AdminConfig):
    """Django's admin, on our own site: every app registers on `django.contrib.admin.site` and never imports ours."""

    default = False
    default_site = "console.site.ConsoleSite"
