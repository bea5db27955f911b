"""The public keys of receipts, for whoever checks one: no account, nothing but what is public anyway."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from console.crypto import signing
from devices.models import ReceiptKey
from devices.rules.receipt_form import moment
from devices.services import receipt_chain

KEPT_SECONDS = 300


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """The newest first, as devices.rules.receipt_checks reads them."""
    lines = [
        {
            "key": key.key_id,
            "algorithm": "Ed25519",
            "public_key": signing.pem(bytes.fromhex(key.public)),
            "fingerprint": signing.fingerprint(bytes.fromhex(key.public)),
            "from": moment(key.made_at),
            "until": moment(key.retired_at),
        }
        for key in ReceiptKey.objects.order_by("-pk")
    ]
    return _public(JsonResponse({"installation": receipt_chain.installation(), "keys": lines}))


@require_safe
def pem(request: HttpRequest) -> HttpResponse:
    """The same keys as PEM blocks, the newest first."""
    text = "".join(signing.pem(bytes.fromhex(key.public)) for key in ReceiptKey.objects.order_by("-pk"))
    return _public(HttpResponse(text, content_type="application/x-pem-file"))


def _public(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    response["X-Content-Type-Options"] = "nosniff"
    return response
