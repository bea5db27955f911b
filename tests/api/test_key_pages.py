"""API keys in the console: made by a person for a program, shown once, revoked with a reason."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console.api import keys
from console.models import ApiKey, AuditEntry
from products.models import ProductAccess
from tests import cast
from tests.api.callers import Program, make_key, owner

pytestmark = pytest.mark.django_db
ADD = "admin:console_apikey_add"
OWN = ("add_apikey", "view_apikey", "delete_apikey", "view_product", "see_every_product")


def person(name: str, *codenames: str) -> Any:
    found = get_user_model().objects.create_user(name, is_staff=True)
    found.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return found


def wish(**changes: object) -> dict[str, object]:
    in_a_year = (timezone.localdate() + timedelta(days=365)).isoformat()
    facts = {
        "name": "Line 7",
        "expires_on": in_a_year,
        "requests_per_minute": "60",
        "which": "every",
        "actions_0": ["products.view_product"],
    }
    return facts | changes


def test_a_key_is_shown_once_and_works(client: Client) -> None:
    client.force_login(person("kim", *OWN))
    kettle = cast.kettle()
    answer = client.post(reverse(ADD), wish())
    text = re.search(r"npk_[0-9A-Za-z]{40}", answer.content.decode())
    assert text and "no-store" in answer["Cache-Control"]
    assert Program(key=text.group()).call("get", "/products").json()["items"][0]["key"] == kettle.key
    row = ApiKey.objects.get()
    assert text.group() not in client.get(reverse("admin:console_apikey_change", args=[row.pk])).content.decode()
    line = AuditEntry.objects.get(action="api_key.make")
    assert line.actor_name == "kim" and text.group() not in str(line.after)


def test_a_key_is_made_for_chosen_products(client: Client) -> None:
    client.force_login(person("kim", *OWN))
    kettle = cast.kettle()
    cast.lamp()
    client.post(reverse(ADD), wish(which="chosen", products=[kettle.pk]))
    assert [access.product for access in ProductAccess.objects.filter(api_key=ApiKey.objects.get())] == [kettle]
    refused = client.post(reverse(ADD), wish(which="chosen"))
    assert "Choose at least one product." in refused.content.decode()


@pytest.mark.parametrize(
    "changes",
    [
        {"expires_on": "2020-01-01"},
        {"expires_on": "2099-01-01"},
        {"actions_0": []},
        {"actions_0": ["devices.reset_device"]},
        {"requests_per_minute": "0"},
        {"name": " "},
    ],
)
def test_a_wish_that_goes_too_far_is_refused(client: Client, changes: dict[str, object]) -> None:
    client.force_login(person("kim", *OWN))
    assert client.post(reverse(ADD), wish(**changes)).status_code == 200
    assert not ApiKey.objects.exists()


def test_nobody_makes_a_key_for_what_he_may_not_do() -> None:
    kim = person("kim", *OWN)
    new = keys.NewKey("x", ["devices.reset_device"], timezone.now() + timedelta(days=1), 60)
    with pytest.raises(keys.NotYours):
        keys.make(new, owner=kim, by=cast.OPERATOR, at=timezone.now())


def test_nobody_makes_a_key_for_products_that_he_does_not_see() -> None:
    kettle, lim = cast.kettle(), person("lim", "add_apikey", "view_product")
    new = keys.NewKey("x", ["products.view_product"], timezone.now() + timedelta(days=1), 60, [kettle])
    with pytest.raises(keys.NotYours):
        keys.make(new, owner=lim, by=cast.OPERATOR, at=timezone.now())


def test_making_one_asks_for_a_fresh_proof(client: Client) -> None:
    client.force_login(person("kim", *OWN))
    session = client.session
    session["confirmed_at"] = (timezone.now() - timedelta(minutes=11)).timestamp()
    session.save()
    assert "confirm" in client.post(reverse(ADD), wish())["Location"]
    assert not ApiKey.objects.exists()


def test_one_sees_one_s_own_keys_and_an_administrator_all(client: Client) -> None:
    _text, row = make_key("products.view_product", of=person("ann", *OWN))
    page = reverse("admin:console_apikey_change", args=[row.pk])
    client.force_login(person("kim", *OWN))
    assert client.get(page).status_code == 404
    assert "Line 3" not in client.get(reverse("admin:console_apikey_changelist")).content.decode()
    client.force_login(owner())
    assert client.get(page).status_code == 200
    assert "Line 3" in client.get(reverse("admin:console_apikey_changelist")).content.decode()


def test_a_revoked_key_is_refused_at_once(client: Client) -> None:
    kim = person("kim", *OWN)
    text, row = make_key("products.view_product", of=kim)
    program = Program(key=text)
    assert program.call("get", "/products").status_code == 200
    client.force_login(kim)
    client.post(reverse("admin:console_apikey_revoke", args=[row.pk]), {"reason": "Laptop lost"})
    assert program.call("get", "/products").status_code == 401
    assert AuditEntry.objects.get(action="api_key.revoke").reason == "Laptop lost"


def test_who_may_not_gets_nothing(client: Client) -> None:
    client.force_login(person("nobody"))
    assert client.get(reverse("admin:console_apikey_changelist")).status_code == 403
    assert client.get(reverse(ADD)).status_code == 403
    _text, row = make_key("products.view_product", of=person("ann", *OWN))
    client.force_login(person("viewer", "view_apikey"))
    assert client.post(reverse("admin:console_apikey_revoke", args=[row.pk]), {"reason": "x"}).status_code == 403


def test_a_key_that_ends_soon_is_found() -> None:
    now = timezone.now()
    _text, soon = make_key("products.view_product", expires_at=now + timedelta(days=13))
    make_key("products.view_product", expires_at=now + timedelta(days=15))
    assert list(ApiKey.objects.expiring(now)) == [soon]
