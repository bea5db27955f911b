"""The real web server ends: what it answered a moment ago is in the database."""

import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from console.shared import keyring
from devices.models import Authentication, Connection
from products.models import Broker
from registration.models import DeviceEvent, DeviceLogEntry
from tests import cast
from tests.processes import Server
from tests.registration.connecting import broker, with_row_s_secret

pytestmark = pytest.mark.storage


def test_a_server_that_is_ended_writes_what_it_recorded(start_server: Callable[..., Server]) -> None:
    center, lamp = cast.home(), cast.lamp()
    row = Broker.objects.get(pk=broker(center).id)
    secret = keyring.unseal(row.sealed_hook_secret, owner=row.owner())
    things = [with_row_s_secret(cast.row(lamp, f"lamp-{number:04}", Authentication.STATIC)) for number in range(20)]
    server = start_server()
    for thing in things:
        presented = thing.presents(datetime.now(UTC))
        form = {"username": presented.username, "password": presented.password, "client_id": presented.client_id}
        with urllib.request.urlopen(f"{server.url}/hooks/rabbitmq/{secret}/user", urlencode(form).encode(), timeout=30) as answer:
            assert answer.read() == b"allow"
    server.process.popen.terminate()
    assert server.process.popen.wait(20) == 0
    assert Connection.objects.open().count() == len(things)
    assert DeviceLogEntry.objects.filter(event=DeviceEvent.CONNECTION, accepted=True).count() == len(things)
