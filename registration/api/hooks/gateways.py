"""nginx, HAProxy and Envoy: no brokers, but proxies that end a device's mutual TLS and ask whether it may come in.

One call, `connect`, for two uses. Where the device's own request is handed on to it, the answer goes to the device. As a question of the
proxy's beside the request (nginx auth_request, Envoy ext_authz, HAProxy's Lua), status and headers count: 200 lets the request pass, 403
does not. The headers are believed because of the secret that comes with them, in X-Proxy-Secret or in the path; a client who writes them
itself has none. The request's body and its own Authorization are the device's, and are not looked at.
"""

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from console.shared import request_ids
from console.shared.addresses import client_address
from products.models import BrokerKind
from registration.api.hooks.asking import Hooks, Question, plain, read_form
from registration.protocols import presented_certificates
from registration.protocols.connecting import Presented
from registration.protocols.presented_certificates import DerChain, NoCertificatePresented, Proxy
from registration.protocols.wire import compact_json
from registration.services import broker_auth
from registration.services.broker_auth import Verdict

PROOF: Final = "X-Proxy-Secret"
PRODUCT: Final = "X-Product-Key"
PRODUCT_ANSWER, DEVICE_ANSWER = "X-Device-Product-Key", "X-Device-Name"
PRODUCT_FIELD, ADDRESS_FIELD = "product_key", "address"
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Envoy asks with the device's own."""


def refuse() -> HttpResponse:
    return _refused(str(request_ids.current()))


def connect(question: Question) -> HttpResponse:
    """The proxy names the product, or the CA that issued the certificate does."""
    presented = Presented("", "", "", product_key=question.text(PRODUCT_FIELD))
    address = question.text(ADDRESS_FIELD)
    try:
        verdict = question.decide(presented, address, lambda fields: _certificates(question))
    except NoCertificatePresented as error:
        verdict = broker_auth.refuse(broker=question.broker, presented=presented, address=address, error=error, at=question.at)
    return _allowed(verdict) if verdict.allowed else _refused(verdict.request_id)


def read(request: HttpRequest) -> dict[str, object]:
    """The headers that proxies set, by lower-case name, and of the query the product alone. Raises BadQuestion."""
    fields: dict[str, object] = {name.lower(): request.headers[name] for name in presented_certificates.HEADERS if name in request.headers}
    fields[PRODUCT_FIELD] = request.headers.get(PRODUCT, "") or _product_in_query(request)
    fields[ADDRESS_FIELD] = client_address(request.META, settings.NAMEPLATE_TRUSTED_PROXIES)
    return fields


def _certificates(question: Question) -> DerChain:
    headers = {name: question.text(name) for name in question.fields if name not in (PRODUCT_FIELD, ADDRESS_FIELD)}
    return presented_certificates.from_headers(Proxy(question.broker.kind), headers)


def _product_in_query(request: HttpRequest) -> str:
    query = request.META.get("QUERY_STRING", "")
    value = read_form(query.encode("latin-1", "replace")).get(PRODUCT_FIELD) if f"{PRODUCT_FIELD}=" in query else ""
    return value if isinstance(value, str) else ""


def _allowed(verdict: Verdict) -> HttpResponse:
    """The DeviceName in its stored form, so that two spellings of one name are one device to whatever stands behind the proxy."""
    body = {"productKey": verdict.product_key, "deviceName": verdict.stored_name, "requestId": verdict.request_id}
    response = plain(compact_json(body), content_type="application/json")
    response[PRODUCT_ANSWER] = verdict.product_key
    response[DEVICE_ANSWER] = verdict.stored_name
    return response


def _refused(request_id: str) -> HttpResponse:
    return plain(compact_json({"code": "refused", "requestId": request_id}), 403, "application/json")


ALL: Final = tuple(
    Hooks(kind, {"connect": connect}, refuse, read=read, methods=METHODS, secret_header=PROOF, any_path=True)
    for kind in (BrokerKind.NGINX, BrokerKind.HAPROXY, BrokerKind.ENVOY)
)
