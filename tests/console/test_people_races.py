"""Administrators who act on each other at the same moment, on connections of their own of a real PostgreSQL."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connections

from console.errors import DomainError
from console.models import AuditEntry
from console.people import accounts, authority, roles
from console.people.accounts import NewPerson, Rights
from console.shared.actors import SYSTEM, Actor
from tests.cast import NOON

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
ROUNDS = 8


def administrator(name: str) -> User:
    new, _password = accounts.add(NewPerson(name, rights=Rights(role=roles.ADMINISTRATOR)), by=SYSTEM, at=NOON)
    return User.objects.get(pk=new.pk)


def actor(person: User) -> Actor:
    return Actor(person.username, person.pk, "192.0.2.9")


def at_once(acts: Sequence[Callable[[], object]]) -> list[str]:
    """The code of each one's error, empty for who succeeded; none begins before all are there."""
    barrier = threading.Barrier(len(acts))

    def one(act: Callable[[], object]) -> str:
        try:
            barrier.wait(30)
            act()
        except DomainError as error:
            return error.code
        finally:
            connections.close_all()
        return ""

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(one, acts))


def demote(person: User, by: User) -> Callable[[], object]:
    return lambda: accounts.set_rights(person.pk, Rights(role="Viewer"), by=actor(by), at=NOON)


def disable(person: User, by: User) -> Callable[[], object]:
    return lambda: accounts.disable(person.pk, reason="Left", by=actor(by), at=NOON)


@pytest.mark.parametrize(("first", "second"), [(demote, demote), (disable, disable), (demote, disable)])
def test_two_administrators_who_remove_each_other_at_once_leave_one(first: Callable[..., object], second: Callable[..., object]) -> None:
    roles.make_missing(by=SYSTEM, at=NOON)
    for story in range(ROUNDS):
        User.objects.update(is_active=False)
        ada, grace = administrator(f"ada{story}"), administrator(f"grace{story}")
        before = AuditEntry.objects.count()
        ended = at_once([first(ada, grace), second(grace, ada)])
        assert sorted(code == "" for code in ended) == [False, True], ended
        assert authority.administrators().count() == 1
        assert AuditEntry.objects.count() == before + 1


def test_of_three_who_remove_each_other_in_a_ring_at_least_one_stays() -> None:
    roles.make_missing(by=SYSTEM, at=NOON)
    for story in range(ROUNDS):
        User.objects.update(is_active=False)
        ada, grace, joan = (administrator(f"{name}{story}") for name in ("ada", "grace", "joan"))
        ended = at_once([demote(grace, ada), demote(joan, grace), demote(ada, joan)])
        assert authority.administrators().count() == 3 - ended.count("") >= 1


def test_the_last_administrator_stays_also_where_the_system_asks() -> None:
    roles.make_missing(by=SYSTEM, at=NOON)
    ada = administrator("ada")
    with pytest.raises(authority.LastAdministrator):
        accounts.set_rights(ada.pk, Rights(role="Viewer"), by=SYSTEM, at=NOON)
    with pytest.raises(authority.LastAdministrator):
        accounts.disable(ada.pk, reason="Left", by=SYSTEM, at=NOON)
    assert authority.administrators().get() == ada
