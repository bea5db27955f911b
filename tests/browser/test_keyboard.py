"""The main work without a mouse: signing in, finding, filtering, choosing columns, a row, an action and back; the focus is always seen."""

import re
from collections.abc import Iterator

import pytest
from django.conf import global_settings
from django.test import override_settings
from playwright.sync_api import Browser, Page, expect

from console.models import ChosenColumns, SavedFilter
from tests import cast
from tests.browser.test_clones import walk_to
from tests.flows.operator import Operator
from tests.processes import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
NAMES = ("A4C138000001", "A4C138000002", "A4C138000003")
SEARCH_FIELD = "#np-command-text"
SEEN = """() => {
    const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
    const ring = [at, at.parentElement].some((one) => {
        const drawn = getComputedStyle(one);
        return (drawn.outlineStyle !== "none" && parseFloat(drawn.outlineWidth) > 0) || drawn.boxShadow !== "none";
    });
    return at === document.body || (ring && box.width > 0 && style.visibility === "visible") ? "" : at.outerHTML.slice(0, 200);
}"""
"""The element with the focus where nothing shows that it has it."""


@pytest.fixture
def operator(browser: Browser, running_server: Server) -> Iterator[Operator]:
    with override_settings(PASSWORD_HASHERS=global_settings.PASSWORD_HASHERS):  # The server knows nothing of the tests' quick one.
        cast.administrator()
    cast.home()
    kettle = cast.kettle()
    for name in NAMES:
        cast.row(kettle, name)
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    found = Operator(context.new_page(), running_server.url)
    found.open()
    type_into(found.page, "Username", "admin")
    type_into(found.page, "Password", cast.PASSWORD)
    found.page.keyboard.press("Enter")
    found.page.wait_for_url(f"{running_server.url}/")
    yield found
    context.close()


def type_into(page: Page, label: str, text: str) -> None:
    walk_to_field(page, label)
    page.keyboard.type(text)


def walk_to_field(page: Page, label: str) -> None:
    field = page.get_by_label(label, exact=True)
    for _step in range(40):
        if field.evaluate("field => field === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{label} cannot be reached by keyboard")


def focus(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.innerText || ''")).strip()


def test_the_first_stop_of_a_page_leads_past_the_sidebar(operator: Operator) -> None:
    page = operator.page
    operator.open("/devices/preimporteddevice/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    assert not operator.complaints


def test_everything_is_found_from_everywhere(operator: Operator) -> None:
    page = operator.page
    operator.open("/devices/preimporteddevice/")
    page.locator("#searchbar").focus()
    page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog", name="Search the console")
    expect(page.locator(SEARCH_FIELD)).to_be_focused()
    page.keyboard.type("a4:c1:38")
    expect(dialog.get_by_role("link")).to_have_count(3)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(dialog.get_by_role("link").nth(1)).to_be_focused()
    page.keyboard.type(":00")
    expect(page.locator(SEARCH_FIELD)).to_have_value("a4:c1:38:00")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#searchbar")).to_be_focused()
    page.keyboard.press("Control+k")
    expect(page.locator(SEARCH_FIELD)).to_be_focused()
    page.keyboard.type("Kettle")
    page.keyboard.press("Enter")
    page.wait_for_url("**/products/product/*/change/")
    assert not operator.complaints


def test_the_search_says_what_it_did_not_find(operator: Operator) -> None:
    operator.page.keyboard.press("Control+k")
    expect(operator.page.locator(SEARCH_FIELD)).to_be_focused()
    operator.page.keyboard.type("no such thing")
    expect(operator.page.get_by_role("dialog").get_by_role("status")).to_contain_text("Nothing is called so.")
    operator.page.keyboard.press("Enter")
    expect(operator.page.get_by_role("dialog")).to_be_visible()
    assert not operator.complaints


def test_a_list_is_filtered_kept_and_narrowed(operator: Operator) -> None:
    page = operator.page
    operator.open("/devices/preimporteddevice/")
    opener = page.get_by_role("button", name="Filters", exact=True)
    opener.focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog", name="Filters")
    expect(drawer.locator(":focus")).to_have_count(1)
    for _step in range(12):
        page.keyboard.press("Tab")
        assert drawer.evaluate("drawer => drawer.contains(document.activeElement)"), "the focus stays in the dialog"
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#searchbar")).to_be_focused()
    page.keyboard.type("A4C138000002")
    page.keyboard.press("Enter")
    page.wait_for_url("**?q=A4C138000002")
    walk_to(page, "bookmark")
    page.keyboard.press("Enter")
    type_into(page, "Keep these filters as", "Line 3")
    page.keyboard.press("Enter")
    operator.sees("The filter “Line 3” is kept.")
    assert SavedFilter.objects.get().query == "q=A4C138000002"
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    assert not operator.complaints


def test_a_column_is_hidden_and_stays_hidden(operator: Operator) -> None:
    page = operator.page
    operator.open("/devices/preimporteddevice/")
    columns = page.locator("summary", has_text="Columns")
    columns.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(columns).to_be_focused()
    expect(page.get_by_role("button", name="Show these")).to_be_hidden()
    page.keyboard.press("Enter")
    walk_to_field(page, "Nickname")
    page.keyboard.press("Space")
    walk_to(page, "Show these")
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="Nickname")).to_have_count(0)
    assert ChosenColumns.objects.get().hidden == ["nickname_text"]
    operator.open("/devices/preimporteddevice/")
    expect(page.get_by_role("columnheader", name="Nickname")).to_have_count(0)
    assert not operator.complaints


def test_a_row_is_opened_and_an_action_thought_better_of(operator: Operator) -> None:
    page = operator.page
    operator.open("/devices/preimporteddevice/")
    walk_to(page, NAMES[-1])
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/")
    walk_to(page, "edit")  # The name of its icon stands before its words.
    opener, dialog = focus(page), page.locator("dialog[open]")
    for key in ("Enter", "Space"):
        page.keyboard.press(key)
        expect(dialog).to_be_visible()
        expect(dialog.locator(":focus")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        assert focus(page) == opener
    assert not operator.complaints


def test_several_rows_are_chosen_and_their_deletion_thought_better_of(operator: Operator) -> None:
    page = operator.page
    operator.open("/devices/preimporteddevice/")
    page.locator("input.action-select").first.focus()
    page.keyboard.press("Space")
    page.locator("select[name=action]").focus()
    page.keyboard.type("Delete")
    page.keyboard.press("Tab")
    assert focus(page) == "Run"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Delete 1 row?").last).to_be_visible()
    walk_to(page, "Cancel")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/devices/preimporteddevice/$"))
    expect(page.locator("#result_list tbody tr")).to_have_count(len(NAMES))
    assert not operator.complaints


@pytest.mark.parametrize("path", ["/", "/devices/preimporteddevice/", "/devices/device/", "/products/product/add/", "/account/", "/jobs/"])
def test_one_always_sees_where_one_is(operator: Operator, path: str) -> None:
    page, unseen = operator.page, []
    operator.open(path)
    for _step in range(60):
        page.keyboard.press("Tab")
        unseen.append(page.evaluate(SEEN))
    assert not [one for one in unseen if one]


def test_the_menu_of_a_phone_opens_and_closes(operator: Operator) -> None:
    page = operator.page
    page.set_viewport_size({"width": 390, "height": 844})
    operator.open("/products/product/")
    opener = page.get_by_role("button", name="Menu", exact=True)
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Pre-import list")).to_be_visible()
    expect(page.get_by_role("button", name="Close the menu")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Pre-import list")).to_be_hidden()
    expect(opener).to_be_focused()
    assert not operator.complaints
