"""The paths that console/doors.py answers before all middleware: of devices and brokers, of watchdogs, and our revocation lists."""

from django.urls import include, path

from console.metrics import metrics
from console.probes import alive, ready
from products.api.published_lists import published_list

urlpatterns = [
    path("healthz", alive, name="alive"),
    path("readyz", ready, name="ready"),
    path("metrics", metrics, name="metrics"),
    path("crl/<int:number>.crl", published_list, name="published-list"),
    path("", include("registration.api.device_urls")),
]
