"""What if a device of a product that hands out certificates registered now: the answer that it then gets, word for word."""

from itertools import product as every
from typing import Any

import pytest

from devices.models import AutoCreation, Device, DeviceCertificate
from devices.services import lifecycle
from products.models import IssuedCertificate, Product
from products.services import authority_states, issuing_ca
from registration.services import explain
from tests import cast
from tests.cast import OPERATOR
from tests.products.issuing_cast import NOW
from tests.registration.enrolling import certified, connect, forget, pair_of, register
from tests.registration.test_what_if import everything, undone

pytestmark = [pytest.mark.django_db, pytest.mark.storage]
NAME = "crate-1"
DEVICES = (None, "static", "x509", "handed", "connected", "reset", "revoked", "typed", "disabled")
"""What the list has under the name; from "handed" on a device that was handed a certificate, and what happened to it since."""


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    forget()


def given(authentication: str | None, device: str | None, limit: int, created: int) -> Product:
    cast.home()
    tracker = certified(cast.tracker(auto_create=bool(limit), auto_create_limit=limit))
    if authentication:
        cast.row(tracker, NAME, authentication)
    if created:
        AutoCreation.objects.create(product=tracker, created=created)
    if device in ("static", "x509"):
        facts = {"authentication": device, "created_at": NOW, "sealed_secret": b""}
        Device.objects.create(data_center=cast.home(), product=tracker, device_name=NAME, **facts)
    elif device:
        _handed(tracker, device)
    return tracker


def _handed(tracker: Product, what: str) -> None:
    before = Product.objects.filter(pk=tracker.pk).values("auto_create", "auto_create_limit").get()
    Product.objects.filter(pk=tracker.pk).update(auto_create=True, auto_create_limit=9)
    forget()
    tried = register(tracker, NAME)
    Product.objects.filter(pk=tracker.pk).update(**before)
    forget()
    if tried.code != "accepted":
        return
    device = Device.objects.at(cast.home()).get(device_name=NAME)
    if what != "handed":
        connect(tracker, NAME, pair_of(tried).certificate)
    if what in ("reset", "revoked", "typed"):
        lifecycle.reset(device, by=OPERATOR, at=NOW)
    if what == "revoked":
        DeviceCertificate.objects.update(revoked_at=NOW)
    if what == "typed":
        DeviceCertificate.objects.update(sha256="", spki_sha256="", sha1="ab" * 20)
    if what == "disabled":
        lifecycle.disable(device, by=OPERATOR, at=NOW)


def foreseen(product: Product) -> explain.Explanation:
    return explain.what_if(product=product, data_center=cast.home(), device_name=NAME, at=NOW)


@pytest.mark.parametrize("device", DEVICES)
def test_it_says_what_a_device_is_then_told(device: str | None) -> None:
    codes = set()
    for authentication, (limit, created) in every((None, "dynamic", "static", "x509"), ((0, 0), (1, 0), (1, 1))):
        with undone():
            forget()
            tracker = given(authentication, device, limit, created)
            before = everything()
            said = foreseen(tracker)
            assert everything() == before and said.hands_certificates
            forget()
            tried = register(tracker, NAME)
            assert (tried.code, tuple(tried.entry.path)) == (said.code, said.path), (authentication, limit, created)
            codes.add(tried.code)
    assert codes & EXPECTED[device] == EXPECTED[device], codes


EXPECTED: dict[str | None, set[str]] = {
    None: {"accepted", "not_imported", "auto_create_limit", "wrong_authentication"},
    "static": {"wrong_authentication"},
    "x509": {"wrong_authentication"},
    "handed": {"accepted"},
    "connected": {"already_activated"},
    "reset": {"accepted"},
    "revoked": {"device_certificate_revoked"},
    "typed": {"certificate_not_pinned"},
    "disabled": {"device_disabled"},
}


@pytest.mark.parametrize("state", ["inactive", "retired"])
def test_a_ca_that_issues_no_more_is_foreseen(state: str) -> None:
    tracker = given("dynamic", None, 0, 0)
    row = tracker.issuing_cas.get()
    if state == "inactive":
        authority_states.deactivate(row.authority_id, reason="lost", by=OPERATOR, at=NOW)
    else:
        issuing_ca.retire(row.pk, reason="over", by=OPERATOR, at=NOW)
    said: Any = foreseen(tracker)
    forget()
    tried = register(tracker, NAME)
    assert (tried.code, tuple(tried.entry.path)) == (said.code, said.path)
    assert (said.code, said.hands_certificates) == (("issuing_failed", True) if state == "inactive" else ("accepted", False))
    assert not IssuedCertificate.objects.exists()


def test_a_device_that_asks_for_a_client_id_is_foreseen_as_one_without_a_request() -> None:
    cast.home()
    tracker = certified(cast.tracker(preregistration_free=True))
    said = foreseen(tracker)
    assert said.free is not None and said.free.code == "csr_missing"
