"""Every page of the console for every role: who may open it stands in the table, and a page without a line fails."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from console.models import AuditEntry
from console.people import roles
from tests.house import walking
from tests.house.walking import LIMITED, Page, World

pytestmark = pytest.mark.django_db
TABLE = Path(__file__).with_name("pages.txt")
REFUSED = {403, 404}
ONLY_POSTED = 405
EVERYBODY = "everybody"
SIGNING = {"login", "login_code", "logout"}
"""Pages for nobody in particular: they bring somebody in or let them out."""
ASKING = {
    "devices_batch_progress": "?ids={batch_id}",
    "autocomplete": "?app_label=devices&model_name=preimporteddevice&field_name=batch&term=",
    "search": "?s=Kettle",
}
"""What a page is asked in its address, where it tells nothing otherwise."""
OF_NO_PRODUCT = {"form", "url", "app_label", "page"}
"""Arguments that name no row."""
SHARED = ("products_datacenter", "products_broker", "devices_macpool", "auth_user", "auth_group", "console_auditentry")
OF_ONESELF = {"account_session_end", "list_forget_filter"}
"""Pages about a row of one's own."""
PUBLIC = {"devices_receiptkey_change", "devices_receiptkey_history"}
"""Pages about what everybody may know."""


def read_table(file: Path) -> dict[str, frozenset[str]]:
    """Name of a page or an operation → the roles that it opens for."""
    lines = (line.split() for line in file.read_text().splitlines() if line and not line.startswith(("#", " ")))
    return {name: frozenset(roles.ROLES if marks == [EVERYBODY] else _holders(marks)) for name, *marks in lines}


def table() -> dict[str, frozenset[str]]:
    return read_table(TABLE)


def _holders(marks: list[str]) -> Iterator[str]:
    for role, mark in zip(roles.ROLES, marks, strict=True):
        if mark == "x":
            yield role


@pytest.fixture
def world() -> World:
    return walking.build()


def is_refused(answer: Any) -> bool:
    """Sent to the sign-in page counts too; the home page is what the skin shows in place of some pages."""
    away = answer.status_code == 302 and ("/login/" in answer["Location"] or answer["Location"] == reverse("admin:index"))
    return answer.status_code in REFUSED or away


def address(page: Page, world: World) -> str:
    return page.url(world) + ASKING.get(page.name, "").format(**world.words)


def body(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode("utf-8", "replace")


def test_every_page_has_its_line() -> None:
    known = {page.name for page in walking.pages()}
    lines = table()
    assert not known - set(lines), "new pages: say in tests/house/pages.txt for whom they are"
    assert not set(lines) - known, "pages of the table that do not exist"


@pytest.mark.parametrize("role", roles.ROLES)
def test_a_role_opens_its_pages_and_no_others(world: World, role: str) -> None:
    person = walking.people()[role]
    client, allowed = walking.sign_in(person), table()
    wrong = []
    for page in walking.pages():
        if page.name in SIGNING:
            continue
        answer = client.get(address(page, world))
        opens = not is_refused(answer) and answer.status_code < 500
        if opens != (role in allowed.get(page.name, ())) and answer.status_code != ONLY_POSTED:
            wrong.append((page.name, answer.status_code))
    assert not wrong


@pytest.mark.parametrize("role", [*roles.ROLES, LIMITED])
def test_what_is_refused_by_post_changes_nothing(world: World, role: str) -> None:
    client, allowed = walking.sign_in(walking.people()[role]), table()
    before, lines = walking.fingerprint(), AuditEntry.objects.count()
    wrong = []
    for page in walking.pages():
        mine = not is_of_a_row(page) if role == LIMITED else role in allowed.get(page.name, ())
        if mine or page.name in SIGNING:
            continue
        answer = client.post(page.url(world), {"reason": "because", "confirmed": "yes"})
        if not is_refused(answer) and answer.status_code != ONLY_POSTED:
            wrong.append((page.name, answer.status_code))
    assert not wrong
    assert AuditEntry.objects.count() == lines
    assert walking.fingerprint() == before


def test_a_person_with_chosen_products_finds_no_row_of_another_one(world: World) -> None:
    client = walking.sign_in(walking.people()[LIMITED])
    wrong = []
    for page in walking.pages():
        if is_of_a_row(page):
            answer = client.get(page.url(world))
            if not is_refused(answer) and answer.status_code != ONLY_POSTED:
                wrong.append((page.name, answer.status_code))
    assert not wrong


def test_no_page_tells_a_person_with_chosen_products_about_another_one(world: World) -> None:
    client = walking.sign_in(walking.people()[LIMITED])
    wrong = []
    for page in walking.pages():
        if page.name in SIGNING or is_of_a_row(page):
            continue
        text = body(client.get(address(page, world)))
        wrong += [(page.name, leak) for leak in walking.LEAKS if leak in text]
    assert not wrong


@pytest.mark.parametrize(
    "page", ["products_datacenter", "products_broker", "devices_macpool", "auth_user", "auth_group", "console_auditentry"]
)
def test_what_all_products_share_is_not_for_a_person_with_chosen_ones(world: World, page: str) -> None:
    client = walking.sign_in(walking.people()[LIMITED])
    assert client.get(reverse(f"admin:{page}_changelist")).status_code == 403


def is_of_a_row(page: Page) -> bool:
    return bool(set(page.arguments) - OF_NO_PRODUCT) and page.name not in OF_ONESELF | PUBLIC
