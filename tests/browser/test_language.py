"""The console in two languages: as the browser asks, and as its person chooses; by keyboard alone."""

from collections.abc import Iterator

import pytest
from django.conf import global_settings
from django.test import override_settings
from playwright.sync_api import Browser, Page, expect

from tests import cast
from tests.processes import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def people(transactional_db: None) -> None:
    cast.home()
    with override_settings(PASSWORD_HASHERS=global_settings.PASSWORD_HASHERS):  # The server knows nothing of the tests' quick one.
        cast.administrator()


@pytest.fixture
def page(browser: Browser, running_server: Server, people: None) -> Iterator[Page]:
    """At the sign-in page, in a browser that asks for Chinese first."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
    page = context.new_page()
    page.goto(running_server.url)
    yield page
    context.close()


def language(page: Page) -> str | None:
    return page.locator("html").get_attribute("lang")


def sign_in(page: Page) -> None:
    page.fill("#id_username", "admin")
    page.fill("#id_password", cast.PASSWORD)
    page.press("#id_password", "Enter")


def test_the_browser_is_asked_first(page: Page) -> None:
    assert language(page) == "zh-hans"
    expect(page.get_by_role("heading", name="登录")).to_be_visible()


def test_the_sign_in_page_has_both_languages_and_the_choice_stays(page: Page) -> None:
    page.get_by_role("button", name="English").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page)
    expect(page.get_by_role("link", name="Pre-import list").first).to_be_visible()
    page.reload()
    assert language(page) == "en"


def test_the_menu_of_the_account_changes_the_language_by_keyboard(page: Page) -> None:
    sign_in(page)
    expect(page.get_by_role("link", name="预导入列表").first).to_be_visible()
    opener = page.locator("[aria-controls=account-menu]")
    opener.focus()
    page.keyboard.press("Enter")
    expect(opener).to_have_attribute("aria-expanded", "true")
    page.get_by_role("button", name="English").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Pre-import list").first).to_be_visible()
    assert language(page) == "en"


def test_escape_closes_the_menu_of_the_account(page: Page) -> None:
    sign_in(page)
    opener = page.locator("[aria-controls=account-menu]")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="English")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="English")).to_be_hidden()
