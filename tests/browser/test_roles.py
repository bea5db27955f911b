"""Each role in Chromium: what its sidebar shows, and a refused address that says so in the console's look, with who can help."""

from typing import Any

import pytest
from django.conf import global_settings
from django.contrib.auth.models import User
from django.test import override_settings
from playwright.sync_api import Page

from console.people import accounts, roles
from console.people.accounts import NewPerson, Rights
from console.shared.actors import SYSTEM
from tests import cast
from tests.cast import NOON
from tests.processes import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PRODUCTION = {"Home", "Jobs", "Production center", "Production records", "Receipts", "Serial numbers", "Binding station"}
VIEWER = {
    *("Home", "Jobs", "Products", "Pre-import list", "Uploaded workbooks", "Production center", "Production records", "Receipts"),
    *(
        "Serial numbers",
        "Download codes",
        "MAC pools",
        "Activation codes",
        "Devices",
        "Drift",
        "Device log",
        "Data centers",
        "Brokers",
        "CA certificates",
        "Issued certificates",
        "API",
    ),
}
SIDEBARS = {
    "Viewer": VIEWER,
    "Operator": VIEWER | {"Binding station"},
    "Production": PRODUCTION,
    "Security": VIEWER | {"Audit log", "API keys"},
    roles.ADMINISTRATOR: VIEWER | {"Binding station", "Audit log", "API keys", "Users", "Groups"},
}
REFUSED = {
    "Viewer": "/products/product/add/",
    "Operator": "/auth/user/",
    "Production": "/products/product/",
    "Security": "/products/product/add/",
    roles.ADMINISTRATOR: "/console/auditentry/add/",
}


@pytest.mark.parametrize("role", roles.ROLES)
def test_a_role_sees_its_places_and_is_told_who_can_help(running_server: Server, page: Page, role: str) -> None:
    cast.home()
    roles.make_missing(by=SYSTEM, at=NOON)
    kettle = cast.kettle()
    person, _password = accounts.add(NewPerson("petra", rights=Rights(role=role, products=[kettle])), by=SYSTEM, at=NOON)
    with override_settings(PASSWORD_HASHERS=global_settings.PASSWORD_HASHERS):  # The server knows nothing of the tests' quick one.
        known = User.objects.get(pk=person.pk)
        known.set_password(cast.PASSWORD)
        known.save(update_fields=["password"])
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page, running_server.url)
    assert places(page) == SIDEBARS[role]
    answer = page.goto(running_server.url + REFUSED[role])
    assert answer is not None and answer.status == 403
    assert page.get_by_role("heading", name="You may not do this").is_visible()
    assert page.get_by_text("Ask an administrator").is_visible()
    page.get_by_role("link", name="Back to the console").click()
    page.wait_for_url(running_server.url + "/")
    assert not complaints


def sign_in(page: Page, base: str) -> None:
    page.goto(f"{base}/login/")
    page.fill("#id_username", "petra")
    page.fill("#id_password", cast.PASSWORD)
    page.click("#login-form button[type=submit]")
    page.wait_for_url(f"{base}/")


def places(page: Page) -> set[str]:
    """The titles of the sidebar's links, without their icons."""
    links: Any = page.locator("#nav-sidebar-apps a")
    found: list[str] = links.evaluate_all("links => links.map(one => one.lastElementChild.textContent.trim())")
    return set(found)
