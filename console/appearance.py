"""How the console looks: the settings of the admin's skin (UNFOLD in Django's settings). Palette: slate, and one steel blue."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

SLATE = {
    "50": "oklch(98.3% .003 250)",
    "100": "oklch(96.3% .005 250)",
    "200": "oklch(92.3% .008 251)",
    "300": "oklch(86.6% .013 251)",
    "400": "oklch(71% .02 253)",
    "500": "oklch(53.5% .026 255)",
    "600": "oklch(44% .029 256)",
    "700": "oklch(36.5% .031 257)",
    "800": "oklch(28% .029 258)",
    "900": "oklch(21.5% .026 260)",
    "950": "oklch(15% .022 262)",
}
STEEL = {
    "50": "oklch(97.4% .013 240)",
    "100": "oklch(94.4% .028 240)",
    "200": "oklch(89% .053 241)",
    "300": "oklch(81% .087 243)",
    "400": "oklch(71.5% .118 245)",
    "500": "oklch(61% .132 247)",
    "600": "oklch(51.5% .125 249)",
    "700": "oklch(44.5% .109 250)",
    "800": "oklch(38% .088 251)",
    "900": "oklch(32.5% .068 252)",
    "950": "oklch(25% .05 254)",
}


def _asset(name: str) -> Any:
    """When a page asks for it: the manifest of static files is not there yet when the settings are read."""

    def url(request: HttpRequest) -> str:
        return static(name)

    return url


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Nameplate",
    "SITE_HEADER": "Nameplate",
    "SITE_URL": None,
    "SITE_LOGO": {"light": _asset("wordmark.svg"), "dark": _asset("wordmark-dark.svg")},
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _asset("favicon.svg")}],
    "STYLES": [_asset("console.css"), _asset("search.css")],
    "SCRIPTS": [_asset("console.js"), _asset("search.js")],
    "SHOW_HISTORY": False,
    "SHOW_LANGUAGES": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "base": SLATE,
        "primary": STEEL,
        "font": {
            "subtle-light": "var(--color-base-500)",
            "subtle-dark": "var(--color-base-400)",
            "default-light": "var(--color-base-700)",
            "default-dark": "var(--color-base-300)",
            "important-light": "var(--color-base-900)",
            "important-dark": "var(--color-base-100)",
        },
    },
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": "console.navigation.sections"},
    "ACCOUNT": {"navigation": [{"title": _("Your account"), "link": reverse_lazy("admin:account")}]},
}
