"""Cards that a higher floor adds to a lower floor's page: devices on the product page, the device log on the device page.

The page's owner asks for the panels of its page by name ("products.product") and knows nothing of those who give them.
What must be read first stands above the page's cards ("products.product.notice").
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString

Panel = Callable[[HttpRequest, Any], SafeString | str]
"""Returns a card as HTML, or nothing where the person may not see it."""

_panels: dict[str, list[Panel]] = {}


def panel(page: str) -> Callable[[Panel], Panel]:
    """Registers a panel for a page: the model's label in lower case."""

    def register(function: Panel) -> Panel:
        _panels.setdefault(page, []).append(function)
        return function

    return register


def panels_of(page: str, request: HttpRequest, target: Any) -> list[SafeString | str]:
    """In the order in which they were registered."""
    return [html for function in _panels.get(page, []) if (html := function(request, target))]
