"""The path that a load balancer asks."""

from django.http import HttpRequest, HttpResponse

from registration.api.doors import with_length


def health(request: HttpRequest) -> HttpResponse:
    """Says that this process takes requests. It asks no database: where that is away, the doors themselves say so in each scheme's
    own words, and a load balancer that took every server out would leave the devices with no answer at all."""
    if request.method not in ("GET", "HEAD"):
        return with_length(HttpResponse(b"", status=405, headers={"Allow": "GET, HEAD"}, content_type="text/plain"))
    return with_length(HttpResponse(b"ok", content_type="text/plain"))
