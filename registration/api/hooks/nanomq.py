"""NanoMQ: the status alone decides, 200 or 403. It asks with a form or with JSON, and its webhook tells who came and left.

Its own documents say that the question about topics is not asked in every version, so it is no protection to rely on. Its forms are not
percent-encoded (NanoNNG, auth_http.c): a user name with an ampersand breaks, so that Alibaba's devices need JSON.
"""

from typing import Final

from django.http import HttpResponse

from products.models import BrokerKind
from registration.api.hooks.asking import Hooks, Question, plain
from registration.protocols.topics import Action

ACCESS: Final[dict[str, Action]] = {"1": "subscribe", "2": "publish"}
"""`%A` in its configuration."""
ACCEPTED: Final = (None, 0, "0", "success")
"""`conn_ack` of an event; a version that does not tell it tells of accepted clients alone."""


def allow() -> HttpResponse:
    return plain(b"allow")


def deny() -> HttpResponse:
    return plain(b"deny", 403)


def authenticate(question: Question) -> HttpResponse:
    return allow() if question.connect("clientid", "username", "password", "ipaddress").allowed else deny()


def acl(question: Question) -> HttpResponse:
    """All topics of a subscription come in one text, with commas between; so every part must be the device's own."""
    action = ACCESS.get(str(question.fields.get("access", "")))
    username, client_id, topics = (question.text(name) for name in ("username", "clientid", "topic"))
    allowed = action and all(question.may(client_id, username, action, topic) for topic in topics.split(","))
    return allow() if allowed else deny()


def event(question: Question) -> HttpResponse:
    client_id, action = question.text("clientid"), question.text("action")
    if action == "client_connack" and question.fields.get("conn_ack") in ACCEPTED:
        question.connected(client_id)
    elif action == "client_disconnected":
        question.disconnected(client_id, reason=question.text("reason"))
    return allow()


HOOKS = Hooks(BrokerKind.NANOMQ, {"authenticate": authenticate, "acl": acl, "event": event}, deny)
