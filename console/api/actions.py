"""What an API key can be made for: the permissions that some operation asks for, grouped as the operations are."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.translation import gettext_lazy as _

from console.people import permissions

TITLES = {
    "Products": _("Actions on products"),
    "Data centers": _("Actions on data centers"),
    "Certificates": _("Actions on certificates"),
    "Pre-import": _("Actions on the pre-import list"),
    "Production": _("Actions in mass production"),
    "Serial numbers": _("Actions on serial numbers"),
    "Devices": _("Actions on devices"),
    "Log": _("Actions on the device log"),
    "Work": _("Actions on the audit log"),
}
"""Tags of the API in the order of the work, in words for the page of keys."""


def offered_to(user: Any) -> list[tuple[str, list[tuple[str, str]]]]:
    """Tag → (permission, in words) of what the person may do."""
    words = {permissions.name_of(one): permissions.words_of(one) for one in permissions.grantable()}
    found: dict[str, list[tuple[str, str]]] = {tag: [] for tag in TITLES}
    for permission, tag in asked_for().items():
        if permission in words and user.has_perm(permission):
            found[tag].append((permission, words[permission]))
    return [(tag, choices) for tag, choices in found.items() if choices]


def asked_for() -> dict[str, str]:
    """Permission → the tag of the first operation that asks for it, and for it alone if there is one."""
    found: dict[str, str] = {}
    for operation in sorted(operations(), key=lambda operation: len(operation.permissions)):
        for permission in operation.permissions:
            found.setdefault(permission, operation.tag)
    return found


def operations() -> Iterator[Any]:
    """Every declared operation (console.rest.endpoints.Operation), in the order of the addresses."""
    for _address, view in addresses():
        for verb in ("get", "post", "put", "patch", "delete"):
            declared = getattr(getattr(view, verb, None), "operation", None)
            if declared is not None:
                yield declared


def addresses() -> Iterator[tuple[str, Any]]:
    """Each address, with its parameters in angle brackets, and the class of its endpoint."""
    return _addresses("", get_resolver().url_patterns)


def _addresses(before: str, patterns: list[Any]) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        address = f"{before}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from _addresses(address, pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and (view := getattr(pattern.callback, "view_class", None)):
            yield address, view
