"""What a registration asks of PostgreSQL: one statement that reads and one that writes, and what is written together is there together."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError

from console.shared import statements
from console.shared.statements import Statement
from devices.models import AutoCreation, Device
from devices.services import admission_facts, admission_writing, lifecycle
from products.models import Product
from products.services import data_centers, lookup
from registration.models import DeviceLogEntry, UsedNonce
from registration.protocols.base import Credentials
from registration.services import device_log
from registration.services.enrolment import register
from registration.services.schemes import schemes
from tests import cast
from tests.registration.knocking import SECRETS, knock, request_of

pytestmark = [pytest.mark.storage, pytest.mark.django_db(transaction=True)]
EVERY_PROTOCOL = pytest.mark.parametrize("protocol", ["alibaba", "tencent-new", "tencent-old", "native"])


@pytest.fixture(autouse=True)
def home() -> None:
    cast.home()
    lookup.forget()
    data_centers.forget()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first words of what goes to PostgreSQL past Django's cursor."""
    found: list[str] = []
    real: Any = Statement._run

    def run(self: Statement, line: Any, values: Any) -> Any:
        found.append(self.text)
        return real(self, line, values)

    monkeypatch.setattr(Statement, "_run", run)
    return found


@pytest.mark.postgres
@EVERY_PROTOCOL
@pytest.mark.parametrize("auto_create", [False, True])
def test_a_registration_is_one_statement_that_reads_and_one_that_writes(
    protocol: str, auto_create: bool, sent: list[str], settings: Any
) -> None:
    settings.NAMEPLATE_PRODUCT_CACHE_SECONDS = 60
    product = cast.tracker(auto_create=auto_create, auto_create_limit=5)
    if auto_create:
        AutoCreation.objects.create(product=product)
    else:
        cast.row(product, "crate-1")
    for _first_and_again in range(2):
        sent.clear()
        assert knock(product, "crate-1", protocol=protocol).code == "accepted"
        assert [text.partition(" ")[0] for text in sent] == ["SELECT", "WITH"]


@EVERY_PROTOCOL
def test_a_device_and_its_log_entry_are_stored_together_or_not_at_all(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    product = cast.tracker()
    cast.row(product, "crate-1")
    real = device_log.entry

    def too_long(*values: Any, **more: Any) -> Any:
        row = real(*values, **more)
        return statements.Row(row.into, tuple("x" if value == cast.NOON else value for value in row.values)) if more else row

    monkeypatch.setattr(device_log, "entry", too_long)
    if statements.connections["default"].vendor != "postgresql":
        monkeypatch.setattr(statements.Row, "store", _only_refusals(statements.Row.store))
    tried = knock(product, "crate-1", protocol=protocol)
    assert (tried.code, tried.answer.device_secret) == ("unavailable", "")
    assert not Device.objects.exists() and not UsedNonce.objects.exists()


def _only_refusals(real: Any) -> Any:
    """SQLite takes any text for a time."""

    def store(self: statements.Row, database: str) -> None:
        if "x" in self.values:
            raise DatabaseError("no time")
        real(self, database)

    return store


def test_a_race_that_was_lost_is_decided_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the decision and its execution another registration adds the name."""
    product = cast.tracker(auto_create=True, auto_create_limit=5)
    cast.row(product, "crate-1")
    look_up = admission_facts.look_up

    def late(*asked: Any) -> Any:
        found = look_up(*asked)
        if found.device is None:
            monkeypatch.setattr(admission_facts, "look_up", look_up)
            assert knock(product, asked[2]).code == "accepted"
        return found

    secrets = []
    for name in ("crate-1", "unknown-1"):
        monkeypatch.setattr(admission_facts, "look_up", late)
        secrets.append(handed(product, name))
        assert secrets[-1] == knock(product, name).answer.device_secret != ""
    assert AutoCreation.objects.get().created == 1
    assert Device.objects.count() == 2


def handed(product: Product, name: str) -> str:
    """The secret; several knocks may come of this one."""
    request = request_of("alibaba", Credentials(product.key, SECRETS[product.key], name))
    reply = register(protocol=schemes()["alibaba"], request=request, peer_address="", at=cast.NOON)
    return schemes()["alibaba"].read(reply, "").device_secret


def test_a_device_that_was_activated_meanwhile_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    product = cast.tracker()
    cast.row(product, "crate-1")
    knock(product, "crate-1")
    hand_out = admission_writing.hand_out

    def late(*values: Any, **more: Any) -> None:
        monkeypatch.setattr(admission_writing, "hand_out", hand_out)
        cast.activate(Device.objects.get(), at=cast.NOON + timedelta(seconds=1))
        hand_out(*values, **more)

    monkeypatch.setattr(admission_writing, "hand_out", late)
    assert knock(product, "crate-1").code == "already_activated"


def test_a_refused_device_uses_its_nonce_up_too() -> None:
    product = cast.tracker()
    tried = knock(product, "stranger", protocol="native")
    assert (tried.code, UsedNonce.objects.count()) == ("not_imported", 1)
    assert "The nonce was not used before." in tried.entry.path


def test_the_last_place_is_given_once_and_the_rest_is_refused_with_an_entry_each() -> None:
    product = cast.tracker(auto_create=True, auto_create_limit=1)
    assert [knock(product, f"new-{number}").code for number in range(3)] == ["accepted", "auto_create_limit", "auto_create_limit"]
    assert AutoCreation.objects.get().created == Device.objects.count() == 1
    assert DeviceLogEntry.objects.count() == 3


def test_a_reset_device_is_registered_again_under_policy_once() -> None:
    product = cast.tracker(reregistration="once")
    cast.row(product, "crate-1")
    knock(product, "crate-1")
    lifecycle.reset(Device.objects.get(), by=cast.OPERATOR, at=cast.NOON)
    assert knock(product, "crate-1").code == "accepted"
