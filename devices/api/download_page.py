"""The page on which a contract manufacturer redeems a download code: no account, no script, nothing kept on the way."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_cookie

from console.errors import DomainError, Unavailable
from console.shared.addresses import client_address
from console.shared.attachments import attachment
from console.shared.translation import shown
from devices.services import download_codes
from devices.services.download_codes import BeingPrepared, TooManyAttempts


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_cookie
def download(request: HttpRequest) -> HttpResponseBase:
    """GET shows the form, POST answers with the file. What opens nothing is one answer (404), too many of these another (429)."""
    if request.method != "POST":
        return _page(request, 200)
    code = request.POST.get("code", "")[:64]
    address = client_address(request.META, settings.NAMEPLATE_TRUSTED_PROXIES)
    try:
        file = download_codes.redeem(code, address=address, at=timezone.now())
        return attachment(file.name, file.content_type, file.size, file.pieces)
    except BeingPrepared as error:
        response = _page(request, 503, preparing=shown(error), code=code)
        response["Retry-After"] = "5"
        return response
    except TooManyAttempts as error:
        return _page(request, 429, refused=shown(error))
    except Unavailable as error:
        return _page(request, 503, refused=shown(error))
    except DomainError as error:
        return _page(request, 404, refused=shown(error))


def _page(request: HttpRequest, status: int, **context: Any) -> HttpResponse:
    response = TemplateResponse(request, "devices/download.html", context, status=status)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"
    return response
