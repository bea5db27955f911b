"""A list page asks the database the same few questions, however many rows it shows."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from devices.services import admission
from products.models import Product
from products.services import lookup
from tests import cast
from tests.cast import NOON

MOST_QUERIES = 16
"""Of the busiest list page, session, person and sidebar included. Only ever lowered."""


@pytest.fixture
def lists(db: None, client: Client) -> dict[str, str]:
    """Label of each model to the URL of its list; an administrator is signed in."""
    client.force_login(cast.administrator())
    return {
        model._meta.label: reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model, options in admin.site._registry.items()
        if any(pattern.name and pattern.name.endswith("_changelist") for pattern in options.get_urls())
    }


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(url)
        getattr(answer, "render", lambda: None)()
    assert answer.status_code == 200, url
    return len(asked)


def add_rows(product: Product, first: int, count: int) -> None:
    """Pre-imported devices and as many registered ones."""
    known = lookup.find_for_registration(product.key, at=NOON)
    for number in range(first, first + count):
        name = cast.row(product, f"A4C1380{number:05X}").device_name
        admission.admit(data_center=cast.home(), product=known, device_name=name, at=NOON)


def test_more_rows_ask_no_more_questions(lists: dict[str, str], client: Client) -> None:
    cast.home()
    cast.frankfurt()
    kettle, _meter = cast.kettle(), cast.meter()
    add_rows(kettle, 0, 2)
    for url in lists.values():
        client.get(url)  # What a process asks only once.
    few = {label: queries(client, url) for label, url in lists.items()}
    cast.tracker()
    add_rows(kettle, 2, 12)
    many = {label: queries(client, url) for label, url in lists.items()}
    assert many == few
    assert max(many.values()) <= MOST_QUERIES, many
    assert len(many) >= 8
