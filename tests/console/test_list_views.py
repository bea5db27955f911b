"""Saved filters and chosen columns: each person's own, kept for every list."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from console.models import ChosenColumns, SavedFilter
from tests import cast

pytestmark = pytest.mark.django_db
ROWS = "devices.preimporteddevice"
LIST = "admin:devices_preimporteddevice_changelist"


def keep(client: Client, name: str, query: str, page: str = ROWS) -> Any:
    return client.post(reverse("admin:list_save_filter", args=[page]), {"name": name, "query": query}, follow=True)


def test_a_filter_is_kept_under_a_name_without_the_place_in_the_list(admin_client: Client) -> None:
    page = keep(admin_client, "  Line 3  ", "authentication__exact=static&p=4&q=4C11")
    assert "The filter “Line 3” is kept." in page.content.decode()
    assert SavedFilter.objects.get().query == "authentication__exact=static&q=4C11"
    page = admin_client.get(reverse(LIST) + "?authentication__exact=static&q=4C11").content.decode()
    assert "Line 3</summary>" in page.replace("\n", ""), "the list says which filter this is"


def test_the_same_name_again_means_the_newer_filter(admin_client: Client) -> None:
    keep(admin_client, "Static", "authentication__exact=static")
    keep(admin_client, "Static", "authentication__exact=x509")
    assert SavedFilter.objects.get().query == "authentication__exact=x509"


@pytest.mark.parametrize(
    ("name", "query", "words"),
    [
        ("", "q=1", "Give the filter a name"),
        ("x", "", "nothing to keep"),
        ("x", "p=3", "nothing to keep"),
        ("x", "q=" + "9" * 1001, "too long"),
    ],
)
def test_it_says_what_cannot_be_kept(admin_client: Client, name: str, query: str, words: str) -> None:
    assert words in keep(admin_client, name, query).content.decode()
    assert not SavedFilter.objects.exists()


def test_a_list_keeps_thirty_at_most(admin_client: Client) -> None:
    for number in range(30):
        keep(admin_client, f"f{number}", f"q={number}")
    assert "at most 30 filters" in keep(admin_client, "one more", "q=x").content.decode()
    assert SavedFilter.objects.count() == 30


def test_another_s_filter_is_not_there(admin_client: Client, client: Client) -> None:
    keep(admin_client, "Mine", "q=1")
    other = get_user_model().objects.create_superuser("li")
    client.force_login(other)
    assert "Mine" not in client.get(reverse(LIST)).content.decode()
    assert client.post(reverse("admin:list_forget_filter", args=[ROWS, SavedFilter.objects.get().pk])).status_code == 404
    admin_client.post(reverse("admin:list_forget_filter", args=[ROWS, SavedFilter.objects.get().pk]))
    assert not SavedFilter.objects.exists()


def test_hidden_columns_stay_hidden_and_the_first_one_stays(admin_client: Client) -> None:
    cast.row(cast.kettle(), "4C11AE000001")
    every = columns_of(admin_client)
    assert len(every) > 3
    admin_client.post(reverse("admin:list_columns", args=[ROWS]), {"column": [every[2]]})
    assert columns_of(admin_client) == [every[0], every[2]]
    admin_client.post(reverse("admin:list_columns", args=[ROWS]), {"column": every})
    assert columns_of(admin_client) == every
    assert ChosenColumns.objects.get().hidden == []


def columns_of(client: Client) -> list[str]:
    return list(client.get(reverse(LIST)).context["cl"].list_display[1:])


def test_every_list_of_the_console_has_its_tools(admin_client: Client) -> None:
    from django.contrib import admin

    from console.shared.admin import ConsoleModelAdmin

    cast.home()
    ours = [model for model, options in admin.site._registry.items() if isinstance(options, ConsoleModelAdmin)]
    assert len(ours) > 10
    for model in ours:
        if not admin.site._registry[model].has_view_permission(_request(admin_client)):
            continue
        page = admin_client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
        assert page.status_code == 302 or "Saved filters" in page.content.decode(), model


def _request(client: Client) -> Any:
    class Request:
        user = get_user_model().objects.get(username="admin")

    return Request()


@pytest.mark.parametrize("page", ["auth.user", "no.such", "console.savedfilter"])
def test_a_list_that_one_may_not_see_has_no_tools(client: Client, page: str) -> None:
    user = get_user_model().objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_product"))
    client.force_login(user)
    for name in ("list_save_filter", "list_columns"):
        assert client.post(reverse(f"admin:{name}", args=[page]), {"name": "x", "query": "q=1"}).status_code == 404
    assert not SavedFilter.objects.exists() and not ChosenColumns.objects.exists()
