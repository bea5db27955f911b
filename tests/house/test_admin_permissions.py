"""Nobody without the right may use a page or an action: the skin asks for no permission by itself, so every action must name one."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, reverse

from tests import cast

# And everybody's own account.
OPEN_TO_ALL_STAFF = {
    "admin:index", "admin:login", "admin:logout", "admin:password_change", "admin:password_change_done", "admin:jsi18n", "admin:search",
    "admin:login_code", "admin:confirm",
}  # fmt: skip
UNFOLD_PLACES = ("actions_list", "actions_row", "actions_detail", "actions_submit_line")


def names_of(entries: Any) -> list[Any]:
    """Action names, also from the dropdown groups of the skin."""
    found: list[Any] = []
    for entry in entries or ():
        found += names_of(entry["items"]) if isinstance(entry, dict) else [entry]
    return found


def actions() -> list[tuple[str, Any]]:
    found = []
    for model, options in admin.site._registry.items():
        found += [(f"{model.__name__}.{name}", function) for function, name, _description in options._get_base_actions()]
        for place in UNFOLD_PLACES:
            for entry in names_of(getattr(options, place, ())):
                method = entry if callable(entry) else getattr(options, entry)
                found.append((f"{model.__name__}.{place}.{getattr(method, '__name__', entry)}", method))
    return found


def test_every_action_names_its_permission() -> None:
    found = actions()
    assert found
    assert not [name for name, method in found if not getattr(method, "allowed_permissions", None)]


def test_every_action_of_a_page_asks_for_a_permission_that_exists(db: None) -> None:
    asked = {action.permission for options in admin.site._registry.values() for action in getattr(options, "page_actions", ())}
    known = {f"{app}.{code}" for app, code in Permission.objects.values_list("content_type__app_label", "codename")}
    assert asked
    assert asked <= known


def pages() -> list[str]:
    """Names of all admin pages that need no argument."""
    found = [f"admin:{pattern.name}" for pattern in admin.site.urls[0] if isinstance(pattern, URLPattern) and pattern.name]
    for options in admin.site._registry.values():
        found += [f"admin:{pattern.name}" for pattern in options.urls if isinstance(pattern, URLPattern) and pattern.name]
    return sorted(name for name in set(found) - OPEN_TO_ALL_STAFF if not name.startswith("admin:account"))


def url_of(page: str) -> str:
    """Its URL, also where it is about one row; permission comes before the row is looked for. Empty where it takes more."""
    for arguments in ([], ["1"]):
        try:
            return reverse(page, args=arguments)
        except NoReverseMatch:
            continue
    return ""


@pytest.fixture
def nobody(db: None, client: Client) -> Client:
    """A member of staff without a single right."""
    cast.home()
    client.force_login(get_user_model().objects.create_user("nobody", is_staff=True))
    return client


@pytest.mark.parametrize("method", ["get", "post"])
def test_staff_without_rights_see_and_do_nothing(nobody: Client, method: str) -> None:
    wrong = []
    for page in pages():
        url = url_of(page)
        if not url:
            continue
        answer = getattr(nobody, method)(url)
        away = answer.status_code == 302 and ("/login/" in answer["Location"] or answer["Location"] == reverse("admin:index"))
        if answer.status_code not in {403, 404, 405} and not away:
            wrong.append((page, answer.status_code))
    assert not wrong
