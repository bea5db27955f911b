"""Which adapter belongs to which kind of broker."""

from collections.abc import Callable, Mapping
from typing import Final

from products.services.brokers import BrokerAccess
from registration.brokers.base import Dropper
from registration.brokers.emqx import Emqx
from registration.brokers.rabbitmq import RabbitMQ
from registration.brokers.vernemq import VerneMQ

DROPPERS: Final[Mapping[str, Callable[[BrokerAccess], Dropper]]] = {"rabbitmq": RabbitMQ, "emqx": Emqx, "vernemq": VerneMQ}


def dropper(access: BrokerAccess) -> Dropper | None:
    """How clients are dropped there; None where no client can be, or nobody has said where the broker's interface is."""
    made = DROPPERS.get(access.kind)
    return made(access) if made and access.management_url else None
