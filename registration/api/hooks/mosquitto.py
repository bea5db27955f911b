"""Mosquitto with mosquitto-go-auth: 200 or 403, never a 500, which the plugin would take for an error of the backend.

The bodies are those of its `json` response mode, so that this and `status` work without a choice here. It asks with JSON or with a form.
Mosquitto tells neither a device's address nor that it left.
"""

from typing import Final

from django.http import HttpResponse

from products.models import BrokerKind
from registration.api.hooks.asking import Hooks, Question, plain
from registration.protocols.topics import Action

ACCESS: Final[dict[str, tuple[Action, ...]]] = {
    "1": ("subscribe",),
    "2": ("publish",),
    "3": ("subscribe", "publish"),
    "4": ("subscribe",),
}
"""`acc`: a message that is delivered, one that is published, both, a subscription."""


def allow() -> HttpResponse:
    return plain(b'{"ok":true,"error":""}', content_type="application/json")


def deny() -> HttpResponse:
    return plain(b'{"ok":false,"error":"denied"}', 403, "application/json")


def user(question: Question) -> HttpResponse:
    return allow() if question.connect("clientid", "username", "password").allowed else deny()


def superuser(question: Question) -> HttpResponse:
    """Nobody: a superuser would pass every topic unasked."""
    return deny()


def acl(question: Question) -> HttpResponse:
    username, client_id, topic = (question.text(name) for name in ("username", "clientid", "topic"))
    actions = ACCESS.get(_access(question), ())
    allowed = bool(actions) and all(question.may(client_id, username, action, topic) for action in actions)
    return allow() if allowed else deny()


def _access(question: Question) -> str:
    """A number in JSON, its digits in a form."""
    value = question.fields.get("acc")
    return str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""


HOOKS = Hooks(BrokerKind.MOSQUITTO, {"user": user, "superuser": superuser, "acl": acl}, deny)
