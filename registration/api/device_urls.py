"""The paths that devices and brokers call, exact and without a trailing slash. console/doors.py dispatches them before all middleware."""

from collections.abc import Callable

from django.http import HttpResponse
from django.urls import path

from registration.api.doors import door
from registration.api.hooks.door import hook
from registration.api.native import register_device
from registration.protocols.registry import every_protocol

OTHER_DOORS = {"native": register_device}
DOORS = {protocol.path: (protocol.name, OTHER_DOORS.get(protocol.name) or door(protocol.name)) for protocol in every_protocol()}

VIEWS: dict[str, tuple[str, Callable[..., HttpResponse]]] = {"/hooks/": ("broker-hook", hook), **DOORS}
"""Each view with its name, by its path, or by a path's beginning that ends in a slash."""

urlpatterns = [
    path("hooks/<path:rest>", hook, name="broker-hook"),
    *(path(exact.removeprefix("/"), view, name=name) for exact, (name, view) in DOORS.items()),
]
