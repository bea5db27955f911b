"""Where everything is mounted. The doors of devices are listed for naming and for the API's schema; console.doors answers them first."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("registration.api.device_urls")),
    path("api/", include("registration.api.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", admin.site.urls),
]
