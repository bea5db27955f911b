"""Under /api/v1/."""

from django.urls import path

from console.rest import places as places
from products.api import authorities, data_centers, issuing, products, revocation, switches

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
    path("products/<word:key>/certificate-policy", authorities.ProductCertificatePolicy.as_view(), name="product-certificate-policy"),
    path("certificate-authorities", authorities.Authorities.as_view(), name="certificate-authorities"),
    path("certificate-authorities/<number:number>", authorities.OneAuthority.as_view(), name="certificate-authority"),
    path("certificate-authorities/<number:number>/proof-code", authorities.ProofCode.as_view(), name="certificate-authority-code"),
    path("certificate-authorities/<number:number>/proof", authorities.Proof.as_view(), name="certificate-authority-proof"),
    path(
        "certificate-authorities/<number:number>/accept-without-proof",
        authorities.WithoutProof.as_view(),
        name="certificate-authority-accept",
    ),
    path("certificate-authorities/<number:number>/activate", authorities.Activate.as_view(), name="certificate-authority-activate"),
    path("certificate-authorities/<number:number>/deactivate", authorities.Deactivate.as_view(), name="certificate-authority-deactivate"),
    path("certificate-authorities/<number:number>/revoke", authorities.Revoke.as_view(), name="certificate-authority-revoke"),
    path("certificate-authorities/<number:number>/products", authorities.Served.as_view(), name="certificate-authority-products"),
    path("certificate-authorities/<number:number>/revocation-list", revocation.AuthorityList.as_view(), name="revocation-list"),
    path("certificate-authorities/<number:number>/revocation-list/upload", revocation.UploadList.as_view(), name="revocation-list-upload"),
    path("certificate-authorities/<number:number>/revocation-list/fetch", revocation.FetchList.as_view(), name="revocation-list-fetch"),
    path("certificate-authorities/<number:number>/revocation-list/remove", revocation.RemoveList.as_view(), name="revocation-list-remove"),
    path("certificate-authorities/<number:number>/revoked-serials", revocation.RevokedSerials.as_view(), name="revoked-serials"),
    path("products/<word:key>/issuing-ca", issuing.ProductIssuing.as_view(), name="product-issuing-ca"),
    path("products/<word:key>/issuing-ca/take-up", issuing.TakeUp.as_view(), name="product-issuing-ca-take-up"),
    path("products/<word:key>/issuing-ca/outside", issuing.UseOutside.as_view(), name="product-issuing-ca-outside"),
    path("products/<word:key>/issuing-ca/retire", issuing.Retire.as_view(), name="product-issuing-ca-retire"),
    path("products/<word:key>/revoke-device-certificates", issuing.RevokeDevice.as_view(), name="product-revoke-device-certificates"),
    path("issued-certificates", issuing.IssuedCertificates.as_view(), name="issued-certificates"),
    path("issued-certificates/<number:number>", issuing.OneIssued.as_view(), name="issued-certificate"),
    path("issued-certificates/<number:number>/revoke", issuing.RevokeIssued.as_view(), name="issued-certificate-revoke"),
    path("data-centers", data_centers.DataCenters.as_view(), name="data-centers"),
    path("data-centers/<word:code>", data_centers.OneDataCenter.as_view(), name="data-center"),
    path("data-centers/<word:code>/make-home", data_centers.MakeHome.as_view(), name="data-center-make-home"),
]
