"""Issuing and revoking at the same moment, on PostgreSQL."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from console.crypto.certificates import revocation_lists as pure
from console.errors import Conflict
from products.models import IssuedCertificate, IssuingCA, Product, PublishedList, RevocationList, RevokedSerial
from products.services import authority_upkeep, issuing_ca, published_lists, revocation, revocation_lists
from tests import cast
from tests.cast import OPERATOR
from tests.products import issuing_cast
from tests.products.issuing_cast import NOW, an_issuer, later, pem, server

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
AT_ONCE = 6


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """What each of the threads got, or the refusal that it ran into."""

    def one(number: int) -> Any:
        try:
            return work(number)
        except Conflict as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


@pytest.fixture
def meter() -> Product:
    return cast.meter()


def test_of_several_issuing_cas_at_once_one_becomes_the_products(meter: Product) -> None:
    found = at_once(lambda number: issuing_ca.make(meter, name=f"CA {number}", by=OPERATOR, at=NOW))
    assert sum(isinstance(one, IssuingCA) for one in found) == 1
    assert IssuingCA.objects.count() == 1


def test_a_certificate_is_revoked_once_however_many_do_it(meter: Product) -> None:
    row = issuing_cast.stored(meter)
    found = at_once(lambda number: revocation.revoke(row.pk, reason="unspecified", by=OPERATOR, at=NOW))
    assert sum(isinstance(one, IssuedCertificate) for one in found) == 1
    assert RevokedSerial.objects.count() == 1


def test_a_list_is_made_once_for_many_who_ask(meter: Product) -> None:
    authority_id = issuing_cast.own_ca(meter).authority_id
    numbers = {one.number for one in at_once(lambda number: published_lists.current(authority_id, at=NOW))}
    assert numbers == {1} and PublishedList.objects.get().number == 1


def test_what_is_revoked_while_a_list_is_made_is_on_the_next_one(meter: Product) -> None:
    row = issuing_cast.stored(meter)
    authority_id = row.issuing_ca.authority_id

    def work(number: int) -> Any:
        if number == 3:
            return revocation.revoke(row.pk, reason="unspecified", by=OPERATOR, at=NOW)
        return published_lists.current(authority_id, at=NOW)

    at_once(work)
    assert published_lists.current(authority_id, at=NOW).entries == 1


def test_a_list_that_is_due_is_fetched_by_one_worker() -> None:
    issuer = an_issuer("Outside CA")
    authority = authority_upkeep.upload(authority_upkeep.NewAuthority(pem(issuer.certificate).encode()), by=OPERATOR, at=NOW)
    crl = pure.make(issuer, [pure.Entry(5, NOW)], number=1, at=NOW, lasts=later(days=7) - NOW)
    asked = []

    def answer(handler: Any, body: bytes) -> issuing_cast.Answer:
        asked.append(handler.path)
        return 200, {}, crl

    with server(answer) as url:
        revocation_lists.set_source(authority.pk, url=url, by=OPERATOR, at=NOW)
        fetched = at_once(lambda number: revocation_lists.fetch(authority.pk, clock=lambda: NOW))
    assert sum(fetched) == len(asked) == 1
    assert RevocationList.objects.get().entries == 1


def test_of_two_lists_at_once_the_later_one_stays() -> None:
    issuer = an_issuer("Outside CA")
    authority = authority_upkeep.upload(authority_upkeep.NewAuthority(pem(issuer.certificate).encode()), by=OPERATOR, at=NOW)
    lists = [
        pure.make(issuer, [pure.Entry(number + 1, NOW)], number=number, at=NOW, lasts=later(days=7) - NOW) for number in range(AT_ONCE)
    ]
    at_once(lambda number: revocation_lists.upload(authority.pk, lists[number], by=OPERATOR, at=NOW))
    assert RevocationList.objects.get().number == str(AT_ONCE - 1)
    assert list(RevokedSerial.objects.values_list("serial", flat=True)) == [f"{AT_ONCE:02X}"]
