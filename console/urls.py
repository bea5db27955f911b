"""Where everything is mounted. The doors of devices are listed for naming and for the API's schema; console.doors answers them first."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from console.rest.endpoints import NoSuchAddress
from devices.api import receipt_keys_page
from devices.api.download_page import download

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("console.door_urls")),
    path("api/v1/", include("products.api.urls")),
    path("api/v1/", include("devices.api.urls")),
    path("api/v1/", include("registration.api.management.urls")),
    re_path("^api/v1(/|$)", NoSuchAddress.as_view()),
    path("api/", include("registration.api.urls")),
    path("download/", download, name="download"),
    path("receipts/keys", receipt_keys_page.keys, name="receipt_keys"),
    path("receipts/keys.pem", receipt_keys_page.pem, name="receipt_keys_pem"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", admin.site.urls),
]
handler400 = "console.rest.outside.bad_request"
handler403 = "console.rest.outside.permission_denied"
handler404 = "console.rest.outside.page_not_found"
handler500 = "console.rest.outside.server_error"
