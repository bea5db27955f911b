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
        register(check_production, "production")


class ConsoleAdminConfig(admin_apps.SimpleAdminConfig):
    """Django's admin, on our own site: every app registers on `django.contrib.admin.site` and never imports ours.

    The site collects the pages when somebody asks for its addresses: half of a start is their imports, and worker, clock, registrar and
    link have no pages.
    """

    default = False
    default_site = "console.site.ConsoleSite"
