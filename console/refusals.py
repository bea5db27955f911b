"""Production starts safely or not at all: every reason, in words that name the variable to set."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from console.environment import Environment, load


def refusals(environment: Environment, *, debug: bool, hosts: Sequence[str]) -> list[str]:
    """Why this console must not start in production; nothing in embedded mode. `debug` and `hosts` are what Django will really use."""
    if not environment.production:
        return []
    ring = environment.key_ring_path
    reasons = {
        "NAMEPLATE_SECRET_KEY is not set: sessions could be forged.": not environment.secret_key.get_secret_value(),
        "NAMEPLATE_DEBUG is on: error pages would show the console's insides.": debug,
        "NAMEPLATE_ALLOWED_HOSTS is empty: name the hosts of the console.": not hosts,
        "NAMEPLATE_ALLOWED_HOSTS is open: name the hosts instead of '*'.": any(host.strip() in {"*", "."} for host in hosts),
        f"The key ring is missing: set NAMEPLATE_KEY_RING, or NAMEPLATE_KEY_RING_FILE to a file that exists (now {ring}).": (
            not environment.key_ring.get_secret_value() and not ring.is_file()
        ),
    }
    return [reason for reason, holds in reasons.items() if holds]


def refuse_unsafe_start() -> None:
    """Raise ImproperlyConfigured with every reason at once. Called by whatever serves: web server, worker, supervisor."""
    reasons = refusals(load(), debug=settings.DEBUG, hosts=settings.ALLOWED_HOSTS)
    if reasons:
        raise ImproperlyConfigured("Nameplate refuses to start in production:\n" + "\n".join(f"  - {reason}" for reason in reasons))


def check_production(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """The same reasons for every management command that runs Django's checks."""
    reasons = refusals(load(), debug=settings.DEBUG, hosts=settings.ALLOWED_HOSTS)
    return [Error(reason, id=f"nameplate.E{number:03}") for number, reason in enumerate(reasons, 1)]
