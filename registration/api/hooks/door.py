"""Every hook of every kind: /hooks/<kind>/<secret>/<call>, or /hooks/<kind>/<call> with the secret as a bearer token, or in a header of
its own where the device's own Authorization may come along.

It fails closed, and in the broker's own words: an unknown secret, a question that cannot be read, a failure of ours, all are the kind's
refusal, with the status at which that broker refuses. Nothing of a question, and no secret, is written to any log.
"""

import logging
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from console.errors import DomainError
from products.services import brokers
from registration.api.hooks import emqx, gateways, mosquitto, nanomq, rabbitmq, vernemq
from registration.api.hooks.asking import Hooks, Question, plain

log = logging.getLogger(__name__)

KINDS: Final[dict[str, Hooks]] = {
    hooks.kind: hooks for hooks in (*(module.HOOKS for module in (rabbitmq, emqx, vernemq, mosquitto, nanomq)), *gateways.ALL)
}
MAX_SECRET: Final = 128


def hook(request: HttpRequest, rest: str) -> HttpResponse:
    """`rest`: what follows /hooks/ in the path."""
    kind, _slash, rest = rest.partition("/")
    hooks = KINDS.get(kind)
    if hooks is None:
        return plain(b"", 404)
    return _without_body(_decided(hooks, request, rest)) if request.method == "HEAD" else _decided(hooks, request, rest)


hook.csrf_exempt = True  # type: ignore[attr-defined]


def _decided(hooks: Hooks, request: HttpRequest, rest: str) -> HttpResponse:
    try:
        return _answer(hooks, request, rest)
    except DomainError as error:
        log.info("A question of a broker (%s) was refused unread: %s", hooks.kind, error.message)
    except Exception:
        log.exception("A hook failed, its broker (%s) was told no.", hooks.kind)
    return hooks.refuse()


def _without_body(response: HttpResponse) -> HttpResponse:
    """The server sends what there is, whatever was asked for."""
    response.content = b""
    response["Content-Length"] = "0"
    return response


def _answer(hooks: Hooks, request: HttpRequest, rest: str) -> HttpResponse:
    secret, call = _secret_and_call(hooks, request, rest)
    broker = brokers.by_hook_secret(secret, hooks.kind) if 0 < len(secret) <= MAX_SECRET else None
    answer = hooks.calls.get(call)
    if broker is None or answer is None or request.method not in hooks.methods:
        return hooks.refuse()
    return answer(Question(broker, call, hooks.read(request), timezone.now()))


def _secret_and_call(hooks: Hooks, request: HttpRequest, rest: str) -> tuple[str, str]:
    """Empty where there is none. The path's secret counts where both are given."""
    parts = rest.split("/") if rest else []
    if hooks.any_path:
        return _of_any_path(hooks, request, parts)
    call = hooks.call_of(request) if hooks.call_of else (parts.pop() if parts else "")
    if len(parts) > 1:
        return "", call
    return (parts[0] if parts else _bearer(request)), call


def _of_any_path(hooks: Hooks, request: HttpRequest, parts: list[str]) -> tuple[str, str]:
    """Either may stand first; whatever follows the call is the device's own path. No secret of ours is the name of a call."""
    if parts and parts[0] in hooks.calls:
        return request.headers.get(hooks.secret_header, ""), parts[0]
    return (parts[0], parts[1]) if len(parts) > 1 else ("", "")


def _bearer(request: HttpRequest) -> str:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
