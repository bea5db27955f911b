"""VerneMQ: GET /api/v1/session/disconnect?client-id=..., with an API key of the scope "mgmt" as the user.

Source: docs.vernemq.com, HTTP administration. Not tried against a running VerneMQ; the tests' server follows the documented answers.
It answers 200 whether the client was connected or not, so here everybody who is asked for counts as dropped.
The client's session is not cleaned up: a device that was evicted by its newer connection keeps what waits for it.
"""

from collections.abc import Sequence
from datetime import timedelta

from products.services.brokers import BrokerAccess
from registration.brokers.base import Client
from registration.brokers.web import Web, encoded


class VerneMQ:
    lists_clients = False
    shows_after = timedelta(seconds=0)

    def __init__(self, access: BrokerAccess) -> None:
        self._web = Web(access.management_url, access.management_secret, "")

    def drop(self, mqtt_client_id: str, session: str) -> bool:
        answer = self._web.ask("GET", f"/api/v1/session/disconnect?client-id={encoded(mqtt_client_id)}")
        if answer.status == 200:
            return True
        raise self._web.unexpected(answer)

    def clients(self) -> Sequence[Client]:
        return ()

    def check(self) -> None:
        answer = self._web.ask("GET", "/api/v1/cluster/show")
        if answer.status != 200:
            raise self._web.unexpected(answer)
