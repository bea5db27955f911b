"""Where everything is mounted. The doors of devices are listed for naming and for the API's schema; console.doors answers them first."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from console.rest.endpoints import NoSuchAddress
from devices.api.download_page import download

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("console.door_urls")),
    path("api/v1/", include("products.api.urls")),
    path("api/v1/", include("devices.api.urls")),
    path("api/v1/", include("registration.api.management.urls")),
    path("api/v1/<path:rest>", NoSuchAddress.as_view()),
    path("api/", include("registration.api.urls")),
    path("download/", download, name="download"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", admin.site.urls),
]
