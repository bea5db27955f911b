"""The address of our revocation lists: for everybody and over plain HTTP too, since whoever checks certificates has no account."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import quote_etag

from console.errors import DomainError, NotFound
from products.services import published_lists

MEDIA = "application/pkix-crl"
KEPT_SECONDS = 300
"""A proxy may answer in our place for so long: what is revoked is known elsewhere five minutes later at most."""


def published_list(request: HttpRequest, number: int) -> HttpResponse:
    """GET /crl/<number>.crl: DER (RFC 5280; media type of RFC 2585)."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(b"", status=405, headers={"Allow": "GET, HEAD"}, content_type="text/plain")
    try:
        found = published_lists.current(number, at=timezone.now())
    except NotFound:
        return HttpResponse(b"", status=404, content_type="text/plain")
    except DomainError:
        return HttpResponse(b"", status=503, content_type="text/plain")
    tag = quote_etag(f"{number}-{found.number}")
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={KEPT_SECONDS}", "X-Content-Type-Options": "nosniff"}
    if request.headers.get("If-None-Match") == tag:
        return HttpResponse(b"", status=304, headers=headers)
    return HttpResponse(bytes(found.der), headers=headers, content_type=MEDIA)
