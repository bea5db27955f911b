"""EMQX 5: DELETE /api/v5/clients/{clientid}, with an API key and its secret.

Source: docs.emqx.com, REST API, clients. Not tried against a running EMQX; the tests' server follows the documented answers.
"""

from collections.abc import Sequence
from datetime import timedelta

from products.services.brokers import BrokerAccess
from registration.brokers.base import Client
from registration.brokers.web import Web, encoded


class Emqx:
    lists_clients = False
    shows_after = timedelta(seconds=0)

    def __init__(self, access: BrokerAccess) -> None:
        self._web = Web(access.management_url, access.management_user, access.management_secret)

    def drop(self, mqtt_client_id: str, session: str) -> bool:
        answer = self._web.ask("DELETE", f"/api/v5/clients/{encoded(mqtt_client_id)}")
        if answer.status == 204:
            return True
        # A wrong URL is answered with 404 as well; only this code says that the client is not there.
        if answer.status == 404 and _code(answer.json()) == "CLIENTID_NOT_FOUND":
            return False
        raise self._web.unexpected(answer)

    def clients(self) -> Sequence[Client]:
        return ()

    def check(self) -> None:
        answer = self._web.ask("GET", "/api/v5/clients?limit=1")
        if answer.status != 200:
            raise self._web.unexpected(answer)


def _code(told: object) -> object:
    return told.get("code") if isinstance(told, dict) else None
