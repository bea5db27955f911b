"""What a broker of an operator's can be asked: drop a client, and, where it keeps such a list, who is connected."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol as Interface

from console.errors import Unavailable


class BrokerUnreachable(Unavailable):
    """It did not answer, or not as its documentation says. The message names the address and never a secret."""

    code = "broker_unreachable"
    default_message = "The broker does not answer."


@dataclass(frozen=True, slots=True)
class Client:
    """One connected client. `session`: the broker's own name for the connection; `connected_at`: aware UTC. None or
    an empty text: it does not say."""

    mqtt_client_id: str
    session: str
    connected_at: datetime | None
    username: str = ""
    address: str | None = None


class Dropper(Interface):
    @property
    def lists_clients(self) -> bool:
        """Whether it tells who is there."""
        ...

    @property
    def shows_after(self) -> timedelta:
        """So long a client may be connected before the broker finds it."""
        ...

    def drop(self, mqtt_client_id: str, session: str) -> bool:
        """Ends the client's connection; `session` names the one that is meant, where it is known.

        True: dropped. False: it is not connected there. Raises BrokerUnreachable.
        """
        ...

    def clients(self) -> Sequence[Client]:
        """Everybody who is connected; empty where `lists_clients` is false. Raises BrokerUnreachable."""
        ...

    def check(self) -> None:
        """Asks for something small with the same access. Raises BrokerUnreachable."""
        ...
