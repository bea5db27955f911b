"""Every page of the console in Chromium, as the administrator sees it: whole, from here alone, as wide as its window, and for everybody.

axe-core looks for what keeps people out: colours that cannot be told apart, controls without a name, wrong roles. Serious and critical
findings fail. A page that is added to the console is looked at without a line here.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from django.test import Client
from playwright.sync_api import Browser, Page

from tests import cast
from tests.browser import every_page
from tests.browser.visitor import WIDTHS
from tests.flows.operator import Operator
from tests.house.walking import World
from tests.processes import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PARTS = 2
"""The pages are dealt to so many tests, for several cores."""
EXPECTED = {"/nowhere/": 404}
EXCEPT = {("/api/docs/", "nested-interactive"): "Swagger UI puts a link to the operation into the button that opens it; Tab reaches both."}
"""An address and axe's rule that cannot be kept there → why."""
GRAVE = ("serious", "critical")
LOOK = """async ([place, rules]) => {
    const options = { resultTypes: ["violations"], ...(rules ? { runOnly: { type: "rule", values: rules } } : {}) };
    const found = await axe.run(place || document, options);
    const why = (node) => node.any.map((any) => any.message).join("; ");
    const nodes = (one) => one.nodes.map((node) => [node.target.join(" "), node.html.slice(0, 160), why(node)]);
    return found.violations.map((one) => [one.impact, one.id, nodes(one)]);
}"""
READY = {"/api/docs/": ".opblock"}
"""Pages that draw themselves."""


@cache
def axe() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()


@pytest.fixture
def world(transactional_db: None) -> tuple[World, Client]:
    boss, client = cast.administrator(), Client(raise_request_exception=False)
    client.force_login(boss)
    return every_page.build(boss), client


@pytest.fixture
def page(browser: Browser, running_server: Server, world: tuple[World, Client]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.add_cookies([{"name": "sessionid", "value": world[1].cookies["sessionid"].value, "url": running_server.url}])
    yield context.new_page()
    context.close()


@pytest.mark.timeout(500)  # Half a second for each page, and a machine that has other work to do.
@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_is_whole_and_open_to_everybody(page: Page, running_server: Server, world: tuple[World, Client], part: int) -> None:
    addresses = every_page.addresses(world[1], world[0])
    assert len(addresses) > 100
    operator, wrong = Operator(page, running_server.url), []
    for address in addresses[part::PARTS]:
        wrong += look_at(operator, address)
    assert not wrong, "\n".join(wrong)


def look_at(operator: Operator, address: str) -> list[str]:
    """What is wrong with a page, each with its address."""
    page, expected = operator.page, EXPECTED.get(address, 200)
    operator.complaints.clear()
    answer = page.goto(operator.url + address)
    page.wait_for_function("document.documentElement.matches(':not([x-cloak])')")  # The skin has dressed the page.
    page.locator(READY.get(address, "body")).first.wait_for()
    wrong = [] if answer and answer.status == expected else [f"answers {answer and answer.status}"]
    page.evaluate(axe())
    wrong += findings(page, "light")
    wrong += [*of_a_list(page)] if page.locator("#changelist").count() else []
    for width in reversed(WIDTHS):
        page.set_viewport_size({"width": width, "height": 900})
        if (wide := page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")) > 0:
            wrong.append(f"scrolls sideways by {wide} px at {width}")
    page.evaluate("document.documentElement.classList.add('dark')")
    wrong += findings(page, "dark", rules=["color-contrast"])
    wrong += [one for one in operator.complaints if expected == 200 or str(expected) not in one]
    return [f"{address}: {one}" for one in wrong if not any(address == at and rule in one for at, rule in EXCEPT)]


def of_a_list(page: Page) -> Iterator[str]:
    """What appears only when somebody works with a list: its filters, its columns, and what can be done with chosen rows."""
    for summary in page.locator(".np-drop > summary").all():
        summary.click()
        yield from findings(page, "open", ".np-drop[open]")
    page.keyboard.press("Escape")
    if (opener := page.locator("#filters-opener")).count():
        opener.click()
        page.locator("#changelist-filter").wait_for()
        yield from findings(page, "filters", "#changelist-filter")
        page.keyboard.press("Escape")
    if (row := page.locator("input.action-select")).count():
        row.first.check()
        yield from findings(page, "chosen", "#changelist-actions-wrapper")


def findings(page: Page, state: str, place: str = "", *, rules: Any = None) -> list[str]:
    """axe's, in a part of the page or in all of it."""
    found = page.evaluate(LOOK, [place, rules])
    return [
        f"{state}: {impact} {rule}: {json.dumps(nodes[:4], ensure_ascii=False)} of {len(nodes)}"
        for impact, rule, nodes in found
        if impact in GRAVE
    ]
