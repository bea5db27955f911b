"""The paths that console/doors.py answers before all middleware: those of devices and brokers, and those of watchdogs."""

from django.urls import include, path

from console.metrics import metrics
from console.probes import alive, ready

urlpatterns = [
    path("healthz", alive, name="alive"),
    path("readyz", ready, name="ready"),
    path("metrics", metrics, name="metrics"),
    path("", include("registration.api.device_urls")),
]
