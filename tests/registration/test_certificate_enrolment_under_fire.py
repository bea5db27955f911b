"""Certificates handed out to many at once, on PostgreSQL: what was answered is what is on file."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from console.crypto.certificates import reading
from console.crypto.certificates.certificate import Certificate
from devices.models import AutoCreation, Device, DeviceCertificate
from products.models import IssuedCertificate, Product
from products.services import issuing
from registration.models import DeviceLogEntry, UsedNonce
from registration.protocols.base import Answer, Credentials, Request
from registration.services import enrolment
from registration.services.schemes import schemes
from tests import cast
from tests.devices import x509_devices
from tests.products.issuing_cast import NOW, pem
from tests.registration.enrolling import IMEI, certified, connect, csr_request, forget, own_request
from tests.registration.knocking import ADDRESS, SECRETS, request_of

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
NAME = "crate-1"
MANY = 12


@pytest.fixture(autouse=True)
def centers() -> None:
    cast.home()
    forget()


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """`work(number)` from so many threads, none of which begins before all are there."""
    barrier = Barrier(count)

    def one(number: int) -> Any:
        try:
            barrier.wait()
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def answer_to(product: Product, protocol: str, request: Request) -> Answer:
    reply = enrolment.register(protocol=schemes()[protocol], request=request, peer_address=ADDRESS, at=NOW)
    return schemes()[protocol].read(reply, SECRETS[product.key])


def register(product: Product, name: str) -> Answer:
    request = request_of("tencent-new", Credentials(product.key, SECRETS[product.key], name), at=NOW)
    return answer_to(product, "tencent-new", request)


def certificates(answers: list[Answer]) -> dict[str, Certificate]:
    """By their fingerprints."""
    found = [reading.read_one(one.certificate.encode()) for one in answers if one.accepted]
    return {one.sha256: one for one in found}


def good() -> set[str]:
    return set(IssuedCertificate.objects.good().values_list("sha256", flat=True))


def decisions() -> Counter[str]:
    return Counter(DeviceLogEntry.objects.values_list("code", flat=True))


@pytest.mark.parametrize("known", [False, True])
def test_every_answer_is_on_file_and_the_newest_are_good(known: bool) -> None:
    tracker = certified(cast.tracker())
    cast.row(tracker, NAME)
    before = certificates([register(tracker, NAME)]) if known else {}
    answers = at_once(MANY, lambda number: register(tracker, NAME))
    handed = certificates(answers)
    assert len(handed) == MANY and decisions() == {"accepted": MANY + len(before)}
    assert {*handed, *before} == set(IssuedCertificate.objects.values_list("sha256", flat=True))
    newest = IssuedCertificate.objects.order_by("-id").values_list("sha256", flat=True)[: issuing.OUTSTANDING]
    assert good() == set(newest)
    device = Device.objects.at(cast.home()).get()
    assert (device.authentication, device.registered_at) == ("x509", NOW)
    one = next(iter(newest))
    assert connect(tracker, NAME, handed[one]).code == "accepted" and good() == {one}


def test_where_the_last_answer_alone_counts_one_is_good() -> None:
    tracker = certified(cast.tracker(new_secret_each_time=True))
    cast.row(tracker, NAME)
    handed = certificates(at_once(MANY, lambda number: register(tracker, NAME)))
    assert len(handed) == MANY and len(good()) == 1
    assert connect(tracker, NAME, handed[good().pop()]).code == "accepted"


def test_under_policy_once_one_is_handed_out_and_one_is_on_file() -> None:
    tracker = certified(cast.tracker(reregistration="once"))
    cast.row(tracker, NAME)
    handed = certificates(at_once(MANY, lambda number: register(tracker, NAME)))
    assert set(handed) == good() and len(handed) == IssuedCertificate.objects.count() == 1
    assert decisions() == {"accepted": 1, "already_registered": MANY - 1}


def test_no_more_are_created_and_issued_than_the_limit_allows() -> None:
    tracker = certified(cast.tracker(auto_create=True, auto_create_limit=5))
    handed = certificates(at_once(MANY, lambda number: register(tracker, f"new-{number}")))
    assert set(handed) == good() and len(handed) == AutoCreation.objects.get().created == Device.objects.at(cast.home()).count() == 5
    assert decisions() == {"accepted": 5, "auto_create_limit": MANY - 5}


def test_a_first_connection_among_registrations_leaves_one_good_certificate() -> None:
    """Whatever comes first: what connected is pinned, and no certificate is good that was issued before, nor any after."""
    tracker = certified(cast.tracker())
    cast.row(tracker, NAME)
    first = next(iter(certificates([register(tracker, NAME)]).values()))

    def one(number: int) -> Any:
        return connect(tracker, NAME, first).code if number == 0 else register(tracker, NAME)

    connected, *answers = at_once(5, one)
    assert connected == "accepted"
    assert good() == {first.sha256} == {DeviceCertificate.objects.get().sha256}
    assert set(certificates(answers)) == set(IssuedCertificate.objects.exclude(sha256=first.sha256).values_list("sha256", flat=True))


def test_of_several_certificates_that_are_brought_at_once_one_is_pinned() -> None:
    tracker = certified(cast.tracker())
    cast.row(tracker, NAME, "x509")
    works = x509_devices.works(tracker)
    forget()
    shown = [pem(works.signed(NAME)) for _ in range(MANY)]
    answers = at_once(MANY, lambda number: answer_to(tracker, "tencent-new", own_request(tracker, NAME, shown[number])))
    assert [one.own_certificate for one in answers].count(True) == 1
    winner = reading.read_one(next(text for text, one in zip(shown, answers, strict=True) if one.own_certificate).encode())
    assert DeviceCertificate.objects.get().sha256 == winner.sha256
    assert decisions() == {"accepted": 1, "certificate_not_pinned": MANY - 1}
    assert Device.objects.at(cast.home()).count() == 1


def test_one_request_sent_many_times_is_answered_with_one_certificate() -> None:
    meter = certified(cast.meter())
    cast.row(meter, IMEI)
    request = csr_request(meter, IMEI)
    handed = certificates(at_once(MANY, lambda number: answer_to(meter, "native", request)))
    assert set(handed) == good() and len(handed) == IssuedCertificate.objects.count() == UsedNonce.objects.count() == 1
    assert decisions() == {"accepted": 1, "nonce_used": MANY - 1}
