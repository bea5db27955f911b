"""An operator in Chromium. A page that breaks behind their back fails the test, whatever they saw."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from tests.flows.operator import QUIET, Operator

# Playwright keeps an event loop in this thread, and Django takes that for asynchronous code when fixtures use the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return browser_type_launch_args | {"args": [*browser_type_launch_args.get("args", []), *QUIET]}


@pytest.fixture
def operator_at(new_context: Callable[..., BrowserContext]) -> Iterator[Callable[[str], Operator]]:
    """operator_at(url): somebody in front of a fresh browser of 1280 by 900 pixels."""
    people: list[Operator] = []

    def sit_down(url: str) -> Operator:
        context = new_context(viewport={"width": 1280, "height": 900}, locale="en", timezone_id="UTC")
        people.append(Operator(context.new_page(), url))
        return people[-1]

    yield sit_down
    assert [complaint for person in people for complaint in person.complaints] == []
