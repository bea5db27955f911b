"""VerneMQ's webhooks: one URL for all, the question's name in the header `vernemq-hook`, and always 200 with JSON.

Any other status is an error to VerneMQ, and `next` would ask another plugin. No answer may carry Cache-Control: VerneMQ would let a
device in by an old answer after it was forbidden.
"""

from collections.abc import Callable, Mapping
from typing import Final

from django.http import HttpRequest, HttpResponse

from products.models import BrokerKind
from registration.api.hooks.asking import BadQuestion, Hooks, Question, plain, text_of
from registration.protocols.presented_certificates import DerChain, from_vernemq
from registration.protocols.topics import Action
from registration.protocols.wire import compact_json

REFUSED_3: Final = 128
REFUSED_5: Final = 135
"""Of a subscription: MQTT 3's failure, MQTT 5's "not authorized"."""
MAX_TOPICS: Final = 200


def result(value: object, **more: object) -> HttpResponse:
    return plain(compact_json({"result": value, **more}), content_type="application/json")


def allow() -> HttpResponse:
    return result("ok")


def refuse() -> HttpResponse:
    return result({"error": "not_allowed"})


def register(question: Question) -> HttpResponse:
    verdict = question.connect("client_id", "username", "password", "peer_addr", handed_on=certificate)
    return allow() if verdict.allowed else refuse()


def certificate(fields: Mapping[str, object]) -> DerChain:
    """`client_cert`, where the listener has forward_connection_opts: the device's own certificate, without those above it."""
    return from_vernemq(fields.get("client_cert"))


def publish(question: Question) -> HttpResponse:
    return allow() if _may(question, "publish", question.text("topic")) else refuse()


def subscribe(refused: int) -> Callable[[Question], HttpResponse]:
    """Each topic on its own, its options kept: those that are not allowed get the code instead of their QoS."""

    def answer(question: Question) -> HttpResponse:
        topics = [_topic(question, one, refused) for one in _topics(question)]
        if refused == REFUSED_5:
            return result("ok", modifiers={"topics": topics})
        return result("ok", topics=topics)

    return answer


def registered(question: Question) -> HttpResponse:
    question.connected(question.text("client_id"), address=question.address("peer_addr"))
    return plain(b"{}", content_type="application/json")


def gone(question: Question) -> HttpResponse:
    """Of a client with a stored session (offline) and of one without (gone)."""
    question.disconnected(question.text("client_id"), reason=_reason(question))
    return plain(b"{}", content_type="application/json")


def call_of(request: HttpRequest) -> str:
    return request.headers.get("vernemq-hook", "")


def _may(question: Question, action: Action, topic: str) -> bool:
    return question.may(question.text("client_id"), question.text("username"), action, topic)


def _topics(question: Question) -> list[dict[str, object]]:
    """Raises BadQuestion. An empty list would be answered with one, which VerneMQ takes for "all as asked"."""
    topics = question.fields.get("topics")
    if not isinstance(topics, list) or not 0 < len(topics) <= MAX_TOPICS or not all(isinstance(one, dict) for one in topics):
        raise BadQuestion("The topics are not a list of topics.", field="topics")
    return topics


def _topic(question: Question, asked: dict[str, object], refused: int) -> dict[str, object]:
    if str(asked.get("qos")) not in {"0", "1", "2"} or not _may(question, "subscribe", text_of(asked.get("topic"))):
        return {"topic": text_of(asked.get("topic")), "qos": refused}
    return {name: asked[name] for name in ("topic", "qos", "no_local", "rap", "retain_handling") if name in asked}


def _reason(question: Question) -> str:
    """Only newer versions tell one."""
    reason = question.fields.get("reason")
    return reason if isinstance(reason, str) else ""


HOOKS = Hooks(
    BrokerKind.VERNEMQ,
    {
        "auth_on_register": register,
        "auth_on_register_m5": register,
        "auth_on_publish": publish,
        "auth_on_publish_m5": publish,
        "auth_on_subscribe": subscribe(REFUSED_3),
        "auth_on_subscribe_m5": subscribe(REFUSED_5),
        "on_register": registered,
        "on_register_m5": registered,
        "on_client_offline": gone,
        "on_client_gone": gone,
    },
    refuse,
    call_of,
)
