"""Under /api/v1/."""

from django.urls import path

from console.rest import places as places
from products.api import data_centers, products, switches

urlpatterns = [
    path("products", products.Products.as_view(), name="products"),
    path("products/<word:key>", products.OneProduct.as_view(), name="product"),
    path("products/<word:key>/publish", products.Publish.as_view(), name="product-publish"),
    path("products/<word:key>/withdraw", products.Withdraw.as_view(), name="product-withdraw"),
    path("products/<word:key>/secret", products.Secret.as_view(), name="product-secret"),
    path("products/<word:key>/code-grants", products.Grants.as_view(), name="product-code-grants"),
    path("products/<word:key>/dynamic-registration/code", switches.RequestCode.as_view(), name="product-dynamic-registration-code"),
    path("products/<word:key>/dynamic-registration/turn-on", switches.TurnOn.as_view(), name="product-dynamic-registration-on"),
    path("products/<word:key>/dynamic-registration/turn-off", switches.TurnOff.as_view(), name="product-dynamic-registration-off"),
    path("products/<word:key>/automatic-creation", switches.AutomaticCreation.as_view(), name="product-automatic-creation"),
    path("products/<word:key>/per-product-secret/enable", switches.EnablePerProductSecret.as_view(), name="product-secret-method-on"),
    path("products/<word:key>/per-product-secret/disable", switches.DisablePerProductSecret.as_view(), name="product-secret-method-off"),
    path("products/<word:key>/preregistration-free", switches.PreregistrationFree.as_view(), name="product-preregistration-free"),
    path("data-centers", data_centers.DataCenters.as_view(), name="data-centers"),
    path("data-centers/<word:code>", data_centers.OneDataCenter.as_view(), name="data-center"),
    path("data-centers/<word:code>/make-home", data_centers.MakeHome.as_view(), name="data-center-make-home"),
]
