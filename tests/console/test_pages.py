"""Pages around the admin: sign-in, errors, policy, people and the audit log."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from console.navigation import SECTIONS, link_to
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client: Client) -> Any:
    user = cast.administrator()
    client.force_login(user)
    return user


def test_a_stranger_is_sent_to_the_sign_in_page(client: Client) -> None:
    for url in ("/", reverse("admin:products_product_changelist"), reverse("admin:account"), "/no/such/page/"):
        answer = client.get(url)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/login/")
    assert client.get("/login/").status_code == 200


def test_it_refuses_a_wrong_password_without_saying_which_part_was_wrong(client: Client) -> None:
    cast.administrator()
    known = client.post("/login/", {"username": "admin", "password": "wrong"}).content.decode()
    unknown = client.post("/login/", {"username": "nobody", "password": "wrong"}).content.decode()
    sentence = "Please enter the correct username and password"
    assert sentence in known
    assert sentence in unknown


def test_a_person_who_is_no_staff_stays_outside(client: Client) -> None:
    client.force_login(get_user_model().objects.create_user("visitor"))
    assert client.get("/").status_code == 302


def test_sign_in_leads_to_the_page_that_was_asked_for(client: Client) -> None:
    cast.administrator()
    page = reverse("admin:account")
    answer = client.post("/login/?next=" + page, {"username": "admin", "password": cast.PASSWORD, "next": page})
    assert answer["Location"] == page
    away = client.post("/login/", {"username": "admin", "password": cast.PASSWORD, "next": "https://elsewhere.example/"})
    assert away["Location"] == "/"


@pytest.mark.parametrize("code", ["400", "403", "404", "500", "403_csrf"])
def test_error_pages_need_nobody_and_nothing(code: str) -> None:
    page = render_to_string(f"{code}.html")
    assert "<script" not in page
    assert "Back to the console" in page


def test_a_page_that_is_not_there_is_told_in_our_look(client: Client, administrator: Any) -> None:
    answer = client.get("/no/such/page/")
    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


def test_the_policy_lets_a_page_load_nothing_from_elsewhere(client: Client, administrator: Any) -> None:
    policy = client.get("/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self' 'unsafe-eval'" in policy
    assert "http" not in policy


def test_every_place_of_the_sidebar_exists(client: Client, administrator: Any) -> None:
    cast.home()
    for _title, places in SECTIONS:
        for place in places:
            assert link_to(place.url_name), place.url_name
            assert client.get(link_to(place.url_name)).status_code == 200, place.url_name


def test_the_group_form_offers_only_permissions_that_a_page_asks_for(client: Client, administrator: Any) -> None:
    page = client.get(reverse("admin:auth_group_add")).content.decode()
    assert "Can read DeviceSecrets" in page
    assert "See: audit log" in page
    assert "Change: audit log" not in page
    assert "used nonce" not in page
