"""RabbitMQ with rabbitmq_mqtt and rabbitmq_auth_backend_http: 200 with the text `allow` or `deny`, by POST or GET.

Recorded from RabbitMQ 3.10.8 (tests/registration/vectors/hooks.json). Its MQTT plugin translates topics to routing keys, `/` to `.`
and `+` to `*`; a `.` of the topic stays one, so that the way back is found by the device's own names.
"""

from typing import Final

from django.http import HttpResponse

from console.errors import DomainError
from products.models import BrokerKind
from registration.api.hooks.asking import BadQuestion, Hooks, Question, plain
from registration.protocols import connection_schemes

EXCHANGE: Final = "amq.topic"
OWN_QUEUES: Final = ("mqtt-subscription-{}qos0", "mqtt-subscription-{}qos1", "mqtt-will-{}")
QUEUE_PERMISSIONS: Final = frozenset({"configure", "write", "read"})
EXCHANGE_PERMISSIONS: Final = frozenset({"write", "read"})


def allow() -> HttpResponse:
    """Without tags: a device has no right to RabbitMQ's management."""
    return plain(b"allow")


def deny() -> HttpResponse:
    return plain(b"deny")


def user(question: Question) -> HttpResponse:
    """Without a password it is a client with a certificate, which the decision refuses. Raises BadQuestion without a client id: that is no
    MQTT client but one of AMQP, of STOMP or of the management page, and no device has anything to do there."""
    if not question.text("client_id"):
        raise BadQuestion("Somebody who is no MQTT client tried to log in.", field="client_id")
    return _answer(question.connect("client_id", "username", "password").allowed)


def vhost(question: Question) -> HttpResponse:
    """The one call that carries the device's address."""
    if question.text("vhost") != question.broker.vhost or not _is_device(question.text("username")):
        return deny()
    question.connected(question.text("client_id"), address=question.address("ip"))
    return allow()


def resource(question: Question) -> HttpResponse:
    """A device's own queues, and the exchange of the topics; what it may do there with a topic is asked separately."""
    kind, name, permission = (question.text(field) for field in ("resource", "name", "permission"))
    if question.text("vhost") != question.broker.vhost or not _is_device(question.text("username")):
        return deny()
    if kind == "exchange":
        return _answer(name == EXCHANGE and permission in EXCHANGE_PERMISSIONS)
    client_id = question.text("client_id")
    own = bool(client_id) and name in [queue.format(client_id) for queue in OWN_QUEUES]
    return _answer(kind == "queue" and own and permission in QUEUE_PERMISSIONS)


def topic(question: Question) -> HttpResponse:
    username, permission = question.text("username"), question.text("permission")
    if question.text("vhost") != question.broker.vhost or question.text("name") != EXCHANGE or permission not in EXCHANGE_PERMISSIONS:
        return deny()
    asked = mqtt_topic(question.text("routing_key"), username)
    client_id = question.text("variable_map.client_id")
    return _answer(question.may(client_id, username, "publish" if permission == "write" else "subscribe", asked))


def mqtt_topic(routing_key: str, username: str) -> str:
    """The topic that a device with this user name meant. Raises Malformed for a user name of no known form.

    Every `.` is taken for a `/` but for those of the DeviceName where the topic has it. To RabbitMQ both are one and the same.
    """
    product_key, device_name = connection_schemes.names_in(username)
    levels = routing_key.replace("*", "+").replace(".", "/")
    if "." not in device_name:
        return levels
    before, names, after = f"/{levels}/".partition(f"/{product_key}/{device_name.replace('.', '/')}/")
    return f"{before}/{product_key}/{device_name}/{after}"[1:-1] if names else levels


def _is_device(username: str) -> bool:
    try:
        connection_schemes.names_in(username)
    except DomainError:
        return False
    return True


def _answer(allowed: bool) -> HttpResponse:
    return allow() if allowed else deny()


HOOKS = Hooks(BrokerKind.RABBITMQ, {"user": user, "vhost": vhost, "resource": resource, "topic": topic}, deny)
