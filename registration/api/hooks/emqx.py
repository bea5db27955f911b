"""EMQX 5: HTTP authentication and authorization, and the rule that sends its events.

Always 200 with JSON, a refusal too: EMQX takes any other status as "ignore", asks the next authenticator, and without an authorizer's
answer its default is to allow. The rules of what a device may do are in the answer to its connection, so that no publish asks us.
"""

from collections.abc import Mapping
from typing import Final

from django.http import HttpResponse

from products.models import BrokerKind
from registration.api.hooks.asking import ACTIONS, Hooks, Question, plain
from registration.protocols import topics
from registration.protocols.presented_certificates import DerChain, from_emqx
from registration.protocols.wire import compact_json
from registration.services.broker_auth import Verdict

NOTHING_ELSE: Final = ("#", *(f"${root}/#" for root in (
    "SYS", "share", "queue", "delayed", "events", "exclusive", "thing", "ota", "shadow", "template", "gateway", "sys", "log", "config",
    "resource", "broadcast", "rrpc", "file", "stream",
)))  # fmt: skip
"""What is forbidden after all that is allowed: `#` does not cover topics that begin with a dollar sign."""
CONNECTED: Final = "client.connected"
DISCONNECTED: Final = "client.disconnected"


def result(word: str, **more: object) -> HttpResponse:
    return plain(compact_json({"result": word, **more}), content_type="application/json")


def deny() -> HttpResponse:
    return result("deny")


def authenticate(question: Question) -> HttpResponse:
    """No `expire_at`: EMQX would cut a healthy device at that moment. Who loses the right to be connected is dropped by an order."""
    verdict = question.connect("clientid", "username", "password", "peerhost", handed_on=certificate)
    return result("allow", is_superuser=False, acl=rules(verdict)) if verdict.allowed else deny()


def certificate(fields: Mapping[str, object]) -> DerChain:
    """`cert_pem`, where the lines of its configuration ask for it: the device's own certificate, without those above it."""
    return from_emqx(fields.get("cert_pem"))


def rules(verdict: Verdict) -> list[dict[str, str]]:
    """In the order in which EMQX tries them."""
    own = topics.patterns(verdict.product_key, verdict.device_name)
    allowed = [{"permission": "allow", "action": action, "topic": pattern} for action, pattern in own]
    return allowed + [{"permission": "deny", "action": "all", "topic": pattern} for pattern in NOTHING_ELSE]


def authorize(question: Question) -> HttpResponse:
    """For an EMQX before 5.8, which does not read rules in the other answer."""
    action = ACTIONS.get(question.text("action"))
    client_id, username, topic = (question.text(name) for name in ("clientid", "username", "topic"))
    return result("allow") if action and question.may(client_id, username, action, topic) else deny()


def event(question: Question) -> HttpResponse:
    """`peername` is address and port; the moments are milliseconds since 1970."""
    client_id, name = question.text("clientid"), question.text("event")
    if name == CONNECTED:
        question.connected(client_id, address=question.address("peername"))
    elif name == DISCONNECTED:
        at, began_at = question.moment("disconnected_at"), question.moment("connected_at")
        question.disconnected(client_id, at=at, began_at=began_at, reason=question.text("reason"))
    return result("ok")


HOOKS = Hooks(BrokerKind.EMQX, {"authenticate": authenticate, "authorize": authorize, "event": event}, deny)
