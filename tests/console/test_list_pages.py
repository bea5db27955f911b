"""Pages of a list that is never counted: found by key, however many there are, and steady while rows come and go."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from devices.models import PreImportedDevice
from tests import cast
from tests.devices import pages
from tests.devices.pages import LIST

pytestmark = pytest.mark.django_db

ROWS = 80
FIRST = 0x02_00_00_00_00_00


def name(number: int) -> str:
    return f"{FIRST + number:012X}"


@pytest.fixture
def boss() -> Client:
    product = cast.kettle()
    for number in range(ROWS):
        cast.row(product, name(number))
    return pages.boss()


def names(html: str) -> list[int]:
    """The numbers of the rows that a page shows."""
    return [int(found, 16) - FIRST for found in re.findall(r">([0-9A-F]{12})<", html)]


def link(html: str, rel: str) -> str | None:
    found = re.search(rf'rel="{rel}" href="([^"]*)"', html)
    return found[1].replace("&amp;", "&") if found else None


def get(boss: Client, query: str) -> str:
    answer = boss.get(f"{LIST}{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def walk(boss: Client, query: str, rel: str) -> list[tuple[str, list[int]]]:
    """(address, rows) of the pages from this one on."""
    seen = []
    step: str | None = query
    while step is not None:
        html = get(boss, step)
        seen.append((step, names(html)))
        step = link(html, rel)
    return seen


def test_every_row_is_on_one_page_and_the_way_back_is_the_same(boss: Client) -> None:
    there = walk(boss, "?authentication__exact=dynamic", "next")
    assert [row for _, rows in there for row in rows] == list(range(ROWS))[::-1]
    assert [len(rows) for _, rows in there] == [25, 25, 25, 5]
    back = walk(boss, there[-1][0], "prev")
    assert [rows for _, rows in back] == [rows for _, rows in reversed(there)]
    assert "p=4-after-" in there[-1][0] and "authentication__exact=dynamic" in there[-1][0]


def test_a_deep_page_is_found_by_its_key_alone(boss: Client) -> None:
    deep = walk(boss, "?", "next")[2][0]
    with CaptureQueriesContext(connection) as asked:
        get(boss, deep)
    assert not [query["sql"] for query in asked if "OFFSET" in query["sql"]]


def test_a_row_that_comes_meanwhile_moves_none_to_another_page(boss: Client) -> None:
    first = get(boss, "?")
    cast.row(PreImportedDevice.objects.earliest("pk").product, name(ROWS))
    second = get(boss, str(link(first, "next")))
    assert names(second)[0] == names(first)[-1] - 1
    assert names(get(boss, str(link(second, "prev")))) == [ROWS, *names(first)[:-1]]


def test_a_page_whose_rows_have_gone_leads_back(boss: Client) -> None:
    last = walk(boss, "?", "next")[-1][0]
    PreImportedDevice.objects.filter(device_name__lt=name(6)).delete()
    html = get(boss, last)
    assert names(html) == []
    assert link(html, "prev") == "?p=3"


def test_one_page_needs_no_buttons(boss: Client) -> None:
    html = get(boss, f"?q={name(3)}")
    assert (link(html, "next"), link(html, "prev"), names(html)) == (None, None, [3])


@pytest.mark.parametrize(
    "place", ["2-after-", "2-after-x", "0-after-3", "2-behind-3", "٢-after-3", "2-after-" + "9" * 19, "x", "-1-after-3"]
)
def test_a_place_that_is_none_is_the_first_page(boss: Client, place: str) -> None:
    assert names(get(boss, f"?p={place}")) == list(range(ROWS))[::-1][:25]


def test_a_page_of_a_bare_number_is_still_found(boss: Client) -> None:
    assert names(get(boss, "?p=4")) == [4, 3, 2, 1, 0]
