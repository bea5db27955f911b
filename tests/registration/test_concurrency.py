"""One certificate activates one device, and a limit of N creates N, however many knock at once (A6, T3)."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connections

from devices.models import AutoCreation, Device
from products.models import Product
from products.services import data_centers, lookup
from registration.models import DeviceLogEntry, UsedNonce
from registration.protocols.base import Answer, Credentials, Reply
from registration.services.enrolment import register
from registration.services.schemes import schemes
from tests import cast
from tests.processes import Server
from tests.registration.knocking import SECRETS, request_of
from tests.registration.raw_http import exchange, request_bytes

pytestmark = pytest.mark.storage
PROTOCOLS = ("alibaba", "tencent-new", "tencent-old", "native")


def at_once(count: int, knock: Callable[[int], Answer]) -> list[Answer]:
    """`knock(number)` from so many threads, none of which begins before all are there."""
    barrier = threading.Barrier(count)

    def one(number: int) -> Answer:
        barrier.wait()
        return knock(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def knocking_at(server: Server, product: Product, name_of: Callable[[int], str]) -> Callable[[int], Answer]:
    """Each number speaks another scheme."""

    def knock(number: int) -> Answer:
        protocol = PROTOCOLS[number % len(PROTOCOLS)]
        credentials = Credentials(product.key, SECRETS[product.key], name_of(number))
        request = request_of(protocol, credentials, host="127.0.0.1", at=datetime.now(UTC))
        with server.connect(timeout=60) as connection:
            answer = exchange(connection, request_bytes(request.path, {"Host": "127.0.0.1", **request.headers}, request.body))
        reply = Reply(answer.body, status=int(answer.status_line.split()[1]))
        return schemes()[protocol].read(reply, SECRETS[product.key])

    return knock


def handed(answers: list[Answer]) -> int:
    return sum(1 for answer in answers if answer.device_secret)


def decisions() -> Counter[str]:
    return Counter(DeviceLogEntry.objects.values_list("code", flat=True))


def test_of_a_hundred_registrations_at_once_under_policy_once_exactly_one_succeeds(running_server: Server) -> None:
    cast.home()
    product = cast.tracker(reregistration="once")
    cast.row(product, "crate-1")
    answers = at_once(100, knocking_at(running_server, product, lambda number: "crate-1"))
    assert handed(answers) == 1
    assert decisions() == {"accepted": 1, "already_registered": 99}
    assert Device.objects.at(cast.home()).count() == 1


def test_of_two_hundred_automatic_creations_at_once_with_a_limit_of_fifty_exactly_fifty_succeed(running_server: Server) -> None:
    cast.home()
    product = cast.tracker(auto_create=True, auto_create_limit=50)
    answers = at_once(200, knocking_at(running_server, product, lambda number: f"crate-{number}"))
    assert handed(answers) == 50
    assert decisions() == {"accepted": 50, "auto_create_limit": 150}
    assert Device.objects.at(cast.home()).count() == AutoCreation.objects.get(product=product).created == 50


def test_a_hundred_registrations_of_one_name_at_once_get_one_secret(running_server: Server) -> None:
    cast.home()
    product = cast.tracker()
    cast.row(product, "crate-1")
    answers = at_once(100, knocking_at(running_server, product, lambda number: "crate-1"))
    assert len({answer.device_secret for answer in answers} - {""}) == 1
    assert handed(answers) == 100
    assert Device.objects.at(cast.home()).count() == 1


def test_a_hundred_creations_of_one_name_at_once_take_one_place(running_server: Server) -> None:
    cast.home()
    product = cast.tracker(auto_create=True, auto_create_limit=50)
    answers = at_once(100, knocking_at(running_server, product, lambda number: "crate-1"))
    assert handed(answers) == 100
    assert len({answer.device_secret for answer in answers}) == 1
    assert AutoCreation.objects.get(product=product).created == 1


def test_a_native_request_sent_many_times_at_once_is_accepted_once(running_server: Server) -> None:
    cast.home()
    product = cast.tracker()
    cast.row(product, "crate-1")
    credentials = Credentials(product.key, SECRETS[product.key], "crate-1")
    request = request_of("native", credentials, host="127.0.0.1", at=datetime.now(UTC))
    sent = request_bytes(request.path, {"Host": "127.0.0.1", **request.headers}, request.body)

    def knock(number: int) -> Answer:
        with running_server.connect(timeout=60) as connection:
            answer = exchange(connection, sent)
        return schemes()["native"].read(Reply(answer.body, status=int(answer.status_line.split()[1])), "")

    answers = at_once(40, knock)
    assert handed(answers) == 1
    assert decisions() == {"accepted": 1, "nonce_used": 39}
    assert UsedNonce.objects.count() == 1


@pytest.mark.postgres
def test_the_service_itself_is_exact_on_many_connections(transactional_db: None) -> None:
    cast.home()
    product = cast.tracker(auto_create=True, auto_create_limit=20)
    lookup.forget()
    data_centers.forget()

    def knock(number: int) -> Answer:
        protocol = schemes()[PROTOCOLS[number % len(PROTOCOLS)]]
        request = request_of(protocol.name, Credentials(product.key, SECRETS[product.key], f"crate-{number}"))
        try:
            return protocol.read(register(protocol=protocol, request=request, peer_address="", at=cast.NOON), SECRETS[product.key])
        finally:
            connections.close_all()

    assert handed(at_once(40, knock)) == 20
    assert Device.objects.at(cast.home()).count() == 20
