"""The paths that devices and brokers call, exact and without a trailing slash. console/doors.py dispatches them before all middleware."""

from django.urls import path

from registration.api.doors import door
from registration.api.hooks.door import hook
from registration.api.native import RegisterDevice
from registration.protocols.registry import every_protocol

OTHER_DOORS = {"native": RegisterDevice.as_view()}

urlpatterns = [
    path("hooks/<path:rest>", hook, name="broker-hook"),
    *(
        path(protocol.path.removeprefix("/"), OTHER_DOORS.get(protocol.name) or door(protocol.name), name=protocol.name)
        for protocol in every_protocol()
    ),
]
