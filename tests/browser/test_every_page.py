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
from tests.browser.test_console import WIDTHS
from tests.flows.operator import Operator
from tests.house.walking import World
from tests.processes import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PARTS = 2
"""The pages are dealt to so many tests, for as many cores."""
EXPECTED = {"/nowhere/": 404}
EXCEPT: dict[str, str] = {}
"""axe's rule, and a selector of the skin's element that cannot be mended → why."""
GRAVE = ("serious", "critical")
LOOK = """async (rules) => {
    const options = { resultTypes: ["violations"], ...(rules ? { runOnly: { type: "rule", values: rules } } : {}) };
    const found = await axe.run(document, options);
    return found.violations.map((one) => [one.impact, one.id, one.nodes.map((node) => [node.target.join(" "), node.html.slice(0, 160), node.any.map((any) => any.message).join("; ")])]);
}"""


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
    page, wrong = operator.page, []
    operator.complaints.clear()
    answer = page.goto(operator.url + address)
    page.wait_for_function("document.documentElement.matches(':not([x-cloak])')")  # The skin has dressed the page.
    expected = EXPECTED.get(address, 200)
    if answer is None or answer.status != expected:
        wrong.append(f"answers {answer and answer.status}")
    page.evaluate(axe())
    wrong += findings(page, "light", None)
    for width in reversed(WIDTHS):
        page.set_viewport_size({"width": width, "height": 900})
        if (wide := page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")) > 0:
            wrong.append(f"scrolls sideways by {wide} px at {width}")
    page.evaluate("document.documentElement.classList.add('dark')")
    wrong += findings(page, "dark", ["color-contrast"])
    wrong += [one for one in operator.complaints if expected == 200 or str(expected) not in one]
    return [f"{address}: {one}" for one in wrong]


def findings(page: Page, scheme: str, rules: Any) -> list[str]:
    found = page.evaluate(LOOK, rules)
    return [
        f"{scheme}: {rule}: {json.dumps(nodes[:4], ensure_ascii=False)} of {len(nodes)}"
        for impact, rule, nodes in found
        if impact in GRAVE
    ]
